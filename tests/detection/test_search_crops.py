"""Crops of an image that the MediaPipe detector runs on."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from posediff.detection.mediapipe_detector import MIN_CROP_SIZE, search_crops

SIDES = st.integers(1, 900)


@given(SIDES, SIDES, st.integers(1, 4))
def test_the_image_and_every_crop_size_cover_the_image(height, width, levels):
    whole, *squares = search_crops((height, width), levels)
    assert whole == (0, 0, width, height)
    covered: dict[int, np.ndarray] = {}
    for left, top, side_x, side_y in squares:
        assert side_x == side_y >= MIN_CROP_SIZE
        assert 0 <= left <= width - side_x
        assert 0 <= top <= height - side_y
        covered.setdefault(side_x, np.zeros((height, width), bool))[top : top + side_y, left : left + side_x] = True
    assert len(covered) < levels
    assert all(image.all() for image in covered.values())


def test_an_image_of_one_row_has_no_crops():
    assert list(search_crops((1, 1920), 4)) == [(0, 0, 1920, 1)]
