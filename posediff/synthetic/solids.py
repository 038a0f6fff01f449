"""Ray-cast tapered capsules with flattened cross-section."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from posediff.synthetic.canvas import NEAR_MM, NEARNESS_MM, Canvas
from posediff.synthetic.vectors import cross


@dataclass(frozen=True)
class Solid:
    """The convex hull of two balls, flattened along ``front``. Lengths in mm, coordinates in the camera frame.

    Attributes:
        start, end: (3,) centres of the balls.
        start_radius, end_radius: Their radii, perpendicular to ``front``.
        front: (3,) unit vector, the direction of the texture's middle column.
        flatness: Radius along ``front`` divided by the radius across it; 1 is round.
        texture: (U, V, 3) uint8, BGR. Rows go from the outer end of the first ball to that of the second, columns once
            around, from the back over one side and the front (:func:`texture_angles`).
    """

    start: np.ndarray
    end: np.ndarray
    start_radius: float
    end_radius: float
    front: np.ndarray
    texture: np.ndarray
    flatness: float = 1.0


@dataclass(frozen=True)
class Light:
    """Directional and ambient light.

    Attributes:
        direction: (3,) unit vector towards the light, camera frame.
        up: (3,) unit vector, camera frame; surfaces that face up get more ambient light.
        ambient, diffuse: Brightness of a surface in the shade, and the added brightness of one that faces the light.
    """

    direction: np.ndarray
    up: np.ndarray
    ambient: float
    diffuse: float


def texture_angles(columns: int) -> np.ndarray:
    """Return each texture column's angle from the front, (V,) radians in (-pi, pi).

    Positive is the left of a body that stands along the axis and faces the front. Columns are equidistant in
    ``1 - cos / (|cos| + |sin|)`` instead of the angle, which is cheaper to compute per pixel.
    """
    turn = (np.arange(columns) + 0.5) / columns * 4 - 2
    cosine, sine = 1 - np.abs(turn), np.sign(turn) * (1 - np.abs(1 - np.abs(turn)))
    return np.arctan2(sine, cosine)


@np.errstate(divide='ignore', invalid='ignore')  # missed rays give NaN and count as infinitely far
def draw_solid(picture: Canvas, solid: Solid, owner: int, light: Light) -> None:
    """Draw a solid with depth test."""
    window = _window(picture, solid)
    if window is None:
        return
    rows, columns = window
    # In a space stretched along front the solid is round and rays remain straight.
    stretch = np.eye(3)
    if solid.flatness != 1:
        stretch += (1 / solid.flatness - 1) * solid.front[:, None] * solid.front
    start, axis = stretch @ solid.start, stretch @ (solid.end - solid.start)
    depth, along = _hit(picture.x[:, columns], picture.y[rows], start, axis, solid, stretch)
    nearness = np.float32(NEARNESS_MM) / depth
    shown = np.nonzero(nearness > picture.nearness[rows, columns])
    if not len(shown[0]):
        return
    depth, along = depth[shown], along[shown]
    points = np.empty((3, len(depth)), np.float32)
    np.multiply(picture.x[0, columns][shown[1]], depth, out=points[0])
    np.multiply(picture.y[rows, 0][shown[0]], depth, out=points[1])
    points[2] = depth
    stretch = stretch.astype(np.float32)
    normals = (points if solid.flatness == 1 else stretch @ points) - start.astype(np.float32)[:, None]
    normals -= axis.astype(np.float32)[:, None] * np.minimum(np.maximum(along, 0), 1)
    if solid.flatness != 1:
        normals = stretch @ normals
    normals /= np.sqrt(np.einsum('in,in->n', normals, normals)) + np.float32(1e-6)
    picture.color[rows, columns][shown] = _shade(solid, normals, along, light)
    picture.nearness[rows, columns][shown] = nearness[shown]
    picture.owner[rows, columns][shown] = owner


def _window(picture: Canvas, solid: Solid) -> tuple[slice, slice] | None:
    """Return the rows and columns that the solid may cover; None if it is outside the image or reaches the camera."""
    height, width = picture.owner.shape
    grow = max(1.0, solid.flatness)
    left = top = float('inf')
    right = bottom = -float('inf')
    for place, radius in ((solid.start, solid.start_radius), (solid.end, solid.end_radius)):
        x, y, z = place.tolist()
        nearest = z - radius * grow
        if nearest < NEAR_MM:
            return None
        focal = float(picture.camera.focal[0])
        column, row = x / z * focal + picture.camera.center[0], y / z * focal + picture.camera.center[1]
        reach = 1.05 * radius * grow / nearest * focal + 1
        left, right = min(left, column - reach), max(right, column + reach)
        top, bottom = min(top, row - reach), max(bottom, row + reach)
    first_column, last_column = max(int(left), 0), min(int(right) + 2, width)
    first_row, last_row = max(int(top), 0), min(int(bottom) + 2, height)
    if first_column >= last_column or first_row >= last_row:
        return None
    return slice(first_row, last_row), slice(first_column, last_column)


def _hit(
    x: np.ndarray, y: np.ndarray, start: np.ndarray, axis: np.ndarray, solid: Solid, stretch: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Intersect rays with the hull of two balls.

    Args:
        x, y: (1, w), (h, 1) ray directions.
        start, axis: (3,) first centre, and the vector to the second, in the stretched space.
        solid: The solid.
        stretch: (3, 3) map to the stretched space.

    Returns:
        (h, w) depth in mm of the first hit, infinite for missed rays, and position along the axis: 0 at the first
        centre, 1 at the second, outside [0, 1] on the caps.
    """

    def along_ray(vector: np.ndarray) -> np.ndarray:
        slope_x, slope_y, constant = (stretch @ vector).astype(np.float32)
        return slope_x * x + (slope_y * y + constant)

    r_start, r_end = solid.start_radius, solid.end_radius
    taper = r_start - r_end
    square = x * x + (y * y + np.float32(1))
    if solid.flatness != 1:
        squeezed = along_ray(solid.front)
        square += np.float32(1 - solid.flatness**2) * squeezed * squeezed
    length, offset, reach = float(axis @ axis), -float(axis @ start), float(start @ start)
    on_axis, on_start = along_ray(axis), -along_ray(start)
    first = np.float32(offset - r_start * taper)
    depth = np.full(square.shape, np.inf, np.float32)
    cone = length - taper**2  # negative: one ball contains the other
    if cone > 1e-3 * length:
        quadratic = np.float32(cone) * square - on_axis * on_axis
        linear = np.float32(cone) * on_start + np.float32(taper * r_start - offset) * on_axis
        constant = cone * reach - offset**2 + 2 * offset * taper * r_start - length * r_start**2
        mantle = -(linear + np.sqrt(linear * linear - np.float32(constant) * quadratic)) / quadratic
        place = first + mantle * on_axis
        np.copyto(depth, mantle, where=(place > 0) & (place < np.float32(cone)))
    balls = (on_start, r_start, reach), (on_start - on_axis, r_end, reach + length - 2 * offset)
    for toward, radius, distance in balls:
        root = np.sqrt(toward * toward - square * np.float32(distance - radius**2))
        np.fmin(depth, -(toward + root) / square, out=depth)
    return depth, (first + depth * on_axis) / np.float32(max(cone, 1e-3 * length, 1e-6))


def _shade(solid: Solid, normals: np.ndarray, along: np.ndarray, light: Light) -> np.ndarray:
    """Return the colours (N, 3) uint8 of points with normals (3, N) and positions (N,) along the axis."""
    axis = solid.end - solid.start
    length = max(math.sqrt(axis @ axis), 1.0)
    front = solid.front.astype(np.float32)
    side = cross(axis / length, solid.front).astype(np.float32)
    cosine, sine = front @ normals, side @ normals
    around = np.copysign(1 - cosine / (np.abs(cosine) + np.abs(sine) + np.float32(1e-6)), sine)
    height, width = solid.texture.shape[:2]
    first = solid.start_radius / length
    share = (along + np.float32(first)) / np.float32(1 + first + solid.end_radius / length)
    rows = np.minimum(np.maximum(share, 0) * np.float32(height), height - 1).astype(np.intp)
    columns = np.minimum((around + 2) * np.float32(width / 4), width - 1).astype(np.intp)
    sky = np.float32(0.3 * light.ambient) * (light.up.astype(np.float32) @ normals)
    lit = np.maximum(light.direction.astype(np.float32) @ normals, 0)
    brightness = np.float32(light.ambient) + sky + np.float32(light.diffuse) * lit
    return np.minimum(solid.texture[rows, columns] * brightness[:, None], 255).astype(np.uint8)
