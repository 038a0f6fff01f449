"""The position of a root-relative 3D pose in the camera frame, from its 2D keypoints.

:func:`solve_root_position` is the least-squares solution, exact for noise-free input, batched, for NumPy and PyTorch.
:func:`fit_root_position` estimates the depth of one pose without the bias of least squares on noisy poses.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from posediff.geometry.cameras import Camera, unproject_points


def solve_root_position(
    joints_3d: Any,
    keypoints_2d: Any,
    focal: Any,
    center: Any,
    distortion: Any = None,
    weights: Any = None,
    check: bool = True,
) -> Any:
    """Solve for the root position that aligns a root-relative pose with its 2D keypoints, in closed form.

    Minimises ``sum_k w_k |(X_k + t)_xy - n_k (X_k + t)_z|^2`` over t in each frame, where n_k is the ray of keypoint k.
    The problem is linear in t; the solution is exact for noise-free input.

    Args:
        joints_3d: (..., K, 3) joints relative to the root, camera axes, mm.
        keypoints_2d: (..., K, 2) px.
        focal, center: (2,) px, or batched so that they broadcast against (..., K, 2).
        distortion: None, or (5,), or batched so that it broadcasts against (..., K, 5).
        weights: (..., K) >= 0, e.g. confidences; 0 excludes a joint. None: 1 for all.
        check: Whether to check for frames with fewer than two joints; pass False if there are no such frames, since the
            check synchronises with an accelerator.

    Returns:
        (..., 3) root position in the camera frame, mm.

    Raises:
        ValueError: A frame has fewer than two joints with positive weight.
    """
    rays = unproject_points(keypoints_2d, focal, center, distortion)
    is_tensor = isinstance(joints_3d, torch.Tensor)
    library = torch if is_tensor else np
    weights = library.ones_like(joints_3d[..., 0]) if weights is None else weights
    sparse = (weights > 0).sum(-1) < 2 if check else None
    if sparse is not None and sparse.any():
        raise ValueError(f'{int(sparse.sum())} frames have fewer than two keypoints: their position is not determined')
    target = rays * joints_3d[..., 2:3] - joints_3d[..., :2]
    weighted = weights[..., None]
    total = weights.sum(-1)
    ray_sum = (weighted * rays).sum(-2)
    ray_square = (weighted * rays * rays).sum((-1, -2))
    # Eliminating t_xy from the 3x3 normal equations gives one equation for the depth.
    target_sum = (weighted * target).sum(-2)
    cross = (weighted * rays * target).sum((-1, -2))
    spread = ray_square - (ray_sum * ray_sum).sum(-1) / total
    depth = ((ray_sum * target_sum).sum(-1) / total - cross) / spread
    lateral = (target_sum + ray_sum * depth[..., None]) / total[..., None]
    parts = (lateral, depth[..., None])
    return torch.cat(parts, dim=-1) if is_tensor else np.concatenate(parts, axis=-1)


def fit_root_position(
    joints_3d: np.ndarray, keypoints_2d: np.ndarray, weights: np.ndarray, camera: Camera
) -> np.ndarray:
    """Fit the root position of one pose to its 2D keypoints by the reduced major axis.

    ``(X_k + t)_xy = n_k (X_k + t)_z`` for all joints k, where n_k is the ray of keypoint k: the points
    ``(n_k, X_k,xy - n_k X_k,z)`` lie on a line with slope ``t_z``. The slope is estimated by the reduced major axis,
    the ratio of the spreads (Ricker 1973, https://doi.org/10.1139/f73-072). The least-squares solution
    (:func:`solve_root_position`) is biased: the less the pose fits the keypoints, the smaller the distance from the
    camera.

    Args:
        joints_3d: (J, 3) mm, relative to the root joint, camera axes.
        keypoints_2d: (J, 2) px, in the same skeleton.
        weights: (J,) >= 0; 0 excludes a joint.
        camera: The intrinsics are used.

    Returns:
        (3,) float32 mm in the camera frame. NaN if fewer than two joints have a positive weight, if all keypoints
        coincide (to a millionth of the focal length), or if the pose is mirrored relative to the keypoints.
    """
    counts = weights > 0
    unknown = np.full(3, np.nan, np.float32)
    if counts.sum() < 2:
        return unknown
    pose, weight = joints_3d[counts].astype(np.float64), weights[counts, None].astype(np.float64) / weights.sum()
    rays = unproject_points(keypoints_2d[counts].astype(np.float64), camera.focal, camera.center, camera.distortion)
    offsets = pose[:, :2] - rays * pose[:, 2:]
    mean_ray, mean_offset = (weight * rays).sum(0), (weight * offsets).sum(0)
    ray, offset = rays - mean_ray, offsets - mean_offset
    spread = (weight * ray**2).sum()
    if spread < 1e-12 or (weight * ray * offset).sum() <= 0:
        return unknown
    depth = np.sqrt((weight * offset**2).sum() / spread)
    return np.array([*(depth * mean_ray - mean_offset), depth], np.float32)
