"""Extent of a clip's persons and a viewpoint that covers them, shared by the 3D views."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from posediff.geometry.up_axis import estimate_up, level_rotation
from posediff.structures.skeletons import Skeleton
from posediff.visualization.drawing import view_from

PERSON_COLORS = ('#009E73', '#7B3FA0', '#B8860B', '#C2185B', '#00838F', '#5D4037', '#3949AB', '#558B2F')
"""Colours of labels, by track id; distinct from the colours of the sides."""
KEPT_PERCENT = (1.0, 99.0)
"""Percentiles of the coordinates of all poses; poses outside of them do not extend the view, since a root position that
is wrong in one frame would make all other persons small."""
FLOOR_PERCENT = 95.0  # percentile, over the poses, of y of their lowest joint
SPACING = 1000.0  # mm, minimum distance of grid lines
MAX_GRID_LINES = 60
FRUSTUM_DEPTH = 500.0  # mm
DIRECTIONS = 100  # number of directions in which the outermost points are searched
HEADROOM = 300.0  # mm, space for labels


@dataclass(frozen=True)
class SceneLayout:
    """Extent of a clip's persons and the floor, mm in scene axes: x right, y down, z forward.

    Scene axes are the camera axes levelled by the persons' posture and motion, or the unchanged camera axes if these do
    not determine the vertical.

    Attributes:
        level: (3, 3), ``level @ point`` converts a point from camera axes to scene axes.
        up_source: Source of the vertical: ``'estimated'`` or ``'assumed'``.
        extremes: (E, 3) outermost joint positions, their projections on the floor, and space for labels above.
        floor: y of the floor, a plane of the x and z axes.
        grid: (x0, x1, z0, z1) of the drawn floor, multiples of ``spacing``; it extends under the camera.
        spacing: Distance of the grid lines.
    """

    level: np.ndarray
    up_source: str
    extremes: np.ndarray
    floor: float
    grid: tuple[float, float, float, float]
    spacing: float

    @classmethod
    def of(cls, joints: np.ndarray, skeleton: Skeleton, clip: np.ndarray | None = None) -> SceneLayout:
        """Return the layout of a clip.

        The floor is at the 5 % quantile, from below, of the poses' lowest known joints, so neither jumps nor poses that
        sink briefly move it.

        Args:
            joints: (N, J, 3) mm of all poses in camera axes; non-finite joints are ignored.
            skeleton: Skeleton of the joints.
            clip: (M, J, 3) mm of the whole clip, if ``joints`` are of too few frames to estimate the vertical.
        """
        known = joints[np.isfinite(joints).all(-1).any(-1)].astype(np.float64)
        level, up_source = np.eye(3), 'assumed'
        if len(known):
            up = estimate_up(known if clip is None else clip, skeleton)
            level, up_source = level_rotation(up.up), up.source
            known = known @ level.T
        else:
            known = np.array([[[-1000.0, -800.0, 3000.0], [1000.0, 1000.0, 5000.0]]])
        low = np.percentile(np.nanmin(known, 1), KEPT_PERCENT[0], axis=0, method='lower')
        high = np.percentile(np.nanmax(known, 1), KEPT_PERCENT[1], axis=0, method='higher')
        floor = float(np.percentile(np.nanmax(known[..., 1], 1), FLOOR_PERCENT))
        near_enough = (((known >= low) & (known <= high)) | np.isnan(known)).all((1, 2))
        points = (known[near_enough] if near_enough.any() else known).reshape(-1, 3)
        outer = _outermost(points[np.isfinite(points).all(-1)])
        near, far = np.minimum(low, 0)[[0, 2]] - SPACING / 2, np.maximum(high, 0)[[0, 2]] + SPACING / 2
        spacing = SPACING * max(1, int(np.ceil((far - near).max() / SPACING / MAX_GRID_LINES)))
        (x0, z0), (x1, z1) = spacing * np.floor(near / spacing), spacing * np.ceil(far / spacing)
        below = np.stack([outer[:, 0], np.full(len(outer), floor), outer[:, 2]], axis=-1)
        extremes = np.concatenate([outer, outer - [0.0, HEADROOM, 0.0], below])
        return cls(level, up_source, extremes, floor, (float(x0), float(x1), float(z0), float(z1)), spacing)

    def grid_lines(self) -> np.ndarray:
        """Return the ends of the grid lines, (L, 2, 3)."""
        x0, x1, z0, z1 = self.grid
        along = [[[x, self.floor, z0], [x, self.floor, z1]] for x in np.arange(x0, x1 + 1, self.spacing)]
        across = [[[x0, self.floor, z], [x1, self.floor, z]] for z in np.arange(z0, z1 + 1, self.spacing)]
        return np.array(along + across)


@dataclass(frozen=True)
class Viewpoint:
    """A pinhole camera oriented to a point.

    Attributes:
        target: (3,) mm, the point at the image centre.
        azimuth, elevation: Degrees, see :func:`posediff.visualization.drawing.view_from`.
        distance: Distance from the target, mm.
        slope: (horizontal, vertical) tangent of half the angle of view.
    """

    target: np.ndarray
    azimuth: float
    elevation: float
    distance: float
    slope: tuple[float, float]

    @classmethod
    def covering(
        cls, points: np.ndarray, azimuth: float, elevation: float, slope: tuple[float, float], margin: float = 1.15
    ) -> Viewpoint:
        """Return the nearest viewpoint in a direction that has all points in view.

        Args:
            points: (N, 3) mm.
            azimuth, elevation, slope: See the class.
            margin: Factor by which the view is larger than necessary.
        """
        turned = view_from(points, azimuth, elevation)
        middle = (turned.min(0) + turned.max(0)) / 2
        target = middle @ view_from(np.eye(3), azimuth, elevation).T
        right, up, away = np.moveaxis(turned - middle, -1, 0)
        needed = margin * np.maximum(np.abs(right) / slope[0], np.abs(up) / slope[1]) - away
        return cls(target, azimuth, elevation, float(needed.max()), slope)

    def transform(self, points: np.ndarray) -> np.ndarray:
        """Return right, up and depth in mm relative to the viewpoint, (..., 3)."""
        seen = view_from(points - self.target, self.azimuth, self.elevation)
        return seen + np.array([0.0, 0.0, self.distance])


def frustum_lines(focal: np.ndarray, center: np.ndarray, img_shape: tuple[int, int]) -> np.ndarray:
    """Return the edges of the view frustum of a camera at the origin, (8, 2, 3) mm.

    Args:
        focal, center: (2,) px.
        img_shape: (h, w) px.
    """
    height, width = img_shape
    pixels = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float64)
    corners = FRUSTUM_DEPTH * np.concatenate([(pixels - center) / focal, np.ones((4, 1))], axis=1)
    rays = [[np.zeros(3), corner] for corner in corners]
    return np.array(rays + [[corners[number - 1], corners[number]] for number in range(4)])


def _outermost(points: np.ndarray) -> np.ndarray:
    """Return the points (E, 3) of (N, 3) that are furthest in each of :data:`DIRECTIONS` uniform directions."""
    height = np.linspace(-1, 1, DIRECTIONS)
    angle = np.pi * (3 - np.sqrt(5)) * np.arange(DIRECTIONS)  # the golden angle
    radius = np.sqrt(1 - height**2)
    directions = np.stack([radius * np.cos(angle), height, radius * np.sin(angle)], axis=-1)
    return points[np.unique([int((points @ direction).argmax()) for direction in directions])]
