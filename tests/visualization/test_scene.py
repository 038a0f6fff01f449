"""The video beside its people in 3D."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip('av')
pytest.importorskip('cv2')

from posediff.fileio.pose_reader import read_results  # noqa: E402
from posediff.fileio.shown_joints import read_drawn, sample_joints  # noqa: E402
from posediff.structures.skeletons import CMU17  # noqa: E402
from posediff.video import open_video  # noqa: E402
from posediff.visualization import scene  # noqa: E402
from posediff.visualization.saved_results import frames_with_people, write_overlay  # noqa: E402
from posediff.visualization.scene import BACKGROUND, UNSEEN, SceneView, write_scene  # noqa: E402
from posediff.visualization.scene_layout import SceneLayout  # noqa: E402

HEIGHT, WIDTH = 96, 128


def layout_and_people(folder):
    with np.load(folder / 'poses.npz') as arrays:
        joints = arrays['joints_3d'] + arrays['root_position'][:, None]
    return SceneLayout.of(joints, CMU17), joints, [result.people for result in read_results(folder / 'poses.npz')]


def view_of(folder, size=400):
    layout, joints, people = layout_and_people(folder)
    return SceneView(layout, np.zeros((0, 2, 3)), CMU17, size), joints, people


def colorful(image):
    """Where somebody is drawn: the floor is grey."""
    return np.ptp(image.astype(int), axis=-1) > 25


@pytest.mark.parametrize('nobody_in', [(), (0, 1, 4), (4, 7)])
def test_every_frame_comes_with_its_people_up_to_the_last(save_results, video, nobody_in):
    folder = save_results(frames=8, nobody_in=nobody_in)
    found = {frame.index: [one.track_id for one in people] for frame, people in frames_with_people(folder, video)}
    last = 6 if 7 in nobody_in else 7
    assert found == {frame: [] if frame in nobody_in else [0, 1] for frame in range(last + 1)}


def test_nobody_makes_no_video(save_results, video):
    folder = save_results(frames=3, people=0)
    assert list(read_results(folder / 'poses.npz')) == []
    assert list(frames_with_people(folder, video)) == []
    for write in (write_overlay, write_scene):
        with pytest.raises(ValueError, match='no image was given'):
            write(folder, video, 0.3)
    assert sorted(path.name for path in folder.iterdir()) == ['poses.json', 'poses.npz']


def test_the_video_is_at_the_left_and_the_people_are_at_the_right(save_results, video):
    folder = save_results(frames=8, nobody_in=(4,))
    made = open_video(write_scene(folder, video))
    images = [frame.image for frame in made]
    assert (made.fps, len(images), made.img_shape) == (25.0, 8, (HEIGHT, WIDTH + HEIGHT))
    for number, image in enumerate(images):
        assert np.abs(image[80:, 60:100].astype(int) - 20 * number).mean() < 8  # below the drawn box
    counts = [colorful(image[:, WIDTH + 4 :]).sum() for image in images]
    assert counts[4] < 0.2 * min(count for number, count in enumerate(counts) if number != 4)


def test_a_high_video_is_made_lower(save_results, video, monkeypatch):
    monkeypatch.setattr(scene, 'MAX_HEIGHT', 48)
    made = open_video(write_scene(save_results(frames=2), video))
    assert made.img_shape == (48, 64 + 48)


def test_everybody_is_in_view(save_results):
    view, joints, _ = view_of(save_results(frames=40, people=6))
    seen = view.viewpoint.transform(joints)
    assert (seen[..., 2] > 0).all()
    pixels = view._pixels(seen)
    assert pixels.min() >= 0
    assert pixels.max() < 400
    assert np.ptp(pixels.reshape(-1, 2), axis=0).max() > 200  # nor is he too far away


def test_filled_poses_are_faint_and_lost_ones_are_left_out(save_results):
    view, _, frames = view_of(save_results(people=1))
    seen = view.draw(frames[3])
    assert colorful(seen).sum() > 300
    view, _, frames = view_of(save_results(people=1, filled=(0,)))
    filled = view.draw(frames[3])
    blue = np.array([0x00, 0x72, 0xB2])
    assert (seen == blue).all(-1).sum() > 100
    assert not (filled == blue).all(-1).any()
    assert (filled == np.round(0.35 * blue + 0.65 * np.array(BACKGROUND))).all(-1).sum() > 100
    view, _, frames = view_of(save_results(people=1, lost=(0,)))
    lost = view.draw(frames[3])
    assert not colorful(lost).any()
    assert (lost != view.empty).any()  # a line says so


def test_joints_that_were_never_seen_are_thin_and_grey(save_results):
    legs = [CMU17.joint_names.index(name) for name in ('left_knee', 'left_foot', 'right_knee', 'right_foot')]
    layout, joints, _ = layout_and_people(save_results(people=1, unseen=legs))
    frames = [result.people for result in read_drawn(save_results(people=1, unseen=legs) / 'poses.npz')]
    view = SceneView(layout, np.zeros((0, 2, 3)), CMU17, 400)
    image = view.draw(frames[3])
    for side in ('left', 'right'):
        hip, knee = (joints[3, CMU17.joint_names.index(f'{side}_{name}')] for name in ('hip', 'knee'))
        column, row = view._pixels(view.viewpoint.transform(view._placed((hip + 2 * knee) / 3))).tolist()
        around = image[row - 3 : row + 4, column - 3 : column + 4].reshape(-1, 3).astype(int)
        assert np.abs(around - UNSEEN).sum(-1).min() < 60
        color = view.colors[CMU17.joint_names.index(f'{side}_knee')]
        assert np.abs(around - color).sum(-1).min() > 60
    whole = view.draw([replace(frames[3][0], joint_shown=np.ones(17, bool))])
    assert colorful(image).sum() < 0.8 * colorful(whole).sum()


def test_joints_that_are_not_known_are_left_out(save_results):
    legs = [CMU17.joint_names.index(name) for name in ('left_knee', 'left_foot', 'right_knee', 'right_foot')]
    folder = save_results(people=2, unseen=legs, seen_joints_only=True)
    layout = SceneLayout.of(sample_joints(folder / 'poses.npz', 1000), CMU17)
    view = SceneView(layout, np.zeros((0, 2, 3)), CMU17, 400)
    people = next(read_drawn(folder / 'poses.npz')).people
    assert np.isnan(people[0].joints_3d[legs]).all()
    image = view.draw(people, spread=True)
    assert colorful(image).sum() > 300
    nobody = [replace(people[0], joints_3d=np.full((17, 3), np.nan, np.float32))]
    assert view.draw(nobody, spread=True).shape == (400, 400, 3)


def test_persons_behind_the_viewpoint_are_not_drawn(save_results):
    layout, _, frames = layout_and_people(save_results(people=1))
    view = SceneView(layout, np.array([[[0.0, 0, -90_000], [0, 0, 9000]]]), CMU17, 200)
    behind = frames[0][0]
    behind.root_position[:] = [60_000, 0, -60_000]
    assert view.draw([behind]).shape == (200, 200, 3)
    assert not colorful(view.draw([behind])).any()
