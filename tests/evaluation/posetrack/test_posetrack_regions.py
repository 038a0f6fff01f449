"""Points in polygons, where it is close."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from posediff.evaluation.posetrack import regions
from posediff.evaluation.posetrack.regions import inside_regions

DIAMOND = ([0, 10, 20, 10], [10, 0, 10, 20])


def inside(points, *polygons):
    points = np.asarray(points, dtype=float)[:, None]
    return inside_regions(points, np.zeros(len(points), int), {0: list(polygons)})[:, 0].tolist()


def test_corners_and_edges_are_outside():
    assert inside([(10, 10), (0, 10), (10, 0), (5, 5), (5.001, 5), (4.999, 5), (30, 10)], DIAMOND) == [
        True, False, False, False, True, False, False,
    ]  # fmt: skip


def test_a_ray_through_corners_is_counted_once():
    """A comb, with corners at the height of the point."""
    comb = ([0, 30, 30, 25, 20, 15, 10, 5, 0], [0, 0, 10, 5, 10, 5, 10, 5, 10])
    assert inside([(1, 5), (-1, 5), (29, 5), (12, 10), (-1, 10), (7.5, 6), (5, 6)], comb) == [
        True, False, True, False, False, True, False,
    ]  # fmt: skip


def test_doubled_corners_and_a_closed_outline_change_nothing():
    closed = ([0, 0, 10, 20, 20, 10, 0], [10, 10, 0, 10, 10, 20, 10])
    points = np.random.default_rng(0).integers(0, 21, (100, 2))
    assert inside(points, closed) == inside(points, DIAMOND)


def test_a_figure_of_eight_has_two_insides():
    eight = ([0, 10, 10, 0], [0, 10, 0, 10])
    assert inside([(1, 5), (9, 5), (5, 5), (5, 1), (5, 9)], eight) == [True, True, False, False, False]


def test_points_that_are_nowhere_are_outside():
    nowhere = [(np.nan, 10), (10, np.nan), (np.inf, 10), (10, -np.inf)]
    assert inside(nowhere, DIAMOND) == [False] * 4


def test_a_line_has_no_inside():
    assert inside([(1, 1), (0.5, 0.5)], ([0, 2, 1], [0, 2, 1])) == [False, False]


def test_the_sign_is_that_of_exact_arithmetic():
    """Points that rounding puts on the wrong side of the edge from (0, 0) to (3, 1)."""
    xs = np.random.default_rng(0).uniform(0.1, 2.9, 500)
    points = np.stack([xs, xs / 3], axis=-1)
    below = [Fraction(y) * 3 < Fraction(x) for x, y in points.tolist()]
    assert 50 < sum(below) < 450
    assert inside(points, ([0, 3, 3], [0, 1, 0])) == below


@pytest.mark.parametrize('scale', [1e-160, 1e-200, 2e-308])
def test_products_that_underflow_have_a_sign(scale):
    """Squares of these coordinates are 0 in double precision."""
    corners = ([0, 3 * scale, 3 * scale], [0, scale, 0])
    assert inside([(2 * scale, 0.5 * scale), (scale, 0.5 * scale), (1.5 * scale, 0.5 * scale)], corners) == [
        True, False, False,
    ]  # fmt: skip


coordinates = st.one_of(st.integers(0, 6), st.floats(0, 6, allow_nan=False))
outlines = st.lists(st.tuples(coordinates, coordinates), min_size=3, max_size=8)


def even_odd(point, outline):
    """The textbook, in exact arithmetic."""
    x, y = map(Fraction, point)
    odd = False
    for (ax, ay), (bx, by) in zip(outline, outline[1:] + outline[:1]):
        ax, ay, bx, by = map(Fraction, (ax, ay, bx, by))
        side = (bx - ax) * (y - ay) - (by - ay) * (x - ax)
        if side == 0 and min(ax, bx) <= x <= max(ax, bx) and min(ay, by) <= y <= max(ay, by):
            return False
        if (ay > y) != (by > y) and x < ax + (y - ay) / (by - ay) * (bx - ax):
            odd = not odd
    return odd


@given(outlines, st.lists(st.tuples(coordinates, coordinates), min_size=1, max_size=8))
@settings(max_examples=60, deadline=None)
def test_it_is_even_odd_without_the_border(outline, points):
    points = [*points, *outline]
    polygon = ([x for x, _ in outline], [y for _, y in outline])
    assert inside(points, polygon) == [even_odd(point, outline) for point in points]


@pytest.mark.parametrize('max_pairs', [1, 7, 100])
def test_pieces_make_no_difference(monkeypatch, max_pairs):
    rng = np.random.default_rng(0)
    points, frame = rng.uniform(0, 30, (40, 3, 2)), np.sort(rng.integers(0, 5, 40))
    several = {number: [tuple(rng.uniform(0, 30, (2, 5)).tolist()) for _ in range(number)] for number in range(4)}
    whole = inside_regions(points, frame, several)
    assert whole.any()
    assert not whole.all()
    assert not whole[frame == 4].any()
    monkeypatch.setattr(regions, 'MAX_PAIRS', max_pairs)
    assert (inside_regions(points, frame, several) == whole).all()
