"""CMU motion capture as a dataset: items, cameras, splits, damaged files."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner import Runner

from posediff.datasets import CMUMocapDataset
from posediff.datasets.mocap_files import MocapClip, load_subject, save_subject
from posediff.models.data_preprocessor import LiftingPreprocessor
from posediff.registry import DATASETS


def projected(item: dict) -> np.ndarray:
    truth = item['data_samples'].gt_instances
    joints = truth.lifting_target + truth.root_position[:, None]
    return item['data_samples'].camera.project(joints.numpy())


def test_items_have_the_promised_shape(mocap_folder):
    dataset = DATASETS.build({'type': 'CMUMocapDataset', 'data_root': str(mocap_folder), 'window_size': 9})
    item = dataset[0]
    assert tuple(item['inputs']['keypoints_2d'].shape) == (9, 17, 2)
    assert tuple(item['data_samples'].gt_instances.lifting_target.shape) == (9, 17, 3)
    assert item['data_samples'].sample_id.startswith('cmu/01/01_01/random/')
    assert dataset.metainfo['skeleton'] == 'h36m17'
    assert dataset.metainfo['actions'] == ('dance', 'jump', 'walk')
    height = item['data_samples'].gt_instances.lifting_target[..., 1]
    assert height[:, 3].min() > 500  # y down, mm: the foot is far below the root
    assert height[:, 10].max() < -400


def test_exact_keypoints_are_the_projection_of_the_target(mocap_folder):
    for test_mode in (False, True):
        dataset = CMUMocapDataset(str(mocap_folder), keypoint_2d_src='gt', test_mode=test_mode)
        item = dataset[1]
        np.testing.assert_allclose(item['inputs']['keypoints_2d'].numpy(), projected(item), atol=0.05)
        assert item['inputs']['keypoint_mask'].all()


def test_detections_differ_from_the_projection_by_the_noise(mocap_folder):
    errors = []
    for severity in (0.0, 1.0, 3.0):
        dataset = CMUMocapDataset(str(mocap_folder), noise={'severity': severity}, camera_preset='h36m')
        items = [dataset[index] for index in range(20)]
        seen = np.stack([item['inputs']['keypoint_mask'].numpy() > 0 for item in items])
        error = np.stack([item['inputs']['keypoints_2d'].numpy() - projected(item) for item in items])
        errors.append(np.linalg.norm(error, axis=-1)[seen].mean())
    assert errors[0] < 0.05
    assert 2 < errors[1] < errors[2] / 2


def test_training_draws_new_cameras_and_tests_do_not(mocap_folder):
    train = CMUMocapDataset(str(mocap_folder))
    first = train[0]['data_samples'].camera
    assert not np.allclose(first.t, train[1]['data_samples'].camera.t)
    assert np.allclose(first.t, train[0]['data_samples'].camera.t)
    train.set_epoch(1)
    assert not np.allclose(first.t, train[0]['data_samples'].camera.t)
    test = CMUMocapDataset(str(mocap_folder), 'val', test_mode=True)
    one, same = (test[0]['inputs']['keypoints_2d'] for _ in range(2))
    assert torch.equal(one, same)
    again = CMUMocapDataset(str(mocap_folder), subjects=['02'], test_mode=True)
    assert torch.equal(again[0]['inputs']['keypoints_2d'], one)  # by name, not by company


def test_splits_share_no_subject(mocap_folder):
    subjects = {
        split: {track.subject for track in CMUMocapDataset(str(mocap_folder), split).tracks}
        for split in ('train', 'val', 'all')
    }
    assert subjects['val'] == {'02', '05', '29', '35'}
    assert subjects['train'] == {'01', '90'}
    assert subjects['all'] == subjects['train'] | subjects['val']


def test_tests_cover_every_frame_of_every_camera_once(mocap_folder):
    dataset = CMUMocapDataset(str(mocap_folder), 'val', test_mode=True)
    covered: dict[str, list[int]] = {}
    for index in range(len(dataset)):
        sample = dataset[index]['data_samples']
        track = sample.sample_id.rsplit('/', 1)[0]
        covered.setdefault(track, []).extend(sample.frame_indices[sample.frame_mask].tolist())
    assert len(covered) == 4 * 2 * 2
    for track, frames in covered.items():
        assert sorted(frames) == list(range(60 if '_01/' in track else 20)), track
    assert len(CMUMocapDataset(str(mocap_folder), 'val', test_mode=True, num_cameras=1)) == len(dataset) // 2


def test_the_runner_builds_it_and_the_preprocessor_takes_its_batches(mocap_folder, repository):
    init_default_scope('posediff')
    cfg = Config.fromfile(repository / 'configs/_base_/datasets/cmu.py')
    for loader in (cfg.train_dataloader, cfg.val_dataloader):
        loader.dataset.data_root = str(mocap_folder)
        loader.batch_size = 4
        batch = next(iter(Runner.build_dataloader(loader, seed=0)))
        data = LiftingPreprocessor(input_mask=True)(batch)
        assert tuple(data['inputs'].shape) == (4, 27, 17, 3)
        assert torch.isfinite(data['inputs']).all()
        assert data['inputs'].abs().max() < 3


def test_files_round_trip(mocap_folder, tmp_path):
    one = load_subject(mocap_folder / '01.npz')
    save_subject(tmp_path / 'sub' / '01.npz', one.clips, fps=one.fps, seed=one.seed, preset=one.preset)
    two = load_subject(tmp_path / 'sub' / '01.npz')
    assert list((tmp_path / 'sub').iterdir()) == [tmp_path / 'sub' / '01.npz']
    assert (one.fps, one.seed, one.preset) == (two.fps, two.seed, two.preset)
    for clip, other in zip(one.clips, two.clips, strict=True):
        assert (clip.name, clip.action, clip.description) == (other.name, other.action, other.description)
        np.testing.assert_array_equal(clip.joints_3d, other.joints_3d)
        for camera, same in zip(clip.cameras, other.cameras, strict=True):
            np.testing.assert_allclose(camera.t, same.t)
            np.testing.assert_allclose(camera.R, same.R)
            assert camera.img_shape == same.img_shape


def test_damaged_and_missing_files_are_named(mocap_folder, tmp_path):
    with pytest.raises(FileNotFoundError, match=r'nowhere.*cmu_mocap\.py'):
        CMUMocapDataset(str(tmp_path / 'nowhere'))
    with pytest.raises(FileNotFoundError, match=r'99\.npz'):
        CMUMocapDataset(str(mocap_folder), subjects=['99'])
    shutil.copy(mocap_folder / '01.npz', tmp_path / '01.npz')
    content = (tmp_path / '01.npz').read_bytes()
    (tmp_path / '01.npz').write_bytes(content[: len(content) // 2])
    with pytest.raises(ValueError, match=r'01\.npz: not a complete motion capture file'):
        CMUMocapDataset(str(tmp_path), subjects=['01'])
    subject = load_subject(mocap_folder / '01.npz')
    clip = subject.clips[0]
    joints = clip.joints_3d.copy()
    joints[3, 2] = np.nan
    spoiled = MocapClip(clip.name, clip.subject, clip.action, clip.description, joints, clip.cameras)
    save_subject(tmp_path / '01.npz', [spoiled], fps=50.0, seed=0, preset='wild')
    with pytest.raises(ValueError, match='NaN or infinite'):
        CMUMocapDataset(str(tmp_path), subjects=['01'])


@pytest.mark.parametrize(
    ('kwargs', 'message'),
    [
        ({'split': 'test'}, "split must be one of train, val, all, got 'test'"),
        ({'cameras': 'some'}, 'cameras must be one of random, stored'),
        ({'keypoint_2d_src': 'cpn'}, 'keypoint_2d_src must be one of detection, gt'),
        ({'cameras': 'stored', 'num_cameras': 7}, 'has 2 cameras, num_cameras asks for 7'),
        ({'noise': {'severity': -1}}, 'severity must not be negative'),
    ],
)
def test_wrong_arguments_are_named(mocap_folder, kwargs, message):
    with pytest.raises(ValueError, match=message):
        CMUMocapDataset(str(mocap_folder), **kwargs)
