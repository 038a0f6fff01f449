"""Triangulation from several calibrated views."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from posediff.geometry.cameras import Camera

ITERATIONS = 3  # linear solutions; the first has depth 1 for all views


def triangulate(
    points: np.ndarray, cameras: Sequence[Camera], weights: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Triangulate points by iterated linear least squares (Hartley and Sturm, "Triangulation", CVIU 1997).

    The equations of each view are divided by the point's depth in the previous iteration, so that the error in pixels
    is minimised.

    Args:
        points: (V, ..., 2) px without lens distortion, for V views.
        cameras: The V cameras.
        weights: (V, ...) >= 0, e.g. confidences; None: 1.

    Returns:
        Points (..., 3) in the world frame, mm, and the mean reprojection error (...) over the views with positive
            weight, px; both are NaN if fewer than two views have positive weight.

    Raises:
        ValueError: The numbers of views and cameras differ.
    """
    if len(points) != len(cameras):
        raise ValueError(f'{len(points)} views need as many cameras, got {len(cameras)}')
    weights = np.ones(points.shape[:-1]) if weights is None else np.asarray(weights, np.float64)
    projections = np.stack([_projection(camera) for camera in cameras])
    rows = points[..., None] * projections[:, None, 2].reshape(len(cameras), *(1,) * (points.ndim - 2), 1, 4)
    rows = rows - projections[:, :2].reshape(len(cameras), *(1,) * (points.ndim - 2), 2, 4)
    rows = np.where(weights[..., None, None] > 0, rows * weights[..., None, None], 0)  # (V, ..., 2, 4)
    depths = np.ones(points.shape[:-1])
    for _ in range(ITERATIONS):
        stacked = np.moveaxis(rows / depths[..., None, None], 0, -3)
        stacked = stacked.reshape(*stacked.shape[:-3], -1, 4)
        found = (np.linalg.pinv(stacked[..., :3]) @ -stacked[..., 3:])[..., 0]
        depths = np.stack([np.maximum(np.abs(found @ camera.R[2] + camera.t[2]), 1.0) for camera in cameras])
    homogeneous = np.concatenate([found, np.ones((*found.shape[:-1], 1))], axis=-1)
    seen = np.einsum('vij,...j->v...i', projections, homogeneous)
    errors = np.linalg.norm(seen[..., :2] / seen[..., 2:] - points, axis=-1)
    counts = (weights > 0).sum(0)
    error = np.where(weights > 0, errors, 0).sum(0) / np.maximum(counts, 1)
    known = counts >= 2
    return np.where(known[..., None], found, np.nan), np.where(known, error, np.nan)


def _projection(camera: Camera) -> np.ndarray:
    intrinsic = np.array([[camera.focal[0], 0, camera.center[0]], [0, camera.focal[1], camera.center[1]], [0, 0, 1]])
    return intrinsic @ np.concatenate([camera.R, camera.t[:, None]], axis=1)
