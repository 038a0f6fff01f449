"""CMUMocapDataset: items, cameras, splits and damaged files."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
import torch
from mmengine.registry import init_default_scope
from mmengine.runner import Runner

from posediff.datasets import CMUMocapDataset
from posediff.engine.config import load_config
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
    assert dataset.metainfo['skeleton'] == item['data_samples'].skeleton == 'cmu17'
    assert dataset.metainfo['actions'] == ('dance', 'jump', 'walk')
    height = item['data_samples'].gt_instances.lifting_target[..., 1]
    assert height[:, 3].min() > 500  # y points down, mm: the foot is below the root
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
    assert torch.equal(again[0]['inputs']['keypoints_2d'], one)  # depends on the name only


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
    cfg = load_config(repository / 'configs/lifting_3d/mixste/mixste-c64-d4_27f_cmu.py')
    for loader in (cfg.train_dataloader, cfg.val_dataloader):
        loader.dataset.data_root = str(mocap_folder)
        loader.batch_size = 4
        batch = next(iter(Runner.build_dataloader(loader, seed=0)))
        data = LiftingPreprocessor(input_mask=True)(batch)
        assert tuple(data['inputs'].shape) == (4, 27, 17, 3)
        assert torch.isfinite(data['inputs']).all()
        assert data['inputs'].abs().max() < 3


def test_missing_and_damaged_files_are_named(mocap_folder, tmp_path):
    with pytest.raises(FileNotFoundError, match=r'nowhere.*posediff convert cmu'):
        CMUMocapDataset(str(tmp_path / 'nowhere'))
    with pytest.raises(FileNotFoundError, match=r'99\.npz'):
        CMUMocapDataset(str(mocap_folder), subjects=['99'])
    with pytest.raises(FileNotFoundError, match=rf"{tmp_path}: none of its 0 \.npz files is of split 'all'"):
        CMUMocapDataset(str(tmp_path), split='all')
    shutil.copy(mocap_folder / '02.npz', tmp_path / '02.npz')
    with pytest.raises(FileNotFoundError, match=r"none of its 1 \.npz files is of split 'train'"):
        CMUMocapDataset(str(tmp_path))
    content = (tmp_path / '02.npz').read_bytes()
    (tmp_path / '02.npz').write_bytes(content[: len(content) // 2])
    with pytest.raises(ValueError, match=r'02\.npz: not a complete motion capture file'):
        CMUMocapDataset(str(tmp_path), subjects=['02'])


@pytest.mark.parametrize(
    ('kwargs', 'message'),
    [
        ({'split': 'test'}, "split must be one of train, val, all, got 'test'"),
        ({'cameras': 'some'}, 'cameras must be one of random, stored'),
        ({'keypoint_2d_src': 'cpn'}, 'keypoint_2d_src must be one of detection, gt'),
        ({'cameras': 'stored', 'num_cameras': 7}, 'has 2 cameras, but num_cameras is 7'),
        ({'cameras': 'stored', 'num_cameras': 0}, 'num_cameras must be a whole number of at least 1, got 0'),
        ({'num_cameras': True}, 'num_cameras must be a whole number of at least 1, got True'),
        ({'camera_preset': 'tame'}, "camera_preset must be one of wild, anywhere, h36m, got 'tame'"),
        ({'subjects': '02'}, "subjects must be a list of different names, got '02'"),
        ({'subjects': []}, r'subjects must be a list of different names, got \[\]'),
        ({'subjects': ['02', '05', '02']}, 'subjects must be a list of different names'),
        ({'noise': {'severity': -1}}, 'severity must be finite and must not be negative, got -1'),
        ({'noise': {'decay': 1.5}}, 'detector noise decay must be between 0 and 0.9999, got 1.5'),
        ({'window_size': '27'}, "CMUMocapDataset: window_size must be a whole number of at least 1, got '27'"),
        ({'action_balance': 1.5}, r'action_balance must be None or lie in \[0, 1\], got 1.5'),
    ],
)
def test_wrong_arguments_are_named(mocap_folder, kwargs, message):
    with pytest.raises(ValueError, match=message):
        CMUMocapDataset(str(mocap_folder), **kwargs)


def test_another_skeleton_is_filmed(mocap_folder):
    dataset = CMUMocapDataset(str(mocap_folder), skeleton='mediapipe17', keypoint_2d_src='gt', test_mode=True)
    plain = CMUMocapDataset(str(mocap_folder), keypoint_2d_src='gt', test_mode=True)
    assert dataset.metainfo['skeleton'] == dataset[0]['data_samples'].skeleton == 'mediapipe17'
    np.testing.assert_allclose(dataset[1]['inputs']['keypoints_2d'].numpy(), projected(dataset[1]), atol=0.05)
    ours, theirs = (one[1]['data_samples'].gt_instances.lifting_target.numpy() for one in (dataset, plain))
    between_hips = np.linalg.norm(ours[:, 4] - ours[:, 1], axis=-1) / np.linalg.norm(
        theirs[:, 4] - theirs[:, 1], axis=-1
    )
    np.testing.assert_allclose(between_hips, 1.28, rtol=1e-3)
    np.testing.assert_allclose(ours[:, 4] + ours[:, 1], 0, atol=0.1)  # the root lies between them
    with pytest.raises(ValueError, match="no conversion from skeleton 'cmu17' to 'halpe26'"):
        CMUMocapDataset(str(mocap_folder), skeleton='halpe26')
