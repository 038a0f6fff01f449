"""Where the people of a clip are, and from where one sees them all: what the 3D views have in common."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from posediff.geometry.up_axis import estimate_up, level_rotation
from posediff.structures.skeletons import Skeleton
from posediff.visualization.drawing import view_from

PERSON_COLORS = ('#009E73', '#7B3FA0', '#B8860B', '#C2185B', '#00838F', '#5D4037', '#3949AB', '#558B2F')
"""Of labels, by track id; unlike the colours of the sides."""
KEPT_PERCENT = (1.0, 99.0)
"""Poses further out than these decide nothing: a root that jumped away for a frame would shrink all others."""
FLOOR_PERCENT = 95.0
SPACING = 1000.0  # mm
MAX_GRID_LINES = 60
FRUSTUM_DEPTH = 500.0  # mm
DIRECTIONS = 100
HEADROOM = 300.0  # mm, for labels


@dataclass(frozen=True)
class SceneLayout:
    """Where people reach in a clip and the floor under them, mm in scene axes: x right, y down, z forward.

    Scene axes are those of the camera, levelled as people stand and walk; of the camera as it is, where that does not
    tell.

    Attributes:
        level: (3, 3), ``level @ point`` is a point of camera axes in scene axes.
        up_source: How it is known: ``'estimated'`` or ``'assumed'``.
        extremes: (E, 3) the outermost places of joints, the places on the floor under them, and room for labels above.
        floor: y of the floor, a plane of the x and z axes.
        grid: (x0, x1, z0, z1) of the floor that is drawn, multiples of ``spacing``; it reaches under the camera.
        spacing: Distance of the grid's lines.
    """

    level: np.ndarray
    up_source: str
    extremes: np.ndarray
    floor: float
    grid: tuple[float, float, float, float]
    spacing: float

    @classmethod
    def of(cls, joints: np.ndarray, skeleton: Skeleton, clip: np.ndarray | None = None) -> SceneLayout:
        """Layout of a clip.

        The floor is as high as the lowest known joint of a pose is in its lowest 5 %, so that neither a jump nor a
        pose that sank for a moment moves it.

        Args:
            joints: (N, J, 3) mm of all poses in camera axes; joints that are not finite count for nothing.
            skeleton: Of the joints.
            clip: (M, J, 3) mm of the whole clip, where ``joints`` are of some moments, too few to tell which way is up.
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
        """(L, 2, 3) ends of the floor's lines."""
        x0, x1, z0, z1 = self.grid
        along = [[[x, self.floor, z0], [x, self.floor, z1]] for x in np.arange(x0, x1 + 1, self.spacing)]
        across = [[[x0, self.floor, z], [x1, self.floor, z]] for z in np.arange(z0, z1 + 1, self.spacing)]
        return np.array(along + across)


@dataclass(frozen=True)
class Onlooker:
    """A pinhole camera that looks at a point.

    Attributes:
        target: (3,) mm, what is seen in the middle.
        azimuth, elevation: Degrees, see :func:`posediff.visualization.drawing.view_from`.
        distance: mm from the target.
        slope: (horizontal, vertical) tangent of half the angle of view.
    """

    target: np.ndarray
    azimuth: float
    elevation: float
    distance: float
    slope: tuple[float, float]

    @classmethod
    def seeing(
        cls, points: np.ndarray, azimuth: float, elevation: float, slope: tuple[float, float], margin: float = 1.15
    ) -> Onlooker:
        """The nearest one from a side who has all points in view.

        Args:
            points: (N, 3) mm.
            azimuth, elevation, slope: As above.
            margin: How much larger than needed the view is.
        """
        turned = view_from(points, azimuth, elevation)
        middle = (turned.min(0) + turned.max(0)) / 2
        target = middle @ view_from(np.eye(3), azimuth, elevation).T
        right, up, away = np.moveaxis(turned - middle, -1, 0)
        needed = margin * np.maximum(np.abs(right) / slope[0], np.abs(up) / slope[1]) - away
        return cls(target, azimuth, elevation, float(needed.max()), slope)

    def look(self, points: np.ndarray) -> np.ndarray:
        """(..., 3) right, up and depth in mm as seen from the onlooker's place."""
        seen = view_from(points - self.target, self.azimuth, self.elevation)
        return seen + np.array([0.0, 0.0, self.distance])


def frustum_lines(focal: np.ndarray, center: np.ndarray, img_shape: tuple[int, int]) -> np.ndarray:
    """Ends (8, 2, 3) in mm of the edges of what a camera in the origin sees.

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
    """(E, 3) of points (N, 3): the furthest in each of :data:`DIRECTIONS` directions, spread evenly over the sphere."""
    height = np.linspace(-1, 1, DIRECTIONS)
    angle = np.pi * (3 - np.sqrt(5)) * np.arange(DIRECTIONS)  # the golden angle
    radius = np.sqrt(1 - height**2)
    directions = np.stack([radius * np.cos(angle), height, radius * np.sin(angle)], axis=-1)
    return points[np.unique([int((points @ direction).argmax()) for direction in directions])]
