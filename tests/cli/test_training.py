"""Training and evaluation commands: with one process and two, interrupted and resumed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

import posediff
from posediff.fileio.checkpoint import load_checkpoint

COMMON = """
custom_hooks = [*_base_.custom_hooks, dict(type='EMAHook', momentum=0.1, priority=49)]
default_hooks = dict(checkpoint=dict(max_keep_ckpts=-1, save_best=None), logger=dict(interval=1))
train_cfg = dict(max_epochs=3, val_interval=1)
param_scheduler = [dict(type='CosineAnnealingLR', by_epoch=True, begin=0, end=3, convert_to_iter_based=True)]
"""

TINY = {
    'lifting': """
_base_ = '{repository}/configs/lifting_3d/diffhpe/diffhpe-2d_27f_cmu.py'

num_frames = 9
num_workers = 0
model = dict(
    denoiser=dict(channels=8, num_layers=2, step_channels=8, dropout=0.1),
    sampler=dict(_delete_=True, type='DDIMSampler'),
    test_cfg=dict(num_hypotheses=2, num_inference_steps=2),
)
train_dataloader = dict(batch_size=8, dataset=dict(data_root='{data}'))
val_dataloader = dict(batch_size=4, dataset=dict(data_root='{data}', max_items=None))
test_dataloader = dict(batch_size=4, dataset=dict(data_root='{data}', max_items=39))  # odd
""",
    'video': """
_base_ = '{repository}/configs/video_2d_heatmap/diffpose/diffpose_vit-t_synthetic-128x96.py'

model = dict(
    backbone=dict(checkpoint=None, model_kwargs=dict(embed_dim=12, depth=1, num_heads=2)),
    conditioner=dict(in_channels=12, depth=1, channels=16),
    denoiser=dict(channels=(16, 8, 8), condition_channels=16, out_channels=8),
    test_cfg=dict(num_hypotheses=2, num_inference_steps=1),
)
train_dataloader = dict(batch_size=2, dataset=dict(source=dict(data_root='{data}'), items_per_epoch=7))
val_dataloader = dict(batch_size=2, dataset=dict(source=dict(data_root='{data}')))
test_dataloader = dict(batch_size=2, dataset=dict(source=dict(data_root='{data}'), max_items=5))  # odd
val_evaluator = test_evaluator = dict(gt_folder='{data}/annotations/val')
""",
}
METRIC = {'lifting': 'lifting/p_best_oracle', 'video': 'posetrack/AP'}


@pytest.fixture(scope='module')
def configs(tmp_path_factory, repository: Path, mocap_folder: Path, video_folder: Path) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp('config')
    data = {'lifting': mocap_folder, 'video': video_folder}
    for task, text in TINY.items():
        (folder / f'{task}.py').write_text(text.format(repository=repository, data=data[task]) + COMMON)
    return {task: folder / f'{task}.py' for task in TINY}


@pytest.fixture(scope='module')
def config(configs) -> Path:
    """Config that needs neither images nor MMPose, for tests that do not depend on the task."""
    return configs['lifting']


@pytest.fixture(scope='module', params=list(TINY))
def task(request) -> str:
    return request.param


def run(*command: object, **extra: str) -> subprocess.CompletedProcess[str]:
    words = [str(word) for word in command]
    environment = {**os.environ, 'OMP_NUM_THREADS': '1', 'PYTHON': sys.executable, **extra}
    return subprocess.run(words, capture_output=True, text=True, timeout=240, env=environment, check=False)


@pytest.fixture(scope='module')
def run_tool(fork_python, repository: Path):
    """Run a file of ``tools`` in a process that is forked."""
    return lambda name, *words: fork_python(repository / 'tools' / name, *words).wait()


def check(result: subprocess.CompletedProcess[str]) -> str:
    assert result.returncode == 0, result.stdout[-3000:] + result.stderr[-3000:]
    return result.stdout + result.stderr


@pytest.fixture
def run_ranks(fork_python, repository: Path, free_port: str):
    """Run a file of ``tools`` on two ranks, as its launcher does."""

    def run(name: str, *words: object) -> list[subprocess.CompletedProcess[str]]:
        group = {'WORLD_SIZE': '2', 'MASTER_ADDR': '127.0.0.1', 'MASTER_PORT': free_port}
        words = (repository / 'tools' / name, *words, '--launcher', 'pytorch')
        ranks = [fork_python(*words, **group, RANK=rank, LOCAL_RANK=rank) for rank in ('0', '1')]
        return [rank.wait() for rank in ranks]

    return run


def differences(one: object, other: object, path: str = '') -> list[str]:
    """Return where two nested structures of tensors and plain values differ; tensors are compared bitwise."""
    if isinstance(one, dict):
        assert isinstance(other, dict)
        keys = {*one, *other}
        return [line for key in keys for line in differences(one.get(key), other.get(key), f'{path}/{key}')]
    if isinstance(one, (list, tuple)):
        assert isinstance(other, (list, tuple))
        assert len(one) == len(other)
        return [
            line
            for number, pair in enumerate(zip(one, other, strict=True))
            for line in differences(*pair, f'{path}/{number}')
        ]
    same = torch.equal(one, other) if isinstance(one, torch.Tensor) else one == other
    return [] if same else [path]


def same_run(one: Path, other: Path) -> None:
    """Check that weights, averaged weights, optimizer, schedule and generators of two checkpoints are bitwise equal."""
    first, second = (load_checkpoint(folder / 'epoch_3.pth') for folder in (one, other))
    for part in ('state_dict', 'ema_state_dict', 'optimizer', 'param_schedulers', 'random_states'):
        assert part in first
        assert not differences(first[part], second[part], part)


@pytest.fixture(scope='module')
def trained(tmp_path_factory, repository: Path, run_tool, configs: dict[str, Path], task: str) -> Path:
    """Folder of a run in a process that was started anew, for one task, and in a forked one for the other."""
    folder = tmp_path_factory.mktemp('uninterrupted')
    words = [configs[task], '--work-dir', folder]
    if task == 'lifting':
        output = check(run(sys.executable, repository / 'tools/train.py', *words))
    else:
        output = check(run_tool('train.py', *words))
    assert f'{METRIC[task]}:' in output
    return folder


def test_a_killed_and_resumed_run_ends_with_the_weights_of_the_uninterrupted_one(
    tmp_path, repository, fork_python, run_tool, configs, task, trained
):
    words = [configs[task], '--work-dir', tmp_path]
    process = fork_python(repository / 'tools/train.py', *words)
    deadline = time.monotonic() + 120
    while not (tmp_path / 'last_checkpoint').exists():  # written after the checkpoint itself
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.02)
    process.kill()
    assert process.wait().returncode == -9
    assert not (tmp_path / 'epoch_3.pth').exists()
    assert 'resumed epoch' in check(run_tool('train.py', *words, '--resume'))
    same_run(trained, tmp_path)


def test_consistency_training_resumes_with_its_target_and_its_checkpoints_fit_the_estimator(
    tmp_path, repository, mocap_folder, run_tool
):
    config, hook = tmp_path / 'consistency.py', "dict(type='ConsistencyHook', intervals=(2, 8), momentum=0.9)"
    text = TINY['lifting'].format(repository=repository, data=mocap_folder) + COMMON
    config.write_text(text + f'custom_hooks = [*custom_hooks, {hook}]\n')
    words = ['--cfg-options', 'train_cfg.val_interval=9']
    check(run_tool('train.py', config, '--work-dir', tmp_path / 'whole', *words))
    begin = tmp_path / 'whole' / 'epoch_1.pth'
    check(run_tool('train.py', config, '--work-dir', tmp_path / 'resumed', '--resume', begin, *words))
    same_run(tmp_path / 'whole', tmp_path / 'resumed')
    first, *last = (load_checkpoint(path / f'epoch_{epoch}.pth')['consistency_target'] for path, epoch in (
        (tmp_path / 'whole', 1), (tmp_path / 'whole', 3), (tmp_path / 'resumed', 3)))  # fmt: skip
    assert not differences(*last)
    assert differences(first, last[0])
    model = posediff.init_model(config, begin)
    assert set(first) == set(model.denoiser.state_dict())
    assert model.consistency is None
    begin.rename(tmp_path / 'without.pth')
    state = load_checkpoint(tmp_path / 'without.pth')
    del state['consistency_target']
    torch.save(state, begin)
    refused = run_tool('train.py', config, '--work-dir', tmp_path / 'refused', '--resume', begin, *words)
    assert refused.returncode == 2
    assert 'the checkpoint to resume from has no consistency_target' in refused.stderr


def test_resume_with_nothing_to_go_on_from_keeps_load_from(tmp_path, configs, cli):
    tool = cli('train')
    command = [str(configs['lifting']), '--work-dir', str(tmp_path), '--resume', '--cfg-options', 'load_from=begin.pth']
    args = tool.parse_args(command)
    cfg = tool.prepare(args)
    tool.apply_arguments(cfg, args)
    assert (cfg.resume, cfg.load_from) == (False, 'begin.pth')
    (tmp_path / 'last_checkpoint').write_text(str(tmp_path / 'epoch_1.pth'))
    tool.apply_arguments(cfg, args)
    assert (cfg.resume, cfg.load_from) == (True, None)


def test_two_ranks_see_every_item_once_and_agree_with_one_process(
    tmp_path, repository, run_tool, run_ranks, free_port, configs, task, trained
):
    """One task goes through the launcher of the shell, the other straight to its ranks."""
    config, checkpoint = configs[task], trained / 'epoch_3.pth'
    one, two = tmp_path / 'one.json', tmp_path / 'two.json'
    work_dir = ['--work-dir', tmp_path]
    check(run_tool('test.py', config, checkpoint, *work_dir, '--out', one))
    if task == 'lifting':
        script = repository / 'tools/dist_test.sh'
        check(run(script, config, checkpoint, 2, *work_dir, '--out', two, PORT=free_port))
    else:
        for rank in run_ranks('test.py', config, checkpoint, *work_dir, '--out', two):
            check(rank)
    single, double = json.loads(one.read_text()), json.loads(two.read_text())
    assert set(single) == set(double)
    assert METRIC[task] in single
    for name, value in single.items():
        assert double[name] == pytest.approx(value, rel=1e-5, abs=1e-9, nan_ok=True), name


def test_the_checkpoint_is_tested_not_what_training_began_with(tmp_path, repository, run_tool, config):
    torch.save({'state_dict': posediff.init_model(config).state_dict()}, tmp_path / 'named.pth')
    found = []
    for number, options in enumerate([[], ['--cfg-options', 'load_from=nowhere.pth', 'resume=True']]):
        out = tmp_path / f'{number}.json'
        words = [config, tmp_path / 'named.pth', '--work-dir', tmp_path, '--out', out, *options]
        result = run_tool('test.py', *words) if options else run(sys.executable, repository / 'tools/test.py', *words)
        check(result)
        found.append(json.loads(out.read_text()))
    assert found[0] == found[1]


def test_two_ranks_train_and_resume_to_the_same_weights(tmp_path, repository, run_ranks, free_port, config):
    whole, parts = tmp_path / 'whole', tmp_path / 'parts'
    check(run(repository / 'tools/dist_train.sh', config, 2, '--work-dir', whole, PORT=free_port))
    stopped = ['--cfg-options', 'train_cfg.max_epochs=2']
    for options in (stopped, ['--resume']):
        for rank in run_ranks('train.py', config, '--work-dir', parts, *options):
            check(rank)
    same_run(whole, parts)


def test_two_ranks_train_a_model_of_video_without_unused_parameters(tmp_path, run_ranks, configs):
    """Every parameter gets a gradient in every step, so find_unused_parameters=False works."""
    options = ['--cfg-options', 'train_cfg.max_epochs=1', 'train_cfg.val_interval=5', 'find_unused_parameters=False']
    for rank in run_ranks('train.py', configs['video'], '--work-dir', tmp_path, *options):
        check(rank)
    assert (tmp_path / 'epoch_1.pth').exists()


def test_measures_of_mmpose_go_beside_ours(tmp_path, run_tool, configs, video_folder):
    pytest.importorskip('mmpose')
    config = tmp_path / 'measures.py'
    config.write_text(f"""
_base_ = '{configs['video']}'

test_dataloader = dict(dataset=dict(max_items=None))
test_evaluator = [
    dict(type='PoseTrackAP', gt_folder='{video_folder}/annotations/val'),
    dict(type='mmpose.PCKAccuracy', thr=0.2, norm_item=['bbox', 'torso']),
    dict(type='mmpose.CocoMetric', ann_file='{video_folder}/annotations/posetrack18_val.json', use_area=False),
]
""")
    weights = tmp_path / 'random.pth'
    torch.save({'state_dict': posediff.init_model(configs['video']).state_dict()}, weights)
    out = tmp_path / 'out.json'
    check(run_tool('test.py', config, weights, '--work-dir', tmp_path, '--out', out))
    found = json.loads(out.read_text())
    assert {'posetrack/AP', 'PCK', 'tPCK', 'coco/AP', 'coco/AR'} <= set(found)
    assert 0 <= found['PCK'] <= 1


LEAVING = """
import glob, os
import torch
from posediff.engine.launch import CPUDistributedDataParallel, join_process_group, leave_process_group

join_process_group('pytorch')
wrapped = CPUDistributedDataParallel(torch.nn.Linear(2, 2))
wrapped(torch.zeros(1, 2)).sum().backward()
wrapped.itself = [wrapped]  # a cycle, as the Runner has
del wrapped
leave_process_group()
names = [open(path).read() for path in glob.glob('/proc/self/task/*/comm')]
assert not any('gloo' in name for name in names), names
"""


@pytest.mark.skipif(not Path('/proc/self/task').exists(), reason='needs Linux to see threads')
def test_no_thread_of_the_group_is_left_to_abort_the_process_at_its_end(free_port):
    variables = {'RANK': '0', 'WORLD_SIZE': '1', 'LOCAL_RANK': '0', 'MASTER_ADDR': '127.0.0.1'}
    check(run(sys.executable, '-c', LEAVING, **variables, MASTER_PORT=free_port, CUDA_VISIBLE_DEVICES=''))


def test_training_refuses_a_random_frozen_lifter(tmp_path, repository, run_tool, mocap_folder):
    config = repository / 'configs/lifting_3d/diffhpe/diffhpe-wrapper-c32-l8_27f_cmu.py'
    options = [f'train_dataloader.dataset.data_root={mocap_folder}', f'val_dataloader.dataset.data_root={mocap_folder}']
    options.append('model.conditioner.checkpoint=none.pth')
    result = run_tool('train.py', config, '--work-dir', tmp_path, '--cfg-options', *options)
    assert result.returncode == 2
    assert 'Traceback' not in result.stderr
    assert 'training was not started: the frozen lifter has random weights: none.pth' in result.stderr
    assert not list(tmp_path.glob('*.pth'))


@pytest.mark.parametrize(
    ('arguments', 'said'),
    [
        (['none.py'], 'config none.py does not exist'),
        (['{config}', '--cfg-options', 'optim_wraper.optimizer.lr=1'], "no key 'optim_wraper'"),
        (['{config}', '--cfg-options', 'train_dataloader.dataset.data_root=nowhere'], 'nowhere: no such folder'),
        (['{config}', '--cfg-options', 'optim_wrapper.optimizer.momentun=1'], 'momentun'),
        (['{config}', '--resume', 'nowhere.pth'], 'checkpoint nowhere.pth does not exist'),
        (['{config}', '--cfg-options', 'load_from={folder}/code.pth'], 'code.pth refers to'),
        (['{config}', '--cfg-options', 'load_from={folder}/foreign.pth'], 'foreign.pth does not fit the model'),
        (['{config}', '--resume', '{folder}/foreign.pth'], 'foreign.pth does not fit the model'),
        pytest.param(
            ['{config}', '--amp', 'float16'],
            '--amp float16 needs CUDA',
            marks=pytest.mark.skipif(
                torch.cuda.is_available(), reason='float16 is refused only where there is no CUDA'
            ),
        ),
    ],
)
def test_bad_command_lines_end_in_one_line(tmp_path, run_tool, config, arguments, said):
    torch.save({'state_dict': {'weight': os.system}}, tmp_path / 'code.pth')
    torch.save({'state_dict': {'weight': torch.zeros(2)}}, tmp_path / 'foreign.pth')
    arguments = [argument.format(config=config, folder=tmp_path) for argument in arguments]
    result = run_tool('train.py', *arguments, '--work-dir', tmp_path / 'work')
    assert result.returncode == 2
    assert said in result.stderr
    assert 'Traceback' not in result.stderr


def test_bfloat16_trains_on_any_device(tmp_path, run_tool, config):
    options = ['--cfg-options', 'train_cfg.max_epochs=1', 'train_cfg.val_interval=5', '--amp', 'bfloat16']
    output = check(run_tool('train.py', config, '--work-dir', tmp_path, *options))
    assert "type='BFloat16OptimWrapper'" in output
    state = load_checkpoint(tmp_path / 'epoch_1.pth')['state_dict']
    assert all(bool(torch.isfinite(value).all()) for value in state.values())
    assert state['denoiser.output_projection.weight'].dtype == torch.float32


@pytest.mark.gpu
def test_one_rank_trains_on_nccl(tmp_path, repository, free_port, config):
    if not torch.cuda.is_available():
        pytest.skip('NCCL needs a CUDA device')
    output = check(run(repository / 'tools/dist_train.sh', config, 1, '--work-dir', tmp_path, PORT=free_port))
    assert 'lifting/mpjpe' in output
    assert (tmp_path / 'epoch_3.pth').exists()
