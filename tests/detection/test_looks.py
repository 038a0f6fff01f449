"""Where MediaPipe's detector looks in an image."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from posediff.detection.mediapipe_people import SMALLEST_LOOK, looks

SIDES = st.integers(1, 900)


@given(SIDES, SIDES, st.integers(1, 4))
def test_every_size_is_looked_at_whole_and_no_square_is_too_small(height, width, levels):
    whole, *squares = looks((height, width), levels)
    assert whole == (0, 0, width, height)
    covered: dict[int, np.ndarray] = {}
    for left, top, side_x, side_y in squares:
        assert side_x == side_y >= SMALLEST_LOOK
        assert 0 <= left <= width - side_x
        assert 0 <= top <= height - side_y
        covered.setdefault(side_x, np.zeros((height, width), bool))[top : top + side_y, left : left + side_x] = True
    assert len(covered) < levels
    assert all(image.all() for image in covered.values())


def test_an_image_of_one_row_is_looked_at_once():
    assert list(looks((1, 1920), 4)) == [(0, 0, 1920, 1)]
