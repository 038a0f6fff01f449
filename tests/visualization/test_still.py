"""Frames of a video in one picture, with 2D and 3D poses."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip('av')
cv2 = pytest.importorskip('cv2')

from posediff.structures.results import PersonPose  # noqa: E402
from posediff.structures.skeletons import COCO17  # noqa: E402
from posediff.visualization.overlay import draw_people, person_color  # noqa: E402
from posediff.visualization.still import COLUMN, MARGIN, save_still  # noqa: E402


def rewrite(folder, **changes):
    with np.load(folder / 'poses.npz') as arrays:
        rows = dict(arrays)
    np.savez(folder / 'poses.npz', **{**rows, **{name: change(rows) for name, change in changes.items()}})


def colored(image):
    return np.ptp(image.astype(int), axis=-1) > 25


@pytest.mark.parametrize(('moments', 'nobody_in', 'columns'), [(3, (), 3), (2, (0, 1, 4), 2), (5, (1, 2, 3, 4, 5), 3)])
def test_each_column_shows_a_frame_with_all_persons(save_results, video, moments, nobody_in, columns):
    folder = save_results(frames=8, nobody_in=nobody_in)
    image = cv2.imread(str(save_still(folder, folder / 'still.png', video, moments)))
    assert image.shape[1] == columns * (COLUMN + 2 * MARGIN)
    above, below = np.split(colored(image), [len(image) - COLUMN - 2 * MARGIN])
    for part in (above, below):
        assert all(column.sum() > 100 for column in np.split(part, columns, axis=1))


@pytest.mark.parametrize('suffix', ['.png', '.jpg'])
def test_the_frames_of_the_video_are_behind_the_poses(save_results, video, suffix):
    folder = save_results(frames=8)
    image = cv2.imread(str(save_still(folder, folder / f'still{suffix}', video, 4)))
    bottom = len(image) - COLUMN - 2 * MARGIN
    for frame, column in zip((1, 3, 5, 7), np.split(image, 4, axis=1), strict=True):
        corner = column[bottom - 40 : bottom - 10, -MARGIN - 60 : -MARGIN - 10]  # below and right of the persons
        assert np.abs(corner.astype(int) - 20 * frame).mean() < 8


def test_frames_of_a_live_run_are_found_by_their_times(save_results, video):
    folder = save_results(frames=3)
    rewrite(folder, time_s=lambda rows: 2 * rows['time_s'])  # every second frame was dropped
    image = cv2.imread(str(save_still(folder, folder / 'still.png', video, 3)))
    bottom = len(image) - COLUMN - 2 * MARGIN
    corners = [column[bottom - 40 : bottom - 10, -MARGIN - 60 : -MARGIN - 10] for column in np.split(image, 3, axis=1)]
    np.testing.assert_allclose([corner.mean() for corner in corners], [0, 40, 80], atol=8)


def test_the_video_of_other_results_is_an_error(save_results, video):
    folder = save_results(frames=12)
    with pytest.raises(ValueError, match='no frame 10 at 25 frames a second'):
        save_still(folder, folder / 'still.png', video)
    with pytest.raises(ValueError, match=r'must end in .png or .jpg'):
        save_still(folder, folder / 'still.gif', video)
    assert sorted(path.name for path in folder.iterdir()) == ['poses.json', 'poses.npz']


def test_discs_show_the_spread(save_results, video):
    drawn = []
    for spread in (0.0, 200.0):
        folder = save_results(frames=4)
        rewrite(folder, joints_3d_std=lambda rows, spread=spread: np.full_like(rows['joints_3d_std'], spread))
        drawn.append(colored(cv2.imread(str(save_still(folder, folder / 'still.png', video, 1)))).sum())
    assert drawn[1] > 1.2 * drawn[0]


def test_no_persons_no_picture(save_results, video):
    folder = save_results(frames=3, people=0)
    with pytest.raises(ValueError, match='no persons to draw'):
        save_still(folder, folder / 'still.png', video)
    assert not (folder / 'still.png').exists()


@pytest.mark.parametrize(('box', 'columns'), [((60, 40, 90, 90), (50, 60)), ((2, 40, 60, 90), (60, 72))])
def test_the_track_id_is_beside_the_box(box, columns):
    """Left of it, or right of it if there is no room."""
    image = np.full((96, 128, 3), 128, np.uint8)
    nowhere = np.full((17, 3), np.nan, np.float32)
    person = PersonPose(
        3, True, np.float32(box), np.full((17, 2), -99.0, np.float32), np.zeros(17, np.float32), nowhere,
        np.ones(17, np.float32), nowhere[0], np.zeros(17, bool), False,
    )  # fmt: skip
    drawn = draw_people(image, [person], COCO17, text_scale=4.0)
    label = (drawn == person_color(3)).all(-1)[41:50]
    assert label[:, slice(*columns)].mean() > 0.3
    label[:, slice(columns[0], columns[1] + 1)] = False
    label[:, [box[0], box[2]]] = False
    assert not label.any()
