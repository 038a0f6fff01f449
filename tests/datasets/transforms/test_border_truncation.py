"""Crops that are cut by the border of the picture."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

cv2 = pytest.importorskip('cv2')

from posediff.datasets.transforms import RandomBorderTruncation  # noqa: E402
from posediff.datasets.transforms.border_truncation import SIDES, picture_direction  # noqa: E402

seeds = st.integers(0, 2**32 - 1)
turns = st.floats(-np.pi / 3, np.pi / 3)


def inside_crop(joints, frame):
    limits = np.array([frame.shape[1], frame.shape[0]]) - 0.5
    return ((joints > -0.5) & (joints < limits)).all(axis=-1)


@given(seed=seeds, turn=turns, side=st.sampled_from(sorted(SIDES)))
def test_no_joint_in_the_cut_area_has_a_weight(clip, apply, seed, turn, side):
    before = clip(seed, turn)
    after = apply(RandomBorderTruncation(1.0, sides=[side], min_keypoints=0), before, seed)
    joints = after['transformed_keypoints']
    np.testing.assert_array_equal(joints, clip(seed, turn)['transformed_keypoints'])
    cut = np.stack(before['img'] != np.stack(after['img'])).any(axis=(0, 3))
    for frame, original in zip(after['img'], before['img']):
        assert not frame[cut].any()
        np.testing.assert_array_equal(frame[~cut], original[~cut])
    for joint, was, now in zip(joints[0], before['keypoints_visible'][0], after['keypoints_visible'][0]):
        column, row = np.rint(joint).astype(int)
        if inside_crop(joint, cut) and column >= 12:  # the picture begins at column 12
            assert now == (0 if cut[row, column] else was)
        assert now in (0, was)
    np.testing.assert_array_equal(before['keypoints_visible'], clip(seed, turn)['keypoints_visible'])


@pytest.mark.parametrize(
    ('side', 'cut'),
    [
        ('left', (slice(None), slice(0, 12))),
        ('right', (slice(None), slice(36, None))),
        ('top', (slice(0, 16), slice(None))),
        ('bottom', (slice(48, None), slice(None))),
    ],
)
def test_the_share_of_the_crop_is_cut(clip, apply, side, cut):
    full = [np.full((64, 48, 3), 9, np.uint8)] * 2
    frames = apply(RandomBorderTruncation(1.0, (0.25, 0.25), [side]), clip() | {'img': full})['img']
    expected = np.full((64, 48, 3), 9)
    expected[cut] = 0
    for frame in frames:
        np.testing.assert_array_equal(frame, expected)


def test_nothing_is_cut_if_too_few_joints_would_remain(clip, apply):
    before = clip()
    after = apply(RandomBorderTruncation(1.0, (0.4, 0.4), min_keypoints=18), before)
    np.testing.assert_array_equal(after['img'], before['img'])
    np.testing.assert_array_equal(after['keypoints_visible'], before['keypoints_visible'])


def test_visibility_with_weights_keeps_its_form(clip, apply):
    before = clip()
    plain = apply(RandomBorderTruncation(1.0), before)['keypoints_visible']
    visible = np.stack([before['keypoints_visible'], np.ones_like(before['keypoints_visible'])], axis=-1)
    both = apply(RandomBorderTruncation(1.0), before | {'keypoints_visible': visible})['keypoints_visible']
    np.testing.assert_array_equal(both[..., 0], plain)
    assert set(both[..., 1][plain > 0]) == {1.0}


@given(seed=seeds, turn=turns)
def test_the_turn_of_the_crop_is_found(clip, seed, turn):
    for name, direction in SIDES.items():
        x, y = direction
        expected = np.cos(turn) * x - np.sin(turn) * y, np.sin(turn) * x + np.cos(turn) * y
        np.testing.assert_allclose(picture_direction(clip(seed, turn), direction), expected, atol=1e-4, err_msg=name)


@pytest.mark.parametrize('use_udp', [True, False])
def test_the_border_is_parallel_to_the_pictures_and_mmpose_ignores_cut_joints(apply, use_udp):
    pytest.importorskip('mmpose')
    from mmpose.datasets.transforms import GenerateTarget, TopdownAffine

    rows = np.repeat(np.arange(1, 201, dtype=np.uint8)[:, None, None], 160, axis=1).repeat(3, axis=2)
    joints = np.stack(np.meshgrid(np.linspace(45, 115, 4), np.linspace(60, 140, 4)), axis=-1).reshape(1, 16, 2)
    results = {
        'img': [rows, rows],
        'keypoints': joints.astype(np.float32),
        'keypoints_visible': np.ones((1, 16), np.float32),
        'bbox_center': np.array([[80.0, 100.0]], np.float32),
        'bbox_scale': np.array([[90.0, 120.0]], np.float32),
        'bbox_rotation': np.array([25.0], np.float32),
    }
    before = TopdownAffine((48, 64), use_udp=use_udp)(results)
    after = apply(RandomBorderTruncation(1.0, (0.4, 0.4), ['bottom']), before)
    cut = (after['img'][0] == 0).all(axis=-1)
    row_of = before['img'][0][..., 0].astype(int)
    assert 0.2 < cut.mean() < 0.6
    assert row_of[cut].min() >= row_of[~cut].max() - 3
    target = GenerateTarget({'type': 'UDPHeatmap', 'input_size': (48, 64), 'heatmap_size': (12, 16)})(after)
    beyond = after['keypoints_visible'][0] == 0
    assert 0 < beyond.sum() < 16
    np.testing.assert_array_equal(target['keypoint_weights'][0] > 0, ~beyond)
    assert not target['heatmaps'][beyond].any()


@pytest.mark.parametrize(
    ('options', 'said'),
    [
        ({'fraction': (0.2, 1.0)}, r'fraction\[1\] must be between 0 and 0.99, got 1.0'),
        ({'sides': ['front']}, 'sides must be one of left, right, top, bottom'),
        ({'sides': []}, r'sides must be a list of left, right, top, bottom, got \[\]'),
        ({'sides': 'left'}, "must be a list of .*, got 'left'"),
        ({'min_keypoints': -1}, 'min_keypoints must be a whole number of at least 0'),
    ],
)
def test_senseless_arguments_are_refused(options, said):
    with pytest.raises(ValueError, match=said):
        RandomBorderTruncation(**options)
