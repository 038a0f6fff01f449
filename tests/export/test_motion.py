"""What a motion refuses, and how it is turned into file axes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from posediff.export import Motion
from posediff.export.frame_ranges import FrameRanges
from posediff.structures.skeletons import CMU17


def frame_ranges(marked):
    ranges = FrameRanges()
    ranges.add(marked)
    return ranges.found


def test_a_level_camera_is_turned_by_half_a_turn_about_x(motion, camera_walk):
    np.testing.assert_allclose(motion.y_up_metres(), camera_walk * [0.001, -0.001, -0.001], atol=1e-12)
    head, foot = (CMU17.joint_names.index(name) for name in ('head', 'left_foot'))
    assert (motion.y_up_metres()[:, head, 1] - motion.y_up_metres()[:, foot, 1]).min() > 1.4


def test_up_becomes_the_second_axis_and_nothing_is_mirrored(motion):
    up = np.array([0.6, -0.8, 0.0])
    tilted = replace(motion, up=up)
    lifted = replace(tilted, joints_3d=motion.joints_3d + 1000 * up)
    moved = lifted.y_up_metres() - tilted.y_up_metres()
    np.testing.assert_allclose(moved, np.broadcast_to([0.0, 1.0, 0.0], moved.shape), atol=1e-12)
    bones, before = (joints[0, [1, 4, 7]] - joints[0, 0] for joints in (tilted.y_up_metres(), motion.joints_3d / 1000))
    assert np.linalg.det(bones) == pytest.approx(np.linalg.det(before))


def test_gaps_and_observed_frames(gappy):
    assert frame_ranges(gappy.gaps) == [[10, 12], [58, 59]]
    assert frame_ranges(~gappy.complete) == [[10, 12], [20, 20], [58, 59]]
    by_itself = replace(gappy, observed=None)
    np.testing.assert_array_equal(by_itself.observed, ~gappy.gaps)


def test_a_joint_with_one_unknown_coordinate_is_unknown(motion):
    joints = motion.joints_3d.copy()
    joints[5, 3, 1] = np.nan
    assert np.isnan(replace(motion, joints_3d=joints).joints_3d[5, 3]).all()


def test_frame_ranges_at_the_ends():
    assert frame_ranges(np.array([True, False, True, True])) == [[0, 0], [2, 3]]
    assert frame_ranges(np.zeros(3, bool)) == []


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        ({'joints_3d': np.zeros((4, 16, 3))}, r"skeleton 'cmu17' must be \(F, 17, 3\).*got shape \(4, 16, 3\)"),
        ({'joints_3d': np.zeros((0, 17, 3))}, 'at least one frame'),
        ({'joints_3d': np.full((4, 17, 3), np.nan)}, 'no joint is known in any of the 4 frames'),
        ({'joints_3d': np.full((4, 17, 3), np.inf)}, "frame 0, joint 'root', is .*inf"),
        ({'fps': 0.0}, 'fps must be positive, got 0.0'),
        ({'fps': float('nan')}, 'fps must be positive, got nan'),
        ({'track_id': -1}, 'track_id must be a whole number of at least 0, got -1'),
        ({'observed': np.ones(3, bool)}, r'observed must be \(60,\) bool'),
        ({'observed': np.ones(60)}, 'observed must be .* float64'),
        ({'up': np.array([0.0, -2.0, 0.0])}, 'unit vector'),
        ({'up': np.array([0.0, np.nan, 0.0])}, 'unit vector'),
        ({'up_source': 'guessed'}, "up_source must be one of given, estimated, assumed, got 'guessed'"),
        ({'up': None, 'up_source': 'given'}, "up_source is 'given', but there is no up"),
        ({'skeleton': replace(CMU17, joint_names=('left hip', *CMU17.joint_names[1:]))}, "'left hip' is not allowed"),
    ],
)
def test_what_makes_no_sense_is_refused(motion, change, message):
    with pytest.raises(ValueError, match=message):
        replace(motion, **change)


def test_a_gap_cannot_have_been_observed(gappy):
    with pytest.raises(ValueError, match='frame 10 is marked as observed, but no joint has a known position in it'):
        replace(gappy, observed=np.ones(60, bool))


def test_up_is_estimated_once_and_only_where_it_is_not_known(motion, camera_walk):
    assert motion.with_up() is motion
    found = Motion(camera_walk, CMU17, 30.0, absolute=True).with_up()
    assert found.up_source == 'estimated'
    assert found.with_up() is found


def test_time_is_the_videos(motion):
    np.testing.assert_allclose(replace(motion, first_frame=15).clock[:2], [15 / 30, 16 / 30])
    times = 3 + np.arange(60) ** 1.5
    np.testing.assert_array_equal(replace(motion, times_s=times).clock, times)
    for wrong in (times[:-1], times[::-1], np.full(60, np.nan)):
        with pytest.raises(ValueError, match='times_s must be 60 increasing seconds'):
            replace(motion, times_s=wrong)
    with pytest.raises(ValueError, match='first_frame'):
        replace(motion, first_frame=-1)


def test_joints_that_are_not_known_were_not_seen(gappy):
    np.testing.assert_array_equal(gappy.seen, gappy.known & gappy.observed[:, None])
    with pytest.raises(
        ValueError, match="frame 20, joint 'right_wrist', is marked as joint_observed, but its position is unknown"
    ):
        replace(gappy, joint_observed=np.ones((60, 17), bool) & ~gappy.gaps[:, None])
    with pytest.raises(
        ValueError, match='frame 10 is marked as root_observed, but no joint has a known position in it'
    ):
        replace(gappy, root_observed=np.ones(60, bool))


def test_ranges_continue_over_blocks():
    ranges = FrameRanges()
    for block in ([True, False, True], [True], [True, False], [False], [True]):
        ranges.add(np.array(block))
    assert ranges.found == [[0, 0], [2, 4], [7, 7]]


def test_arrays_that_cannot_be_written_to_are_not_copied(motion, tmp_path):
    np.save(tmp_path / 'joints.npy', motion.joints_3d)
    mapped = np.load(tmp_path / 'joints.npy', mmap_mode='r')
    assert np.shares_memory(replace(motion, joints_3d=mapped).joints_3d, mapped)
    own = motion.joints_3d.copy()
    assert not np.shares_memory(replace(motion, joints_3d=own).joints_3d, own)
    own[5, 3, 1] = np.nan
    own.flags.writeable = False
    assert np.isnan(replace(motion, joints_3d=own).joints_3d[5, 3]).all()
    assert np.isfinite(own[5, 3, 0])


def test_blocks_are_the_motion(gappy, monkeypatch):
    whole = [gappy.clock, gappy.known, gappy.seen, gappy.placed, gappy.y_up_metres()]
    monkeypatch.setattr('posediff.export.motion.BLOCK_FRAMES', 7)
    blocks = [[part.clock, part.known, part.seen, part.placed, part.y_up_metres()] for part in gappy.blocks()]
    for values, expected in zip(zip(*blocks, strict=True), whole, strict=True):
        np.testing.assert_allclose(np.concatenate(values), expected, atol=1e-12)
