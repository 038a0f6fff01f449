"""Moments of a video in one picture."""

from __future__ import annotations

import numpy as np
import pytest

cv2 = pytest.importorskip('cv2')

from posediff.visualization.still import COLUMN, MARGIN, save_still  # noqa: E402


@pytest.mark.parametrize(('moments', 'nobody_in', 'columns'), [(3, (), 3), (2, (0, 1, 4), 2), (5, (1, 2, 3, 4, 5), 3)])
def test_a_column_for_every_moment_with_the_people_in_it(save_results, moments, nobody_in, columns):
    folder = save_results(frames=8, nobody_in=nobody_in)
    image = cv2.imread(str(save_still(folder, folder / 'still.png', moments)))
    assert image.shape[1] == columns * (COLUMN + 2 * MARGIN)
    colored = np.ptp(image.astype(int), axis=-1) > 25
    above, below = np.split(colored, [len(image) - COLUMN - 2 * MARGIN])
    for part in (above, below):
        assert all(column.sum() > 100 for column in np.split(part, columns, axis=1))


def test_discs_say_how_sure_a_joint_is(save_results):
    drawn = []
    for spread in (0.0, 200.0):
        folder = save_results(frames=4)
        with np.load(folder / 'poses.npz') as arrays:
            rows = dict(arrays)
        rows['joints_3d_std'] = np.full_like(rows['joints_3d_std'], spread)
        np.savez(folder / 'poses.npz', **rows)
        image = cv2.imread(str(save_still(folder, folder / 'still.png', 1)))
        drawn.append((np.ptp(image.astype(int), axis=-1) > 25).sum())
    assert drawn[1] > 1.2 * drawn[0]


def test_nobody_makes_no_picture(save_results):
    folder = save_results(frames=3, people=0)
    with pytest.raises(ValueError, match='no persons to draw'):
        save_still(folder, folder / 'still.png')
    assert not (folder / 'still.png').exists()
