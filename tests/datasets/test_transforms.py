"""Transforms for occlusion, flip and packing."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from posediff.datasets.transforms import KeypointOcclusion, LiftingRandomFlip, PackLiftingInputs
from posediff.datasets.transforms.occlusion import OCCLUSION_RATES, PATTERNS, occlusion_mask
from posediff.geometry import Camera
from posediff.structures.skeletons import H36M17, Skeleton

seeds = st.integers(0, 2**32 - 1)


def make_window(seed: int = 0, frames: int = 27) -> dict:
    """Create a window as returned by datasets, with projected keypoints."""
    rng = np.random.default_rng(seed)
    camera = Camera(
        focal=np.array([1145.0, 1140.0]),
        center=np.array([512.0, 515.0]),
        img_shape=(1002, 1000),
        R=np.eye(3),
        t=np.zeros(3),
        distortion=np.array([-0.2, 0.25, -0.001, -0.0014, -0.003]),
    )
    joints_3d = (rng.normal(0, 300, (frames, 17, 3)) + [50, -80, 4500]).astype(np.float32)
    return {
        'camera': camera,
        'joints_3d': joints_3d,
        'keypoints_2d': camera.project(joints_3d).astype(np.float32),
        'keypoint_scores': rng.uniform(0.1, 1, (frames, 17)).astype(np.float32),
        'keypoint_mask': np.ones((frames, 17), dtype=np.float32),
        'sample_id': f'test/1/clip/cam0/{seed}',
        'img_shape': camera.img_shape,
        'fps': 50.0,
        'skeleton': 'h36m17',
        'action': 'walk',
        'subject': '1',
        'frame_indices': np.arange(frames),
        'frame_mask': np.ones(frames, dtype=bool),
        'rng': np.random.default_rng(seed),
    }


def test_masks_equal_the_official_ones(reference_data):
    cases = torch.load(reference_data / 'diffhpe_cases' / 'occlusion_masks.pt', weights_only=True)
    assert len(cases) >= 20
    for name, expected in cases.items():
        pattern, seed = name.rsplit('_np', 1)
        pattern = 'none' if pattern == 'no_miss' else pattern
        mask = occlusion_mask(pattern, None, 27, H36M17, np.random.RandomState(int(seed)))
        np.testing.assert_array_equal(mask, expected.numpy(), err_msg=name)


@given(seeds, st.sampled_from(PATTERNS), st.one_of(st.none(), st.floats(0, 1)), st.integers(1, 60))
def test_masks_are_binary_and_of_the_right_shape(seed, pattern, rate, frames):
    mask = occlusion_mask(pattern, rate, frames, H36M17, np.random.default_rng(seed))
    assert mask.shape == (frames, 17)
    assert mask.dtype == np.float32
    assert np.isin(mask, (0, 1)).all()


@given(seeds)
def test_each_pattern_hides_what_it_names(seed):
    rng = np.random.default_rng(seed)
    leg, arm = [1, 2, 3], [11, 12, 13]
    mask = occlusion_mask('random_left_arm_right_leg', None, 27, H36M17, rng)
    hidden = mask == 0
    assert hidden[:, leg + arm].any(1).sum() == 10
    assert (hidden[:, leg + arm].all(1) == hidden.any(1)).all()
    assert not np.delete(hidden, leg + arm, axis=1).any()
    for pattern, joints, length in (('structured_joint', leg, 10), ('structured_frame', range(17), 5)):
        hidden = occlusion_mask(pattern, None, 27, H36M17, rng) == 0
        frames = np.flatnonzero(hidden.any(1))
        assert len(frames) == length == frames[-1] - frames[0] + 1
        assert (np.flatnonzero(hidden.any(0)) == list(joints)).all()
        assert not hidden[26].any()


def test_rates_are_met_on_average():
    rng = np.random.default_rng(0)
    share = np.mean([occlusion_mask('random', 0.2, 27, H36M17, rng) == 0 for _ in range(200)])
    assert share == pytest.approx(0.2, abs=0.01)
    frames = [
        (occlusion_mask('random_left_arm_right_leg', 0.4, 27, H36M17, rng, counts='bernoulli')[:, 1] == 0).sum()
        for _ in range(500)
    ]
    assert np.mean(frames) == pytest.approx(0.4 * 27, abs=0.4)
    assert np.std(frames) == pytest.approx(np.sqrt(27 * 0.4 * 0.6), rel=0.15)


def test_the_last_frame_is_covered_when_asked():
    rng = np.random.default_rng(0)
    masks = [occlusion_mask('structured_frame', None, 27, H36M17, rng, cover_last_frame=True) for _ in range(300)]
    starts = {int((mask == 0).any(1).argmax()) for mask in masks}
    assert starts == set(range(23))


def test_all_draws_every_pattern():
    rng = np.random.default_rng(0)
    hidden = [(occlusion_mask('all', None, 27, H36M17, rng) == 0).sum() for _ in range(300)]
    assert np.mean(np.array(hidden) == 0) == pytest.approx(1 / len(OCCLUSION_RATES), abs=0.07)
    assert {30, 60, 85} <= set(hidden)


def test_occlusion_leaves_no_trace_of_what_it_hides():
    window = make_window(3)
    before = window['keypoints_2d'].copy()
    after = KeypointOcclusion('structured_joint')(window)
    hidden = after['keypoint_mask'] == 0
    assert hidden.sum() == 30
    assert (after['keypoints_2d'][hidden] == 0).all()
    assert (after['keypoint_scores'][hidden] == 0).all()
    np.testing.assert_array_equal(after['keypoints_2d'][~hidden], before[~hidden])
    again = KeypointOcclusion('structured_joint')(make_window(3))
    np.testing.assert_array_equal(after['keypoint_mask'], again['keypoint_mask'])


def test_occlusion_keeps_what_the_detector_lost():
    window = make_window()
    window['keypoint_mask'][:, 7] = 0
    after = KeypointOcclusion('structured_joint')(window)
    assert (after['keypoint_mask'][:, 7] == 0).all()


@pytest.mark.parametrize(
    ('kwargs', 'message'),
    [
        ({'pattern': 'fog'}, "unknown occlusion pattern 'fog'; known: none, random"),
        ({'rate': 1.5}, 'rate must lie in'),
        ({'counts': 'some'}, "counts must be 'exact' or 'bernoulli'"),
    ],
)
def test_wrong_occlusions_fail_when_built(kwargs, message):
    with pytest.raises(ValueError, match=message):
        KeypointOcclusion(**kwargs)


def test_a_skeleton_without_legs_cannot_lose_them():
    bust = Skeleton('bust', ('neck', 'head'), (-1, 0), (), ())
    with pytest.raises(ValueError, match="'bust' has none of right_hip"):
        occlusion_mask('structured_joint', None, 27, bust, np.random.default_rng(0))


@settings(deadline=None)
@given(seeds)
def test_a_flipped_window_is_what_the_flipped_camera_sees(seed):
    window = make_window(seed)
    scores = window['keypoint_scores'].copy()
    window['keypoint_mask'][:, 1] = 0
    joints = window['joints_3d'].copy()
    flipped = LiftingRandomFlip(prob=1.0)(dict(window))
    np.testing.assert_array_equal(flipped['joints_3d'][:, 4], joints[:, 1] * [-1, 1, 1])
    np.testing.assert_array_equal(flipped['keypoint_scores'][:, 16], scores[:, 13])
    assert (flipped['keypoint_mask'][:, 4] == 0).all()
    seen = flipped['keypoint_mask'] > 0
    projected = flipped['camera'].project(flipped['joints_3d'])
    np.testing.assert_allclose(flipped['keypoints_2d'][seen], projected[seen], atol=0.01)


def test_flipping_changes_the_sign_of_the_normalised_coordinate():
    window = make_window()
    flipped = LiftingRandomFlip(prob=1.0)(dict(window))
    height, width = window['img_shape']
    normalised = window['keypoints_2d'] * 2 / width - [1, height / width]
    mirrored = flipped['keypoints_2d'] * 2 / width - [1, height / width]
    np.testing.assert_allclose(mirrored[:, list(H36M17.flip_indices)], normalised * [-1, 1], atol=1e-5)


def test_flipping_twice_is_nothing_and_probability_counts():
    window = make_window()
    flip = LiftingRandomFlip(prob=1.0)
    twice = flip(flip(dict(window)))
    for key in ('joints_3d', 'keypoints_2d', 'keypoint_scores', 'keypoint_mask'):
        np.testing.assert_allclose(twice[key], window[key], atol=1e-3)
    np.testing.assert_allclose(twice['camera'].distortion, window['camera'].distortion)
    assert LiftingRandomFlip(prob=0.0)(dict(window))['joints_3d'] is window['joints_3d']
    half = LiftingRandomFlip(prob=0.5)
    rng = np.random.default_rng(0)
    flips = [half({**window, 'rng': rng})['camera'] is not window['camera'] for _ in range(400)]
    assert np.mean(flips) == pytest.approx(0.5, abs=0.08)
    with pytest.raises(ValueError, match='prob must lie in'):
        LiftingRandomFlip(prob=2)


def test_packing_splits_root_and_relative_pose():
    window = make_window()
    item = PackLiftingInputs()(window)
    assert set(item) == {'inputs', 'data_samples'}
    shapes = {name: tuple(tensor.shape) for name, tensor in item['inputs'].items()}
    assert shapes == {'keypoints_2d': (27, 17, 2), 'keypoint_scores': (27, 17), 'keypoint_mask': (27, 17)}
    assert all(tensor.dtype == torch.float32 for tensor in item['inputs'].values())
    sample = item['data_samples']
    truth = sample.gt_instances
    assert (truth.lifting_target[:, 0] == 0).all()
    joints = truth.lifting_target + truth.root_position[:, None]
    np.testing.assert_allclose(joints.numpy(), window['joints_3d'], atol=1e-3)
    assert tuple(truth.lifting_target_visible.shape) == (27, 17)
    for key in (
        'sample_id',
        'img_shape',
        'fps',
        'skeleton',
        'action',
        'subject',
        'frame_indices',
        'frame_mask',
        'camera',
    ):
        assert key in sample.metainfo_keys()
    assert sample.camera is window['camera']
    assert sample.to_dict()['sample_id'] == window['sample_id']
