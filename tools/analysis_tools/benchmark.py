"""Time sampling with a config and print JSON.

``condition_ms`` and ``ms_per_denoiser_call`` are for the whole batch (B clips; B × M rows, unless the memory budget
splits them); ``clips_per_s`` is for condition and sampling together. ``peak_memory_mb`` is the device's on CUDA and
the process's resident memory on the CPU. ``matmul_768_ms``, a 768×768×768 float32 product, tells how fast the machine
is.
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

from posediff.command_line import one_line_errors, positive
from posediff.evaluation.loop import set_sampling
from posediff.inference import init_model
from posediff.lifting import window_length
from posediff.models.estimator import PoseDiffusionEstimator


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config')
    parser.add_argument('--checkpoint', help='random weights without one; they take the same time')
    parser.add_argument('--batch-size', type=positive, default=8, help='clips')
    parser.add_argument('--num-hypotheses', type=positive, help="default: the config's")
    parser.add_argument('--num-inference-steps', type=positive, help="default: the config's")
    parser.add_argument(
        '--repeats', type=positive, default=3, help='timed runs, after one that is not; the median counts'
    )
    parser.add_argument('--threads', type=positive, help="CPU threads; default: torch's")
    parser.add_argument('--device', default='cpu')
    return parser.parse_args(argv)


class Clock:
    """Wall time in ms, with the device's work done."""

    def __init__(self, device: torch.device) -> None:
        self.device = device

    def now(self) -> float:
        if self.device.type == 'cuda':
            torch.cuda.synchronize(self.device)
        return 1000 * time.perf_counter()

    def median(self, work: Callable[[], Any], repeats: int) -> float:
        """Of ``repeats`` runs after one that is not timed."""
        work()
        times = []
        for _ in range(repeats):
            start = self.now()
            work()
            times.append(self.now() - start)
        return statistics.median(times)


class CallTimer:
    """Times every call of a module."""

    def __init__(self, module: torch.nn.Module, clock: Clock) -> None:
        self.times: list[float] = []
        self._clock = clock
        module.register_forward_pre_hook(lambda *_: self._start())
        module.register_forward_hook(lambda *_: self._stop())

    def _start(self) -> None:
        self._began = self._clock.now()

    def _stop(self) -> None:
        self.times.append(self._clock.now() - self._began)


def benchmark(model: PoseDiffusionEstimator, batch_size: int, repeats: int, device: torch.device) -> dict[str, Any]:
    """Times of one setting, see the module's text.

    Raises:
        ValueError: The model takes images.
    """
    if model.backbone is not None:
        raise ValueError('this model takes images; only lifting from keypoints can be timed')
    clock = Clock(device)
    num_hypotheses = model.test_cfg.num_hypotheses
    num_joints, num_frames = model.head.skeleton.num_joints, window_length(model)
    keypoints = torch.randn(batch_size, num_frames, num_joints, 2, generator=torch.Generator().manual_seed(0)).to(
        device
    )

    def condition() -> torch.Tensor:
        return model.conditioner(model.extract_features(keypoints))

    with torch.no_grad():
        condition_ms = clock.median(condition, repeats)
        prepared = condition()
        if device.type == 'cuda':
            torch.cuda.reset_peak_memory_stats(device)
        sampling_ms = clock.median(lambda: model.sample(prepared, num_hypotheses), repeats)
        calls = None
        if model.denoiser is not None:
            calls = CallTimer(model.denoiser, clock)
            model.sample(prepared, num_hypotheses)
    return {
        'clips_per_s': batch_size / (condition_ms + sampling_ms) * 1000,
        'ms_per_denoiser_call': statistics.median(calls.times) if calls else None,
        'denoiser_calls': len(calls.times) if calls else 0,
        'condition_ms': condition_ms,
        'sampling_ms': sampling_ms,
        'peak_memory_mb': peak_memory_mb(device),
        'num_frames': num_frames,
        'num_joints': num_joints,
    }


def peak_memory_mb(device: torch.device) -> float:
    if device.type == 'cuda':
        return torch.cuda.max_memory_allocated(device) / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10


def cpu_name() -> str:
    try:
        lines = Path('/proc/cpuinfo').read_text().splitlines()
    except OSError:
        return platform.machine()
    return next((line.split(':', 1)[1].strip() for line in lines if line.startswith('model name')), platform.machine())


def describe_machine(device: torch.device, repeats: int) -> dict[str, Any]:
    left, right = (torch.randn(768, 768, device=device) for _ in range(2))
    name = torch.cuda.get_device_name(device) if device.type == 'cuda' else cpu_name()
    return {
        'device': str(device),
        'device_name': name,
        'threads': torch.get_num_threads(),
        'torch': torch.__version__,
        'matmul_768_ms': Clock(device).median(lambda: left @ right, max(repeats, 5)),
    }


def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(argv)
    if args.threads is not None:
        torch.set_num_threads(args.threads)
    with one_line_errors():
        device = torch.device(args.device)
        model = init_model(args.config, args.checkpoint, device)
        set_sampling(model, args.num_hypotheses, args.num_inference_steps)
        found = benchmark(model, args.batch_size, args.repeats, device)
    setup = {
        'config': args.config,
        'checkpoint': args.checkpoint,
        'batch_size': args.batch_size,
        'num_hypotheses': model.test_cfg.num_hypotheses,
        'num_inference_steps': None if model.denoiser is None else model.inference_steps(),
        'num_frames': found.pop('num_frames'),
        'num_joints': found.pop('num_joints'),
        'repeats': args.repeats,
        **describe_machine(device, args.repeats),
    }
    print(json.dumps({**found, 'setup': setup}, indent=1))


if __name__ == '__main__':
    main()
