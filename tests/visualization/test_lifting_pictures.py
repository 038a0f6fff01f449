"""Pictures of lifted clips: what is drawn where, and files that open."""

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.collections import LineCollection
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from PIL import Image

from posediff.structures.skeletons import H36M17
from posediff.visualization.drawing import SIDE_COLORS, UNSEEN_COLOR, draw_skeleton, joint_colors, view_from
from posediff.visualization.lifting import LiftedClip, save_animation, save_picture


@pytest.fixture(scope='module')
def clip():
    rng = np.random.default_rng(0)
    joints = rng.normal(0, 300, (9, 17, 3))
    hypotheses = joints + rng.normal(0, 30, (4, 9, 17, 3))
    keypoints = 500 + joints[..., :2] / 4
    keypoints[3, 5] = np.nan
    std = np.sqrt(hypotheses.var(0).sum(-1))
    return LiftedClip(keypoints, hypotheses.mean(0), hypotheses, std, H36M17, 30.0, 'a title')


def test_views_keep_up_up_and_turn_about_it():
    down = np.array([0.0, 100.0, 0.0])
    for azimuth in (0, 37, 90, 200):
        assert view_from(down, azimuth)[1] == pytest.approx(-100)
    right, forward = np.array([100.0, 0, 0]), np.array([0, 0, 100.0])
    np.testing.assert_allclose(view_from(right), [100, 0, 0], atol=1e-9)
    np.testing.assert_allclose(view_from(forward), [0, 0, 100], atol=1e-9)
    np.testing.assert_allclose(view_from(right, 90), [0, 0, -100], atol=1e-9)  # stands where the camera's right is
    np.testing.assert_allclose(view_from(forward, 90), [100, 0, 0], atol=1e-9)
    assert view_from(forward, 0, 30)[1] == pytest.approx(50)  # looking down, what is far is higher


def test_a_view_is_a_rotation():
    points = np.random.default_rng(0).normal(size=(20, 3))
    seen = view_from(points, 33, 12)
    np.testing.assert_allclose(seen @ seen.T, points @ points.T, atol=1e-9)


def test_sides_have_their_colours():
    colors = joint_colors(H36M17)
    assert [colors[H36M17.joint_names.index(name)] for name in ('left_knee', 'right_wrist', 'head')] == [
        SIDE_COLORS[side] for side in ('left', 'right', 'middle')
    ]


def test_segments_are_drawn_where_both_ends_are_known(clip):
    ax = Figure().subplots()
    draw_skeleton(ax, clip.keypoints_2d[3], H36M17)
    lines = next(part for part in ax.collections if isinstance(part, LineCollection))
    drawn = {tuple(np.round(segment.ravel(), 6)) for segment in lines.get_segments()}
    expected = {
        tuple(np.round(clip.keypoints_2d[3, [child, parent]].ravel(), 6))
        for child, parent in H36M17.segments
        if 5 not in (child, parent)
    }
    assert drawn == expected
    assert {to_hex(color).upper() for color in lines.get_colors()} == set(SIDE_COLORS.values())


def test_files_open_and_replace_old_ones(clip, tmp_path):
    (tmp_path / 'clip.gif').write_text('old')
    save_picture(tmp_path / 'clip.png', clip, [0, 3], dpi=40)
    save_animation(tmp_path / 'clip.gif', clip, max_fps=15, dpi=30)
    assert Image.open(tmp_path / 'clip.png').size == (520, 300)
    animation = Image.open(tmp_path / 'clip.gif')
    assert animation.n_frames == 5  # every second frame of nine
    assert animation.info['duration'] == pytest.approx(1000 * 2 / 30, abs=10)
    assert sorted(file.name for file in tmp_path.iterdir()) == ['clip.gif', 'clip.png']


def test_a_single_hypothesis_and_an_unseen_frame_are_drawn(clip, tmp_path):
    keypoints = clip.keypoints_2d.copy()
    keypoints[0] = np.nan
    single = LiftedClip(keypoints, clip.joints_3d, clip.joints_3d[None], np.zeros((9, 17)), H36M17, 30.0)
    save_picture(tmp_path / 'clip.png', single, [0, 1], dpi=40)
    assert (tmp_path / 'clip.png').stat().st_size > 0


def test_joints_that_the_lifter_did_not_see_are_thin_and_grey(clip):
    """A window of 0.1 s is 3 frames: what was seen 3 frames away is drawn as seen, what was seen 4 away is not."""
    keypoints = clip.keypoints_2d.copy()
    keypoints[:, 6] = np.nan
    keypoints[4:, 13] = np.nan
    half = replace(clip, keypoints_2d=keypoints, lifter_window_s=0.1)
    expected = np.ones((9, 17), bool)
    expected[:, 6] = expected[7:, 13] = False
    np.testing.assert_array_equal(half.joint_shown, expected)
    ax = Figure().subplots()
    draw_skeleton(ax, clip.joints_3d[8], H36M17, seen=half.joint_shown[8])
    lines, discs = ax.collections
    grey = [to_hex(color).upper() == UNSEEN_COLOR for color in lines.get_colors()]
    assert sum(grey) == sum(bool({6, 13} & set(segment)) for segment in H36M17.segments)
    assert [width < 1 for width in lines.get_linewidths()] == grey
    assert len(discs.get_offsets()) == 15
    assert clip.joint_shown.all()
