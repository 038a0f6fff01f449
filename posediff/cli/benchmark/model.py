"""Measure the sampling time of a model and print it as JSON.

backbone_ms, condition_ms, sampling_ms   time of the three stages for the whole batch of B clips
ms_per_denoiser_call                     one denoiser evaluation within sampling: B × M rows, unless the memory budget
                                         or flip_hypotheses splits them
denoiser_calls                           evaluations of the denoiser, those for mirrored inputs included
clips_per_s                              throughput of all stages together
…_gmac                                   10^9 multiply-accumulates per clip, in matrix products and convolutions
peak_memory_mb                           memory of the device on CUDA, resident memory of the process on the CPU
matmul_768_ms                            a 768×768×768 float32 matrix product, to compare machines

The stages are those of prediction: an option flip_… of test_cfg adds the work for the mirrored inputs.
"""

from __future__ import annotations

import argparse
import json
import platform
import resource
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from posediff.cli.arguments import command_parser
from posediff.engine.command_line import add_cfg_options, add_device, one_line_errors, positive
from posediff.engine.evaluation import set_sampling
from posediff.engine.model_building import init_model
from posediff.models.estimator import PoseDiffusionEstimator


def parse_args(argv: Sequence[str] | None = None, prog: str | None = None) -> argparse.Namespace:
    parser = command_parser(prog, __doc__)
    parser.add_argument('config', help='config file, or name of a packaged config')
    parser.add_argument('--checkpoint', help='checkpoint file; default: random weights, which take the same time')
    parser.add_argument(
        '--batch-size', type=positive, default=8, metavar='N', help='clips per batch; default: %(default)s'
    )
    parser.add_argument(
        '--num-hypotheses',
        type=positive,
        metavar='M',
        help='number of poses sampled per clip; default: that of the config',
    )
    parser.add_argument(
        '--num-inference-steps',
        type=positive,
        metavar='N',
        help='denoiser evaluations per hypothesis; default: that of the config',
    )
    parser.add_argument(
        '--repeats',
        type=positive,
        default=3,
        metavar='N',
        help='timed runs after one untimed run; the median is reported; default: %(default)s',
    )
    parser.add_argument('--threads', type=positive, metavar='N', help="number of CPU threads; default: torch's")
    add_device(parser)
    add_cfg_options(parser)
    return parser.parse_args(argv)


class Clock:
    """Wall-clock time in ms, read after synchronising with the device."""

    def __init__(self, device: torch.device) -> None:
        self.device = device

    def now(self) -> float:
        if self.device.type == 'cuda':
            torch.cuda.synchronize(self.device)
        return 1000 * time.perf_counter()

    def median(self, work: Callable[[], Any], repeats: int) -> float:
        """Return the median time of ``repeats`` runs after one untimed run, ms."""
        work()
        times = []
        for _ in range(repeats):
            start = self.now()
            work()
            times.append(self.now() - start)
        return statistics.median(times)


class CallTimer:
    """Context manager that records the time of every call of a module, ms."""

    def __init__(self, module: torch.nn.Module, clock: Clock) -> None:
        self.times: list[float] = []
        self._module, self._clock = module, clock

    def __enter__(self) -> CallTimer:
        self._hooks = [
            self._module.register_forward_pre_hook(lambda *_: self._start()),
            self._module.register_forward_hook(lambda *_: self._stop()),
        ]
        return self

    def __exit__(self, *_: object) -> None:
        for hook in self._hooks:
            hook.remove()

    def _start(self) -> None:
        self._began = self._clock.now()

    def _stop(self) -> None:
        self.times.append(self._clock.now() - self._began)


def benchmark(model: PoseDiffusionEstimator, batch_size: int, repeats: int, device: torch.device) -> dict[str, Any]:
    """Measure a model with its present settings; for the keys of the result see the docstring of this module."""
    clock = Clock(device)
    inputs = random_inputs(model, batch_size).to(device)
    with torch.no_grad():
        backbone_ms = 0.0 if model.backbone is None else clock.median(lambda: model.view_features(inputs), repeats)
        features = model.view_features(inputs)
        condition_ms = clock.median(lambda: model.view_conditions(features), repeats)
        conditions = model.view_conditions(features)
        if device.type == 'cuda':
            torch.cuda.reset_peak_memory_stats(device)
        sampling_ms = clock.median(lambda: model.sample_conditions(conditions), repeats)
        calls: list[float] = []
        if model.denoiser is not None:
            with CallTimer(model.denoiser, clock) as timer:
                model.sample_conditions(conditions)
            calls = timer.times
        operations = {
            'backbone_gmac': count_gmac(lambda: model.view_features(inputs[:1])),
            'condition_gmac': count_gmac(lambda: model.view_conditions([view[:1] for view in features])),
            'sampling_gmac': count_gmac(lambda: model.sample_conditions([view[:1] for view in conditions])),
        }
    return {
        'clips_per_s': batch_size / (backbone_ms + condition_ms + sampling_ms) * 1000,
        'ms_per_denoiser_call': statistics.median(calls) if calls else None,
        'denoiser_calls': len(calls),
        'backbone_ms': backbone_ms,
        'condition_ms': condition_ms,
        'sampling_ms': sampling_ms,
        **operations,
        'peak_memory_mb': peak_memory_mb(device),
        'num_frames': model.window_length,
        'num_joints': model.head.skeleton.num_joints,
    }


def random_inputs(model: PoseDiffusionEstimator, batch_size: int) -> torch.Tensor:
    """Return random keypoints (B, T, K, 2), or random crops (B, T, 3, H, W) for a model with a backbone."""
    shape: tuple[int, ...] = (model.head.skeleton.num_joints, 2)
    if model.backbone is not None:
        width, height = model.head.codec.input_size
        shape = (3, height, width)
    return torch.randn(batch_size, model.window_length, *shape, generator=torch.Generator().manual_seed(0))


def count_gmac(work: Callable[[], Any]) -> float:
    """Return the number of multiply-accumulates of a call, in units of 10^9; attention counts as matrix products."""
    fused = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)  # the counter does not see the operations of fused layers
    try:
        with FlopCounterMode(display=False) as counter, sdpa_kernel(SDPBackend.MATH):
            work()
    finally:
        torch.backends.mha.set_fastpath_enabled(fused)
    return counter.get_total_flops() / 2e9


def peak_memory_mb(device: torch.device) -> float:
    """Return the peak memory in MiB: of the device on CUDA, else of the process."""
    if device.type == 'cuda':
        return torch.cuda.max_memory_allocated(device) / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10


def cpu_name() -> str:
    """Return the model name of the CPU, or its architecture if the system does not state a name."""
    try:
        lines = Path('/proc/cpuinfo').read_text().splitlines()
    except OSError:
        return platform.machine()
    return next((line.split(':', 1)[1].strip() for line in lines if line.startswith('model name')), platform.machine())


def describe_machine(device: torch.device, repeats: int) -> dict[str, Any]:
    """Return device, number of threads, version of torch, and the time of a matrix product, ms."""
    left, right = (torch.randn(768, 768, device=device) for _ in range(2))
    name = torch.cuda.get_device_name(device) if device.type == 'cuda' else cpu_name()
    return {
        'device': str(device),
        'device_name': name,
        'threads': torch.get_num_threads(),
        'torch': torch.__version__,
        'matmul_768_ms': Clock(device).median(lambda: left @ right, max(repeats, 5)),
    }


def main(argv: Sequence[str] | None = None, prog: str | None = None) -> None:
    args = parse_args(argv, prog)
    if args.threads is not None:
        torch.set_num_threads(args.threads)
    with one_line_errors():
        device = torch.device(args.device)
        model = init_model(args.config, args.checkpoint, device, args.cfg_options)
        set_sampling(model, args.num_hypotheses, args.num_inference_steps)
        found = benchmark(model, args.batch_size, args.repeats, device)
    setup = {
        'config': args.config,
        'checkpoint': args.checkpoint,
        'cfg_options': args.cfg_options,
        'batch_size': args.batch_size,
        'num_hypotheses': model.test_cfg.num_hypotheses,
        'num_inference_steps': None if model.denoiser is None else model.inference_steps(),
        'num_frames': found.pop('num_frames'),
        'num_joints': found.pop('num_joints'),
        'repeats': args.repeats,
        **describe_machine(device, args.repeats),
    }
    print(json.dumps({**found, 'setup': setup}, indent=1))
