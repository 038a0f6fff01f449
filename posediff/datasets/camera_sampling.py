"""Random cameras for motion capture without video."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from posediff.geometry.cameras import Camera

NEAREST_MM = 500.0  # minimum distance of a joint to the camera


@dataclass(frozen=True)
class CameraPreset:
    """Ranges (minimum, maximum) of camera parameters, sampled uniformly.

    Attributes:
        distance: Distance from the camera to the centre of the motion, m. It is increased if the motion does not fit.
        height: Height above the floor, m. The pitch follows from height and distance, as the camera is aimed at the
            person; it is limited to 72 degrees up or down. If the person is off-centre, roll changes the height of the
            camera, but never to below the floor.
        roll: Maximum tilt to either side, degrees.
        field_of_view: Field of view across the longer image side, degrees.
        img_shapes: (h, w) px, sampled with equal probability.
        off_center: Maximum offset of the motion's centre from the image centre, as a fraction of half the image.
        margin: Fraction of half the image that the motion may fill.
        in_frame: Fraction of all joints that must lie within the margin; the others may leave the image.
    """

    distance: tuple[float, float]
    height: tuple[float, float]
    roll: float
    field_of_view: tuple[float, float]
    img_shapes: tuple[tuple[int, int], ...]
    off_center: float
    margin: float = 0.95
    in_frame: float = 0.98


CAMERA_PRESETS = {
    # Handheld phone, portrait or landscape, standing or sitting.
    'wild': CameraPreset(
        distance=(2.0, 8.0),
        height=(0.8, 2.2),
        roll=4.0,
        field_of_view=(52.0, 72.0),
        img_shapes=((1080, 1920), (1920, 1080)),
        off_center=0.35,
    ),
    # Any footage: from a phone on the floor to a camera at the ceiling, level or tilted.
    'anywhere': CameraPreset(
        distance=(2.0, 10.0),
        height=(0.2, 4.0),
        roll=20.0,
        field_of_view=(40.0, 75.0),
        img_shapes=((1080, 1920), (1920, 1080)),
        off_center=0.5,
    ),
    # Human3.6M: focal length 1145 px on 1000 px, four cameras in the corners of a small room.
    'h36m': CameraPreset(
        distance=(4.0, 6.0),
        height=(1.3, 1.7),
        roll=1.0,
        field_of_view=(47.0, 47.4),
        img_shapes=((1000, 1000), (1002, 1000)),
        off_center=0.2,
    ),
}


def get_camera_preset(name: str) -> CameraPreset:
    """Return the preset called ``name``.

    Raises:
        KeyError: The name is unknown; the message lists the known names.
    """
    try:
        return CAMERA_PRESETS[name]
    except KeyError:
        raise KeyError(f'unknown camera preset {name!r}; known: {", ".join(sorted(CAMERA_PRESETS))}') from None


def _orientation(yaw: float, pitch: float, roll: float) -> np.ndarray:
    """Return the (3, 3) rotation world to camera for ``yaw``, downward ``pitch`` and image ``roll``, in radians."""
    sin_yaw, cos_yaw = math.sin(yaw), math.cos(yaw)
    sin_pitch, cos_pitch = math.sin(pitch), math.cos(pitch)
    right = np.array([sin_yaw, -cos_yaw, 0.0])
    forward = np.array([cos_yaw * cos_pitch, sin_yaw * cos_pitch, -sin_pitch])
    down = np.array([-cos_yaw * sin_pitch, -sin_yaw * sin_pitch, -cos_pitch])
    sin_roll, cos_roll = math.sin(roll), math.cos(roll)
    return np.stack([cos_roll * right + sin_roll * down, cos_roll * down - sin_roll * right, forward])


def _required_distance(
    points: np.ndarray, focal: float, half: tuple[float, float], offset: tuple[float, float], in_frame: float
) -> float:
    """Return the least distance at which the fraction ``in_frame`` of the points lies within ``half`` px of the centre.

    Args:
        points: (N, 3) relative to the aim point, in camera axes.
        focal: Focal length, px.
        half: Half width and half height of the allowed area, px.
        offset: Projection of the aim point, px from the image centre.
        in_frame: Fraction of the points that must be inside.
    """
    x, y, z = points[:, 0], points[:, 1], points[:, 2]
    needed = NEAREST_MM - z
    # |x f + d o| <= h (z + d) for both signs, solved for d
    for coordinate, limit, shift in ((x, half[0], offset[0]), (y, half[1], offset[1])):
        needed = np.maximum(needed, (coordinate * focal - limit * z) / (limit - shift))
        needed = np.maximum(needed, (-coordinate * focal - limit * z) / (limit + shift))
    rank = min(int(in_frame * len(needed)), len(needed) - 1)
    return max(float(np.partition(needed, rank)[rank]), NEAREST_MM - float(z.min()))


def draw_camera(points: np.ndarray, floor: float, preset: CameraPreset, rng: np.random.Generator) -> Camera:
    """Sample a static camera whose image contains a motion.

    Args:
        points: (..., 3) joints of the motion, world frame, mm.
        floor: Height of the floor, world z, mm.
        preset: Ranges of the camera parameters.
        rng: Random generator; always eight numbers are drawn.
    """
    points = points.reshape(-1, 3)
    draws = rng.random(8)
    height, width = preset.img_shapes[int(draws[0] * len(preset.img_shapes))]
    between = [low + draw * (high - low) for (low, high), draw in
               zip((preset.distance, preset.height, preset.field_of_view), draws[1:4], strict=True)]  # fmt: skip
    distance, camera_height, field_of_view = between[0] * 1000, floor + between[1] * 1000, between[2]
    yaw = 2 * math.pi * draws[4]
    roll = math.radians(preset.roll) * (2 * draws[5] - 1)
    focal = 0.5 * max(height, width) / math.tan(math.radians(field_of_view) / 2)
    half = (preset.margin * width / 2, preset.margin * height / 2)
    offset = (preset.off_center * width / 2 * (2 * draws[6] - 1), preset.off_center * height / 2 * (2 * draws[7] - 1))
    aim = points.mean(0)
    relative = points - aim

    def aimed(below: float) -> tuple[np.ndarray, np.ndarray]:
        """Return R and t such that the aim point projects ``below`` px under the image centre before roll."""
        away = distance
        # The distance changes the pitch and so the required distance; three iterations converge.
        for _ in range(3):
            lever = away * math.hypot(1.0, below / focal)
            sine = min(max((camera_height - aim[2]) / lever, -0.95), 0.95)
            rotation = _orientation(yaw, math.asin(sine) - math.atan(below / focal), roll)
            required = _required_distance(relative @ rotation.T, focal, half, offset, preset.in_frame)
            if required <= away:
                break
            away = required * 1.001
        return rotation, away * np.array([offset[0] / focal, offset[1] / focal, 1.0]) - rotation @ aim

    rotation, translation = aimed(offset[1])
    if -rotation[:, 2] @ translation < floor:
        # Roll moves an off-centre aim point up or down, which the cameras of published data ignore. To keep those
        # cameras, a camera is corrected only if it would be below the floor.
        rotation, translation = aimed(math.cos(roll) * offset[1] + math.sin(roll) * offset[0])
    return Camera(
        focal=np.array([focal, focal]),
        center=np.array([width / 2, height / 2]),
        img_shape=(height, width),
        R=rotation,
        t=translation,
    )
