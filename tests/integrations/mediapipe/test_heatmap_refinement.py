"""Landmarks moved by their heatmaps, against single cells and against a plain loop."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit

from posediff.integrations.mediapipe.heatmap_refinement import refine_with_heatmaps


def single_cells(cells, shape=(16, 32), logit=20.0):
    """(h, w, K) logits, all but one cell (row, column) of each map as good as off."""
    logits = np.full((*shape, len(cells)), -60.0)
    for number, (row, column) in enumerate(cells):
        logits[row, column, number] = logit
    return logits


@pytest.mark.parametrize(
    ('point', 'cell', 'expected'),
    [
        ((0.5, 0.5), (8, 16), (16 / 32, 8 / 16)),
        ((0.5, 0.5), (4, 12), (12 / 32, 4 / 16)),  # a corner of the 9 cells around (8, 16)
        ((0.5, 0.5), (3, 12), (0.5, 0.5)),  # just outside them
        ((0.01, 0.99), (15, 0), (0, 15 / 16)),  # the window is cut off by the map
        ((-0.02, 0.5), (8, 1), (1 / 32, 0.5)),  # less than a cell outside
        ((-0.04, 0.5), (8, 1), (-0.04, 0.5)),
        ((1.0, 0.5), (8, 31), (1.0, 0.5)),
        ((0.5, 1.2), (15, 16), (0.5, 1.2)),
    ],
)
def test_a_point_moves_to_the_cell_that_is_sure(point, cell, expected):
    refined = refine_with_heatmaps(np.array([point]), single_cells([cell]))
    np.testing.assert_allclose(refined, [expected], atol=1e-9)


@pytest.mark.parametrize(('logit', 'moves'), [(0.01, True), (-0.01, False)])
def test_a_map_below_one_half_moves_nothing(logit, moves):
    refined = refine_with_heatmaps(np.array([[0.5, 0.5]]), single_cells([(9, 17)], logit=logit))
    np.testing.assert_allclose(refined, [[17 / 32, 9 / 16]] if moves else [[0.5, 0.5]], atol=1e-9)


def plain_loop(points, logits, kernel_size):
    height, width, _ = logits.shape
    refined = points.copy()
    for number, (x, y) in enumerate(points):
        column, row, reach = int(x * width), int(y * height), (kernel_size - 1) // 2
        if not (0 <= column < width and 0 <= row < height):
            continue
        around = [
            (i, j, expit(logits[i, j, number]))
            for i in range(max(0, row - reach), min(height, row + reach + 1))
            for j in range(max(0, column - reach), min(width, column + reach + 1))
        ]
        total = sum(weight for *_, weight in around)
        if max(weight for *_, weight in around) >= 0.5:
            refined[number] = (
                sum(j * weight for _, j, weight in around) / total / width,
                sum(i * weight for i, _, weight in around) / total / height,
            )
    return refined


@settings(max_examples=40)
@given(seed=st.integers(0, 10**6), kernel_size=st.sampled_from([1, 3, 7, 9]))
def test_the_mean_is_that_of_a_plain_loop(seed, kernel_size):
    rng = np.random.default_rng(seed)
    points = rng.uniform(-0.2, 1.2, (6, 2))
    logits = rng.normal(-2, 2, (12, 10, 6)).astype(np.float32)
    before = points.copy()
    refined = refine_with_heatmaps(points, logits, kernel_size)
    np.testing.assert_allclose(refined, plain_loop(points, logits.astype(float), kernel_size), rtol=1e-9, atol=1e-12)
    np.testing.assert_array_equal(points, before)
