"""Drawing of one skeleton into Matplotlib axes."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection

from posediff.structures.skeletons import Skeleton

# Colour-blind safe (Okabe and Ito's palette).
SIDE_COLORS = {'left': '#0072B2', 'right': '#D55E00', 'middle': '#595959'}
UNSEEN_COLOR, UNSEEN_WIDTH = '#B2B2AE', 0.3  # colour and width factor of segments to unseen joints


def joint_colors(skeleton: Skeleton) -> list[str]:
    """Return the colour of every joint and of the segment that ends in it."""
    colors = [SIDE_COLORS['middle']] * skeleton.num_joints
    for side, joints in (('left', skeleton.left), ('right', skeleton.right)):
        for joint in joints:
            colors[joint] = SIDE_COLORS[side]
    return colors


def view_from(points: np.ndarray, azimuth: float = 0.0, elevation: float = 0.0) -> np.ndarray:
    """Project 3D points orthographically to a viewpoint rotated around them.

    Args:
        points: (..., 3) camera axes: x right, y down, z forward.
        azimuth: Rotation of the viewpoint from the camera, degrees; at 90 the viewpoint is on the camera's right.
        elevation: Downward view angle, degrees.

    Returns:
        (..., 3): right, up, and away from the viewpoint, in the unit of ``points``.
    """
    turn, tilt = np.deg2rad([azimuth, elevation])
    x, up, away = points[..., 0], -points[..., 1], points[..., 2]
    right = x * np.cos(turn) + away * np.sin(turn)
    away = away * np.cos(turn) - x * np.sin(turn)
    return np.stack([right, up * np.cos(tilt) + away * np.sin(tilt), away * np.cos(tilt) - up * np.sin(tilt)], axis=-1)


def draw_skeleton(
    ax: Axes,
    points: np.ndarray,
    skeleton: Skeleton,
    *,
    width: float = 2.5,
    alpha: float = 1.0,
    joint_size: float = 14.0,
    seen: np.ndarray | None = None,
) -> None:
    """Draw segments and joints, sorted from far to near if a depth is given.

    Args:
        ax: Axes; their limits are not changed.
        points: (K, 2), or (K, 3) with the depth last. Non-finite joints are omitted.
        skeleton: Skeleton of the joints.
        width, joint_size: In points; ``joint_size`` 0 draws no joints.
        alpha: Opacity.
        seen: (K,) bool; segments to unseen joints are thin and grey, and unseen joints have no disc. None: all joints
            are seen.
    """
    colors = joint_colors(skeleton)
    shown = np.isfinite(points).all(-1)
    seen = np.ones(len(points), bool) if seen is None else seen
    segments = [(child, parent) for child, parent in skeleton.segments if shown[child] and shown[parent]]
    if points.shape[-1] == 3:
        segments.sort(key=lambda segment: -points[list(segment), 2].mean())
    lines = LineCollection(
        [points[[child, parent], :2] for child, parent in segments],
        colors=[colors[child] if seen[child] and seen[parent] else UNSEEN_COLOR for child, parent in segments],
        linewidths=[width if seen[child] and seen[parent] else UNSEEN_WIDTH * width for child, parent in segments],
        alpha=alpha,
        capstyle='round',
    )
    ax.add_collection(lines, autolim=False)
    if joint_size:
        style: dict[str, Any] = {'s': joint_size, 'edgecolors': 'white', 'linewidths': 0.6, 'zorder': 3, 'alpha': alpha}
        discs = shown & seen
        ax.scatter(points[discs, 0], points[discs, 1], c=np.array(colors)[discs], **style)


def draw_floor(
    ax: Axes, height: float, half_size: float, azimuth: float, elevation: float, spacing: float = 500.0
) -> None:
    """Draw a grid below the pose.

    Args:
        ax: Axes.
        height: y of the floor in camera axes (down is positive).
        half_size: Half the side of the grid.
        azimuth, elevation: Viewpoint, see :func:`view_from`.
        spacing: Distance of the grid lines. All lengths are in the unit of the pose.
    """
    count = max(1, int(half_size // spacing))
    ticks = spacing * np.arange(-count, count + 1)
    ends = np.array([ticks[0], ticks[-1]])
    lines = [np.array([[tick, height, end] for end in ends]) for tick in ticks]
    lines += [np.array([[end, height, tick] for end in ends]) for tick in ticks]
    flat = [view_from(line, azimuth, elevation)[:, :2] for line in lines]
    ax.add_collection(LineCollection(flat, colors='#C8C8C8', linewidths=0.8, zorder=0), autolim=False)
