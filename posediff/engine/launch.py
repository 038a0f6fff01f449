"""From command line to MMEngine Runner, on one process or many, with CUDA or without."""

from __future__ import annotations

import argparse
import gc
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, cast

import torch
from mmengine.config import Config
from mmengine.dist import is_distributed
from mmengine.model import MMDistributedDataParallel, is_model_wrapper
from mmengine.registry import MODEL_WRAPPERS
from mmengine.runner import Runner

from posediff.engine.command_line import add_cfg_options, one_line_errors
from posediff.engine.config import load_config, require_parts
from posediff.engine.hooks import ReadyToTrainHook
from posediff.engine.rank_watch import RankWatch
from posediff.fileio.checkpoint import use_safe_loading
from posediff.plugins.entry_points import load_plugins

LAUNCHERS = ('none', 'pytorch', 'slurm')
SYNCHRONISED = ('SyncBN', 'SyncBatchNorm', 'MMSyncBN', 'NaiveSyncBatchNorm1d', 'NaiveSyncBatchNorm2d')

_watch: RankWatch | None = None


@MODEL_WRAPPERS.register_module()
class CPUDistributedDataParallel(MMDistributedDataParallel):
    """MMEngine's wrapper for processes without a device of their own (gloo)."""

    def __init__(self, module: torch.nn.Module, device_ids: Any = None, **kwargs: Any) -> None:
        super().__init__(
            module=module, **kwargs
        )  # DDP takes no device_ids for CPU modules; MMEngine always passes them


def add_common_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags that ``train.py`` and ``test.py`` share, named as in OpenMMLab's tools."""
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
    """Load plugins and config for a command line, and join the process group when there is one."""
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    load_plugins()
    use_safe_loading()
    cfg = load_config(args.config, args.cfg_options)
    require_parts(cfg, 'model')
    cfg.launcher = args.launcher
    if args.work_dir is not None:
        cfg.work_dir = args.work_dir
    elif cfg.get('work_dir') is None:
        cfg.work_dir = str(Path('work_dirs') / Path(args.config).stem)
    for name in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        if cfg.get(name) is not None:  # copies from pinned memory are asynchronous; without CUDA PyTorch would warn
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
    """Initialise torch.distributed: NCCL and one device per LOCAL_RANK with CUDA, gloo without.

    MMEngine's own start needs CUDA; a group that exists already is taken as it is. From now on the ranks watch each
    other (:class:`posediff.engine.rank_watch.RankWatch`).
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
    """Translate Slurm's variables of an ``srun`` task into torch.distributed's."""
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
    # One port per job, the same on all its tasks, so that jobs on a node do not meet.
    os.environ.setdefault('MASTER_PORT', str(20000 + int(os.environ.get('SLURM_JOB_ID', '0')) % 20000))


def check_synchronised_norms(cfg: Config) -> None:
    """Refuse what would fail in the first step: synchronised batch normalisation between processes without CUDA.

    Raises:
        ValueError: The config asks for it; the message says where.
    """
    if not is_distributed() or torch.cuda.is_available():
        return
    asked = [f'sync_bn={cfg.sync_bn!r}'] if cfg.get('sync_bn') else _synchronised(cfg.model, 'model')
    if asked:
        raise ValueError(
            f'{asked[0]} needs CUDA: SyncBatchNorm exchanges its statistics between GPUs alone; without one use '
            'BN, or one process'
        )


def _synchronised(part: Any, path: str) -> list[str]:
    """Where a config names a synchronised normalisation: ``model.backbone.norm_cfg.type='SyncBN'``."""
    if isinstance(part, dict):
        name = part.get('type')
        own = [f'{path}.type={name!r}'] if isinstance(name, str) and name.split('.')[-1] in SYNCHRONISED else []
        return own + [found for key, value in part.items() for found in _synchronised(value, f'{path}.{key}')]
    if isinstance(part, (list, tuple)):
        return [found for number, value in enumerate(part) for found in _synchronised(value, f'{path}.{number}')]
    return []


def train(cfg: Config) -> None:
    """Train as a prepared config says.

    Whatever fails before the first batch (a checkpoint that does not fit, an optimizer with an argument too many, a
    lifter without weights) ends as in :func:`one_line_errors`, what fails later with a traceback.
    """
    with one_line_errors():
        check_synchronised_norms(cfg)
        runner = Runner.from_cfg(cfg)
    watched = [hook for hook in runner.hooks if isinstance(hook, ReadyToTrainHook)]
    with one_line_errors(unless=lambda: any(hook.passed for hook in watched) or not watched):
        runner.train()


@contextmanager
def leaving_process_group() -> Iterator[None]:
    """Leave the group of :func:`join_process_group` in good order at the end, and at once when something fails.

    A rank that fails says so to the others and destroys its group; they end with an error within a minute.
    """
    try:
        yield
    except BaseException as error:
        if is_distributed():
            if _watch is not None:
                _watch.fail(f'{type(error).__name__}: {error}')
            with suppress(RuntimeError):  # what failed first is what counts
                torch.distributed.destroy_process_group()
        raise
    leave_process_group()


def leave_process_group() -> None:
    """End what :func:`join_process_group` began: a rank may abort at exit while another still talks to it.

    A distributed wrapper, which reference cycles keep, keeps the group's threads alive. Gloo's may hold a tensor until
    the interpreter ends, and then abort ("terminate called without an active exception"): so it is collected first.
    """
    if is_distributed():
        torch.distributed.barrier()
        if _watch is not None:
            _watch.close()
        gc.collect()
        torch.distributed.destroy_process_group()


def unwrap(model: torch.nn.Module) -> torch.nn.Module:
    """The model inside its distributed wrapper, if it has one."""
    return cast(torch.nn.Module, model.module) if is_model_wrapper(model) else model
