"""The rules that all configs keep: short inheritance, one statement of each value, schedules that follow the epochs."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from mmengine.config import Config

from posediff.engine.config import load_config
from posediff.engine.removed_configs import REPLACEMENTS

ROOT = Path(__file__).resolve().parents[2]
ALL = sorted((ROOT / 'configs').rglob('*.py'))
LEAVES = [path for path in ALL if '_base_' not in path.parts]
LIFTING = [path for path in LEAVES if 'lifting_3d' in path.parts]
VIDEO = [path for path in LEAVES if path not in LIFTING]
PARTS = ('train_dataloader', 'val_dataloader', 'test_dataloader')
CPU_SIZED = ('-c32-l8_', '-c64-d4_', '-c256-d4_', '-c192-d3_', '_vit-t_', '_movenet-')
each_leaf = pytest.mark.parametrize('path', LEAVES, ids=lambda path: path.stem)
each_lifting_leaf = pytest.mark.parametrize('path', LIFTING, ids=lambda path: path.stem)
each_video_leaf = pytest.mark.parametrize('path', VIDEO, ids=lambda path: path.stem)


@functools.cache
def read(path: Path) -> Config:
    """A config as its files state it; ``load_config`` copies it and resolves its references."""
    return Config.fromfile(path)


def assignments(path: Path) -> dict[str, ast.expr]:
    """Top-level assignments of a config file, by name."""
    found = {}
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.Assign):
            found.update({target.id: node.value for target in node.targets if isinstance(target, ast.Name)})
    return found


def depth(path: Path) -> int:
    """Number of files in the longest chain of ``_base_`` that begins with ``path``."""
    bases = ast.literal_eval(assignments(path).get('_base_', ast.List([], ast.Load())))
    bases = [bases] if isinstance(bases, str) else bases
    return 1 + max((depth(path.parent / base) for base in bases), default=0)


def values(part: Any, key: str) -> Iterator[Any]:
    """Every value that stands under ``key`` at any depth."""
    if isinstance(part, dict):
        if key in part:
            yield part[key]
        for item in part.values():
            yield from values(item, key)
    elif isinstance(part, (list, tuple)):
        for item in part:
            yield from values(item, key)


@pytest.mark.parametrize('path', ALL, ids=lambda path: path.stem)
def test_inheritance_is_at_most_three_files_deep(path):
    assert depth(path) <= 3


def test_only_lifters_of_detected_keypoints_write_an_occlusion_into_a_pipeline_and_one_writes_a_codec():
    leaves = {path.stem for path in LEAVES if 'KeypointOcclusion' in path.read_text()}
    by_hand = {stem for stem in leaves if not stem.split('_')[-1].startswith(('all', 'random', 'structured'))}
    assert by_hand == {
        'mixste-c64-d4_27f_cmu-mediapipe17',
        'diffhpe-wrapper-c32-l8_27f_cmu-mediapipe17',
        'transformer-c256-d4_81f-25fps_cmu-mediapipe17',
    }
    for path in LEAVES:
        if path.stem in leaves - by_hand:
            assert set(assignments(path)) <= {'_base_', 'occlusion', 'model'}, path
    assert [path.name for path in ALL if 'UDPHeatmap' in path.read_text()] == ['person_crops.py']


def test_no_dataset_has_the_name_of_a_metainfo_file_of_mmpose():
    """MMPose reads ``configs/_base_/datasets/<name>.py`` of the current folder in the place of its own file."""
    mmpose = pytest.importorskip('mmpose')
    theirs = {path.name for path in Path(mmpose.__file__).parent.glob('.mim/configs/_base_/datasets/*.py')}
    assert 'posetrack18.py' in theirs
    assert not theirs & {path.name for path in ALL if path.parent.name == 'datasets'}


@each_lifting_leaf
def test_frames_skeleton_and_rate_of_a_lifter_are_stated_once(path):
    cfg = load_config(read(path), {'num_frames': 9, 'skeleton': 'mediapipe17', 'fps': 25.0})
    frames = [*values(cfg.model, 'num_frames'), *(cfg[part].dataset.window_size for part in PARTS)]
    assert set(frames) == {9}
    skeletons = set(values([cfg.model, *(cfg[part] for part in PARTS)], 'skeleton'))
    assert skeletons == {'mediapipe17'}
    if '_h36m' in path.stem:
        assert {cfg[part].dataset.fps for part in PARTS} == {25.0}


@each_video_leaf
def test_frames_and_image_size_of_a_video_model_are_stated_once(path):
    cfg = load_config(read(path), {'num_frames': 7, 'input_size': (64, 128)})
    assert set(values([cfg.model, *(cfg[part] for part in PARTS)], 'num_frames')) == {7}
    assert set(values([cfg.codec, cfg.model, *(cfg[part] for part in PARTS)], 'input_size')) == {(64, 128)}
    heads, codecs = [cfg.model.head], [cfg.codec, *values(cfg.train_dataloader, 'encoder')]
    assert all(codec == cfg.codec for codec in [*codecs, *values(heads, 'codec'), *values(heads, 'decoder')])
    assert cfg.codec.heatmap_size == (16, 32)
    assert set(values(cfg.model.backbone, 'img_size')) <= {(128, 64)}
    if 'conditioner' in cfg.model:
        assert cfg.model.conditioner.get('size', (8, 4)) == (8, 4)
        assert set(values(cfg.model.denoiser or {}, 'heatmap_size')) <= {(32, 16)}


@each_leaf
def test_the_learning_rate_follows_the_epochs_of_the_command_line(path):
    for epochs in (1, 2, 30):
        check_schedule(load_config(read(path), {'train_cfg.max_epochs': epochs}), epochs)


def test_the_learning_rate_follows_the_epochs_of_a_leaf(tmp_path):
    for parent in (
        'lifting_3d/mixste/mixste-c64-d4_27f_cmu',
        'video_2d_heatmap/diffpose/diffpose_vit-b_posetrack17-256x192',
    ):
        (tmp_path / 'leaf.py').write_text(f"_base_ = '{ROOT}/configs/{parent}.py'\ntrain_cfg = dict(max_epochs=30)\n")
        check_schedule(load_config(tmp_path / 'leaf.py'), 30)


def check_schedule(cfg: Any, epochs: int) -> None:
    assert cfg.train_cfg.max_epochs == epochs
    schedulers = cfg.param_scheduler if isinstance(cfg.param_scheduler, list) else [cfg.param_scheduler]
    for scheduler in schedulers:
        known = ('LinearLR', 'CosineAnnealingLR', 'MultiStepLR', 'StepLR', 'ExponentialLR', 'ReduceOnPlateauLR')
        assert scheduler.type in known
        if scheduler.type == 'CosineAnnealingLR':
            assert scheduler.end == max(epochs, scheduler.get('begin', 0) + 1)
        if scheduler.type == 'MultiStepLR':
            assert scheduler.milestones == {1: [1, 1], 2: [1, 2], 30: [10, 20]}[epochs]


@each_leaf
def test_no_leaf_changes_only_the_sampling(path):
    own = assignments(path)
    if set(own) == {'_base_', 'model'}:
        assert {keyword.arg for keyword in own['model'].keywords} != {'test_cfg'}


@each_leaf
def test_the_best_checkpoint_is_that_of_the_task(path):
    cfg = load_config(read(path))
    expected = {
        'LiftingMetric': ('lifting/mpjpe', 'less'),
        'PoseTrackAP': ('posetrack/AP', 'greater'),
        'KeypointPCK': ('pck/PCK@0.1', 'greater'),
    }
    hook = cfg.default_hooks.checkpoint
    assert (hook.save_best, hook.rule) == expected[cfg.val_evaluator.type]
    if 'monitor' in cfg.param_scheduler:
        assert (cfg.param_scheduler.monitor, cfg.param_scheduler.rule) == expected[cfg.val_evaluator.type]


@each_leaf
def test_models_for_gpus_read_data_in_persistent_pinned_workers(path):
    cfg = load_config(read(path))
    for part in PARTS:
        loader = cfg[part]
        assert loader.pin_memory
        assert (loader.num_workers > 0) == loader.persistent_workers
        assert (loader.num_workers == 0) == any(size in path.stem for size in CPU_SIZED)


@pytest.mark.parametrize('name', REPLACEMENTS)
def test_a_removed_config_says_what_replaces_it(name, tmp_path):
    replacement = REPLACEMENTS[name]
    assert not [path for path in ALL if path.name == name]
    config, _, options = replacement.partition(' --cfg-options ')
    file = next(path for path in ALL if path.name == config.split()[0])
    if options:
        key, _, value = options.partition('=')
        assert load_config(file, {key: int(value)}).to_dict() != load_config(file).to_dict()
    said = f'does not exist; {name} is now {replacement}'
    with pytest.raises(FileNotFoundError) as caught:
        load_config(file.parent / name)
    assert str(caught.value).endswith(said)
    (tmp_path / 'leaf.py').write_text(f"_base_ = '{file.parent / name}'")
    with pytest.raises(FileNotFoundError) as caught:
        load_config(tmp_path / 'leaf.py')
    assert str(caught.value).endswith(said)
