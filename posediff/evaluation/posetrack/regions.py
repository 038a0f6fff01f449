"""Test of points against ignore regions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction

import numpy as np

from posediff.evaluation.posetrack.pairs import expand, pairs_within_frames
from posediff.evaluation.posetrack.sequence import Region

MAX_PAIRS = 200_000
"""Maximum number of pairs of point and edge in one chunk; about ten arrays of this length are allocated."""


def inside_regions(points: np.ndarray, frame: np.ndarray, regions: Mapping[int, list[Region]]) -> np.ndarray:
    """Return whether each joint is strictly inside a polygon of its frame.

    Uses the even-odd rule. Points on the outline are outside. The test is exact for the given numbers, like that of
    the geometry library of the official evaluators. NaN is outside.

    Args:
        points: (N, K, 2) px.
        frame: (N,) integers in non-decreasing order.
        regions: Polygons by frame.

    Returns:
        (N, K) bool.

    Raises:
        ValueError: A polygon has one or two vertices; a polygon without vertices is allowed and empty.
    """
    inside = np.zeros(points.shape[:2], dtype=bool)
    outlines = [(number, region) for number, several in sorted(regions.items()) for region in several if region[0]]
    if not outlines or not len(points):
        return inside
    counts = np.array([len(xs) for _, (xs, _) in outlines])
    if counts.min() < 3:
        number = outlines[int(counts.argmin())][0]
        raise ValueError(
            f'frame {number} (from 0) has an ignore region of {counts.min()} vertices, expected at least 3'
        )
    vertices = np.array(
        [[value for _, region in outlines for value in region[axis]] for axis in (0, 1)], dtype=np.float64
    ).T
    first = np.cumsum(counts) - counts
    low, high = np.minimum.reduceat(vertices, first), np.maximum.reduceat(vertices, first)
    persons, polygons = pairs_within_frames(frame, np.array([number for number, _ in outlines]))
    step = max(1, MAX_PAIRS // points.shape[1])
    for start in range(0, len(persons), step):
        person, polygon = persons[start : start + step], polygons[start : start + step]
        at = points[person]
        near = ((at > low[polygon][:, None]) & (at < high[polygon][:, None])).all(-1)
        row, joint = np.nonzero(near)
        person, polygon = person[row], polygon[row]
        for part in _parts(counts[polygon]):
            found = _inside(points[person[part], joint[part]], vertices, first[polygon[part]], counts[polygon[part]])
            inside[person[part][found], joint[part][found]] = True
    return inside


def _parts(counts: np.ndarray) -> Iterator[slice]:
    """Yield slices of entries with at most :data:`MAX_PAIRS` edges in total, at least one entry each."""
    until = np.cumsum(counts)
    start = 0
    while start < len(counts):
        before = until[start - 1] if start else 0
        stop = max(start + 1, int(np.searchsorted(until, before + MAX_PAIRS, side='right')))
        yield slice(start, stop)
        start = stop


def _inside(points: np.ndarray, vertices: np.ndarray, first: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Return whether point c is inside the polygon of ``counts[c]`` vertices that starts at ``first[c]``, (C,)."""
    owner, corner = expand(first, counts)
    following = np.where(corner + 1 == (first + counts)[owner], first[owner], corner + 1)
    p, a, b = points[owner], vertices[corner], vertices[following]
    straddles = (a[:, 1] > p[:, 1]) != (b[:, 1] > p[:, 1])
    beside = ((p >= np.minimum(a, b)) & (p <= np.maximum(a, b))).all(-1)
    side = np.zeros(len(p))
    matters = straddles | beside
    side[matters] = _side(p[matters], a[matters], b[matters])
    crossed = straddles & ((side > 0) == (b[:, 1] > a[:, 1]))
    starts = np.cumsum(counts) - counts
    odd = np.add.reduceat(crossed.astype(np.int64), starts) % 2 == 1
    return odd & ~np.logical_or.reduceat(beside & (side == 0), starts)


def _side(p: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return the side of p relative to the line from a to b, (C,): > 0 for left (y up), < 0 for right, 0 on it."""
    left = (b[:, 0] - a[:, 0]) * (p[:, 1] - a[:, 1])
    right = (b[:, 1] - a[:, 1]) * (p[:, 0] - a[:, 0])
    side = left - right
    # rounding may have changed the sign; products of tiny numbers may have become 0
    unsure = np.abs(side) <= 1e-15 * (np.abs(left) + np.abs(right)) + np.finfo(np.float64).tiny
    for index in np.flatnonzero(unsure & np.isfinite(side)):
        (px, py), (ax, ay), (bx, by) = (map(Fraction, corner[index].tolist()) for corner in (p, a, b))
        exact = (bx - ax) * (py - ay) - (by - ay) * (px - ax)
        side[index] = (exact > 0) - (exact < 0)
    return side
