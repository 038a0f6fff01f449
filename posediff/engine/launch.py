"""Start MMEngine's Runner from the command line, in one or several processes, with or without CUDA."""

from __future__ import annotations

import argparse
import gc
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.dist import is_distributed
from mmengine.model import MMDistributedDataParallel
from mmengine.registry import MODEL_WRAPPERS
from mmengine.runner import Runner

from posediff.engine.command_line import add_cfg_options, one_line_errors
from posediff.engine.config import load_config, require_parts
from posediff.engine.hooks import ReadyToTrainHook
from posediff.engine.rank_watch import RankWatch
from posediff.plugins.entry_points import load_plugins

LAUNCHERS = ('none', 'pytorch', 'slurm')
SYNCHRONISED = ('SyncBN', 'SyncBatchNorm', 'MMSyncBN', 'NaiveSyncBatchNorm1d', 'NaiveSyncBatchNorm2d')

_watch: RankWatch | None = None


@MODEL_WRAPPERS.register_module()
class CPUDistributedDataParallel(MMDistributedDataParallel):
    """MMEngine's distributed wrapper for processes without CUDA devices (gloo)."""

    def __init__(self, module: torch.nn.Module, device_ids: Any = None, **kwargs: Any) -> None:
        # device_ids, which MMEngine always passes, are dropped: DDP accepts none for modules on the CPU
        super().__init__(module=module, **kwargs)


def add_common_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that ``train`` and ``test`` share, named as in OpenMMLab's tools."""
    parser.add_argument('config', help='config file, or name of a packaged config')
    parser.add_argument('--work-dir', help='folder for logs and checkpoints; default: work_dirs/<config name>')
    add_cfg_options(parser)
    parser.add_argument(
        '--launcher',
        choices=LAUNCHERS,
        default='none',
        help='launcher that started the processes; default: %(default)s',
    )
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0, help='set by some launchers')


def prepare(args: argparse.Namespace) -> Config:
    """Load plugins and the config that the arguments name, and join the process group if there is one.

    Returns:
        The config, with the arguments applied.
    """
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    load_plugins()
    cfg = load_config(args.config, args.cfg_options)
    require_parts(cfg, 'model')
    cfg.launcher = args.launcher
    if args.work_dir is not None:
        cfg.work_dir = args.work_dir
    elif cfg.get('work_dir') is None:
        cfg.work_dir = str(Path('work_dirs') / Path(args.config).stem)
    for name in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        if cfg.get(name) is not None:  # makes copies to the device asynchronous; PyTorch warns without CUDA
            cfg[name].pin_memory = cfg[name].get('pin_memory', True) and torch.cuda.is_available()
    if args.launcher != 'none':
        join_process_group(args.launcher)
        if not torch.cuda.is_available():
            cfg.model_wrapper_cfg = {
                'type': 'CPUDistributedDataParallel',
                'broadcast_buffers': False,
                'find_unused_parameters': cfg.get('find_unused_parameters', False),
            }
    return cfg


def join_process_group(launcher: str) -> None:
    """Initialise torch.distributed: with CUDA, NCCL and the device of LOCAL_RANK; without, gloo.

    Used instead of MMEngine's ``init_dist``, which needs CUDA. An existing group is kept. The ranks monitor each other
    from here on (:class:`posediff.engine.rank_watch.RankWatch`).

    Raises:
        RuntimeError: A variable is missing in the environment, or LOCAL_RANK has no CUDA device.
    """
    global _watch
    if is_distributed():
        return
    if launcher == 'slurm':
        _read_slurm_environment()
    missing = [
        name for name in ('RANK', 'WORLD_SIZE', 'LOCAL_RANK', 'MASTER_ADDR', 'MASTER_PORT') if name not in os.environ
    ]
    if missing:
        raise RuntimeError(
            f'--launcher {launcher} needs {", ".join(missing)} in the environment: start with posediff dist-train'
        )
    if torch.cuda.is_available():
        local_rank, devices = int(os.environ['LOCAL_RANK']), torch.cuda.device_count()
        if local_rank >= devices:
            raise RuntimeError(f'LOCAL_RANK {local_rank} has no CUDA device: this machine has {devices}')
        torch.cuda.set_device(local_rank)
        torch.distributed.init_process_group('nccl', device_id=torch.device('cuda', local_rank))
    else:
        torch.distributed.init_process_group('gloo')
    _watch = RankWatch.of_default_group()


def _read_slurm_environment() -> None:
    """Set the environment variables of torch.distributed from those of an ``srun`` task."""
    try:
        os.environ['RANK'] = os.environ['SLURM_PROCID']
        os.environ['WORLD_SIZE'] = os.environ['SLURM_NTASKS']
        os.environ['LOCAL_RANK'] = os.environ['SLURM_LOCALID']
        nodes = os.environ['SLURM_NODELIST']
    except KeyError as error:
        raise RuntimeError(
            f'--launcher slurm needs {error.args[0]}: start with tools/slurm_train.sh, inside srun'
        ) from None
    if 'MASTER_ADDR' not in os.environ:
        found = subprocess.run(['scontrol', 'show', 'hostnames', nodes], capture_output=True, text=True, check=True)
        os.environ['MASTER_ADDR'] = found.stdout.split()[0]
    # the port depends on the job, so that jobs on one node use different ports
    os.environ.setdefault('MASTER_PORT', str(20000 + int(os.environ.get('SLURM_JOB_ID', '0')) % 20000))


def check_synchronised_norms(cfg: Config) -> None:
    """Check that no synchronised batch normalisation is used in several processes without CUDA.

    Raises:
        ValueError: The config uses it; the message names the key. Training would fail in the first step.
    """
    if not is_distributed() or torch.cuda.is_available():
        return
    asked = [f'sync_bn={cfg.sync_bn!r}'] if cfg.get('sync_bn') else _synchronised(cfg.model, 'model')
    if asked:
        raise ValueError(
            f'{asked[0]} needs CUDA: SyncBatchNorm synchronises statistics between GPUs only; without GPUs, use BN '
            'or one process'
        )


def _synchronised(part: Any, path: str) -> list[str]:
    """Find synchronised normalisations in a config, e.g. ``model.backbone.norm_cfg.type='SyncBN'``."""
    if isinstance(part, dict):
        name = part.get('type')
        own = [f'{path}.type={name!r}'] if isinstance(name, str) and name.split('.')[-1] in SYNCHRONISED else []
        return own + [found for key, value in part.items() for found in _synchronised(value, f'{path}.{key}')]
    if isinstance(part, (list, tuple)):
        return [found for number, value in enumerate(part) for found in _synchronised(value, f'{path}.{number}')]
    return []


def train(cfg: Config) -> None:
    """Train with a config of :func:`prepare`.

    Errors before the first batch (a checkpoint that does not fit, an unknown argument of the optimizer, a lifter
    without weights) are reported in one line by :func:`one_line_errors`; later errors raise with a traceback.
    """
    with one_line_errors():
        check_synchronised_norms(cfg)
        runner = Runner.from_cfg(cfg)
    watched = [hook for hook in runner.hooks if isinstance(hook, ReadyToTrainHook)]
    with one_line_errors(unless=lambda: any(hook.passed for hook in watched) or not watched):
        runner.train()


@contextmanager
def leaving_process_group() -> Iterator[None]:
    """Leave the group of :func:`join_process_group` at the end of the block.

    If the block raises, this rank notifies the others and destroys its group at once; the others end with an error
    within a minute.
    """
    try:
        yield
    except BaseException as error:
        if is_distributed():
            if _watch is not None:
                _watch.fail(f'{type(error).__name__}: {error}')
            with suppress(RuntimeError):  # the first error is the one to report
                torch.distributed.destroy_process_group()
        raise
    leave_process_group()


def leave_process_group() -> None:
    """Wait for all ranks and destroy the group of :func:`join_process_group`.

    Without the barrier, a rank could abort at exit while another still communicates with it. The distributed wrapper
    is part of reference cycles and keeps the group's threads alive; gloo's threads may hold a tensor until the
    interpreter ends and then abort ("terminate called without an active exception"). Hence the garbage collection.
    """
    if is_distributed():
        torch.distributed.barrier()
        if _watch is not None:
            _watch.close()
        gc.collect()
        torch.distributed.destroy_process_group()
