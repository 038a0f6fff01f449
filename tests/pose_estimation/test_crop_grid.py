"""Boxes on a grid of crops."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from posediff.pose_estimation.crop_grid import on_grid

places, sides = st.floats(-500, 4000), st.floats(1, 2000)


@given(left=places, top=places, width=sides, height=sides, step=st.floats(0.02, 0.3), aspect=st.floats(0.5, 2))
def test_a_box_moves_by_half_a_step_at_most(left, top, width, height, step, aspect):
    box = np.float32([[left, top, left + width, top + height]])
    (found,) = on_grid(box, aspect, step).astype(np.float64)
    size = found[2:] - found[:2]
    assert size[0] / size[1] == pytest.approx(aspect, rel=1e-2)
    exact = box[0].astype(np.float64)
    whole = max(exact[3] - exact[1], (exact[2] - exact[0]) / aspect, 1e-3)
    assert abs(np.log(size[1] / whole)) <= np.log1p(step) * 0.5 + 1e-2
    apart = (found[:2] + found[2:] - exact[:2] - exact[2:]) / 2
    assert (np.abs(apart) <= 0.5 * step * size + 1e-2).all()


def test_near_boxes_share_a_crop_and_exact_ones_stay():
    boxes = np.float32([[100, 100, 160, 200], [160, 100, 220, 200]])
    snapped = on_grid(boxes, 0.75, 0.1)
    assert np.abs(snapped[0] - snapped[1]).max() > 40
    near = snapped + np.float32([2, -3, 3, -2])
    np.testing.assert_array_equal(on_grid(near, 0.75, 0.1), snapped)
    np.testing.assert_array_equal(on_grid(boxes, 0.75, None), boxes)
    assert on_grid(boxes[:0], 0.75, 0.1).shape == (0, 4)
