"""If a rank fails or is killed, the other ranks end within a minute and report the reason."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import pytest
import torch
from mmengine.config import Config

from posediff.engine.launch import check_synchronised_norms, train

CONFIG = """
_base_ = '{repository}/configs/lifting_3d/diffhpe/diffhpe-2d_27f_cmu.py'

custom_imports = dict(imports=['failing_hook'], allow_failed_imports=False)
custom_hooks = [*_base_.custom_hooks, dict(type='FailingHook', how='{how}')]
num_frames = 9
num_workers = 0
model = dict(denoiser=dict(channels=8, num_layers=1, step_channels=8))
train_dataloader = dict(batch_size=4, dataset=dict(data_root='{data}'))
val_dataloader = dict(dataset=dict(data_root='{data}'))
train_cfg = dict(max_epochs=30, val_interval=30)
"""

HOOK = """
import os, signal
from mmengine.dist import get_rank
from mmengine.hooks import Hook
from posediff.registry import HOOKS

@HOOKS.register_module()
class FailingHook(Hook):
    def __init__(self, how):
        self.how = how

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        if runner.iter == 3 and get_rank() == 1:
            if self.how == 'killed':
                os.kill(os.getpid(), signal.SIGKILL)
            raise ArithmeticError('something is wrong on this rank alone')
"""

# A rank that waits for an NCCL kernel does not notice failures of others; neither does a rank outside collectives.
DEAF = """
import os, signal, sys, time
from posediff.engine import launch, rank_watch

class Impatient(rank_watch.RankWatch):
    def __init__(self, *args):
        super().__init__(*args, interval=0.2, silence=4.0, grace=0.2)

launch.RankWatch = Impatient
with launch.leaving_process_group():
    launch.join_process_group('pytorch')
    import torch
    torch.distributed.barrier()
    if os.environ['RANK'] == sys.argv[2]:
        if sys.argv[1] == 'killed':
            time.sleep(1)
            os.kill(os.getpid(), signal.SIGKILL)
        if sys.argv[1] == 'raises':
            raise ArithmeticError('something is wrong on this rank alone')
    if sys.argv[1] != 'fine':
        time.sleep(300)
"""


@pytest.fixture
def group(free_port: str) -> dict[str, str]:
    """Environment variables of a group of two ranks."""
    return {'WORLD_SIZE': '2', 'MASTER_ADDR': '127.0.0.1', 'MASTER_PORT': free_port, 'CUDA_VISIBLE_DEVICES': ''}


@pytest.fixture
def two_ranks(group: dict[str, str]) -> Callable[..., tuple[list[subprocess.CompletedProcess[str]], float]]:
    """Start a command on two ranks without a launcher, as Slurm does; return the seconds until both ended."""

    def run(*command: object, **variables: str) -> tuple[list[subprocess.CompletedProcess[str]], float]:
        started = time.monotonic()
        processes = [
            subprocess.Popen(
                [sys.executable, *map(str, command)],
                env={**os.environ, **group, **variables, 'OMP_NUM_THREADS': '1', 'RANK': rank, 'LOCAL_RANK': rank},
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            for rank in ('0', '1')
        ]
        ended = []
        try:
            for process in processes:
                output, errors = process.communicate(timeout=180)
                ended.append(subprocess.CompletedProcess(process.args, process.returncode, output, errors))
        finally:
            for process in processes:
                process.kill()
        return ended, time.monotonic() - started

    return run


@pytest.fixture
def two_forked_ranks(fork_python, group: dict[str, str]):
    """Start a file on two ranks that are forked; seconds until both have ended."""

    def run(*command: object) -> tuple[list[subprocess.CompletedProcess[str]], float]:
        started = time.monotonic()
        processes = [fork_python(*command, **group, RANK=rank, LOCAL_RANK=rank) for rank in ('0', '1')]
        try:
            ended = [process.wait(timeout=180) for process in processes]
        finally:
            for process in processes:
                process.kill()
        return ended, time.monotonic() - started

    return run


@pytest.mark.parametrize('how', ['raises', pytest.param('killed', marks=pytest.mark.slow)])
def test_training_ends_on_both_ranks_when_one_fails(tmp_path, repository, mocap_folder, two_ranks, how):
    (tmp_path / 'failing_hook.py').write_text(HOOK)
    config = tmp_path / 'config.py'
    config.write_text(CONFIG.format(repository=repository, data=mocap_folder, how=how))
    path = os.pathsep.join([str(tmp_path), os.environ.get('PYTHONPATH', '')])
    train = repository / 'tools/train.py'
    (one, other), seconds = two_ranks(train, config, '--launcher', 'pytorch', '--work-dir', tmp_path, PYTHONPATH=path)
    assert one.returncode not in (0, None), one.stderr[-2000:]
    assert other.returncode == (-9 if how == 'killed' else 1), other.stderr[-2000:]
    if how == 'raises':
        assert 'ArithmeticError: something is wrong on this rank alone' in other.stderr
    assert seconds < 100  # includes the start, on a busy machine


@pytest.mark.parametrize(
    ('how', 'rank'),
    [
        ('killed', 1),
        *(pytest.param(*case, marks=pytest.mark.slow) for case in [('raises', 0), ('raises', 1), ('killed', 0)]),
    ],
)
def test_a_rank_in_no_collective_ends_too(tmp_path, two_forked_ranks, how, rank):
    (tmp_path / 'deaf.py').write_text(DEAF)
    ended, seconds = two_forked_ranks(tmp_path / 'deaf.py', how, rank)
    other = ended[1 - rank]
    assert other.returncode == 1
    assert f'error: rank {1 - rank} ends: ' in other.stderr
    if how == 'raises' and rank == 1:  # the other rank hosts the store
        assert 'rank 1 failed: ArithmeticError: something is wrong on this rank alone' in other.stderr
    assert seconds < 60


@pytest.mark.slow
def test_ranks_that_end_in_good_order_say_nothing(tmp_path, two_ranks):
    (tmp_path / 'deaf.py').write_text(DEAF)
    ended, _ = two_ranks(tmp_path / 'deaf.py', 'fine', '0')
    assert [one.returncode for one in ended] == [0, 0]
    assert not any('ends' in one.stderr for one in ended)


@pytest.fixture
def one_rank() -> Iterator[None]:
    """Create a process group of this process only."""
    torch.distributed.init_process_group('gloo', store=torch.distributed.HashStore(), rank=0, world_size=1)
    yield
    torch.distributed.destroy_process_group()


@pytest.mark.skipif(torch.cuda.is_available(), reason='SyncBN is refused only where there is no CUDA')
@pytest.mark.parametrize(
    ('options', 'said'),
    [
        ({'sync_bn': 'torch'}, "error: sync_bn='torch' needs CUDA"),
        (
            {'model': {'backbone': {'norm_cfg': {'type': 'SyncBN'}}}},
            "error: model.backbone.norm_cfg.type='SyncBN' needs",
        ),
        ({'model': {'necks': [{'norm': {'type': 'mmcv.SyncBatchNorm'}}]}}, 'error: model.necks.0.norm.type='),
    ],
)
def test_synchronised_normalisation_without_cuda_is_refused_in_one_line(one_rank, capsys, options, said):
    with pytest.raises(SystemExit) as ended:
        train(Config({'model': {}, **options}))
    assert ended.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(said)
    check_synchronised_norms(Config({'model': {'norm_cfg': {'type': 'BN'}}, 'sync_bn': None}))


def test_one_process_reverts_synchronised_normalisation_and_is_not_refused():
    check_synchronised_norms(Config({'model': {}, 'sync_bn': 'torch'}))
