"""Placement of walking persons: in front of the camera, past each other, and into and out of the image."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from posediff.synthetic.camera_path import CameraPath
from posediff.synthetic.motion_source import SourceMotion

APART_MM = 450.0  # minimum distance between the roots of two persons
NEAREST_MM = 900.0  # minimum distance of a joint to the camera
ATTEMPTS = 12
LEAD_S = 0.04  # motion extends the clip by this on both ends, for motion blur


@dataclass(frozen=True)
class Walk:
    """A motion placed in the scene.

    Attributes:
        joints: (N, 17, 3) mm, world frame.
        fps: Frames per second; the first frame is at time ``-LEAD_S``.
    """

    joints: np.ndarray
    fps: float

    def at(self, time: float) -> np.ndarray:
        """Return joints (17, 3) at a time in seconds, interpolated between frames."""
        place = np.clip((time + LEAD_S) * self.fps, 0, len(self.joints) - 1)
        before = min(int(place), len(self.joints) - 2)
        share = place - before
        return (1 - share) * self.joints[before] + share * self.joints[before + 1]

    @classmethod
    def of(cls, motion: SourceMotion, yaw: float, place: np.ndarray, time: float) -> Walk:
        """Return a motion rotated by ``yaw`` and shifted so that its root is above ``place`` at ``time``.

        Args:
            motion: The motion.
            yaw: Rotation about the vertical axis, radians, counter-clockwise seen from above.
            place: (3,) mm, world frame, z = 0.
            time: Time in the clip, s.
        """
        cosine, sine = np.cos(yaw), np.sin(yaw)
        joints = motion.joints @ np.array([[cosine, sine, 0], [-sine, cosine, 0], [0, 0, 1]])
        there = joints[min(int((time + LEAD_S) * motion.fps), len(joints) - 1), 0] * [1, 1, 0]
        return cls(joints - there + place, motion.fps)


def place_people(
    rng: np.random.Generator, motions: list[SourceMotion], camera: CameraPath, seconds: float, distance: float
) -> list[Walk]:
    """Place persons so that they collide neither with each other nor with the camera.

    Args:
        rng: Random generator.
        motions: One motion per person.
        camera: Camera path.
        seconds: Length of the clip.
        distance: Distance of the first person from the camera at some time of the clip, mm; the others are nearer or
            further by a factor of up to 1.6.

    Returns:
        One walk per motion, in order. Motions without a place are omitted from the end; the first is always placed.
    """
    walks: list[Walk] = []
    for number, motion in enumerate(motions):
        for _ in range(ATTEMPTS):
            walk = _draw_walk(rng, motion, camera, seconds, distance, first=number == 0)
            if _fits(walk, walks, camera, seconds):
                walks.append(walk)
                break
        else:
            if number > 0:
                break
            # only the camera can collide with the first person; more distance avoids that
            reach = float(np.ptp(motion.joints[..., :2].reshape(-1, 2), axis=0).max())
            place = np.array([0.0, NEAREST_MM + max(distance, 0) + 2 * reach + 1000, 0.0])
            walks.append(Walk.of(motion, 0.0, place, seconds / 2))
    return walks


def _draw_walk(
    rng: np.random.Generator, motion: SourceMotion, camera: CameraPath, seconds: float, distance: float, first: bool
) -> Walk:
    time = rng.uniform(0.15, 0.85) * seconds
    width = camera.img_shape[1]
    kind = rng.random()
    if first:
        column, depth = rng.uniform(0.25, 0.75), distance
    else:
        column = rng.uniform(0.35, 0.65) if kind < 0.5 else rng.uniform(0.02, 0.98)
        if kind > 0.8:  # at the image border: entering or leaving
            column = float(rng.choice([0.0, 1.0])) + rng.uniform(-0.08, 0.08)
        depth = distance * np.exp(rng.uniform(-0.3, 0.47))
    lens = camera.at(time)
    ray = np.array([(column * width - lens.center[0]) / lens.focal[0], 0.0, 1.0]) @ lens.R  # world frame
    place = lens.position + ray * (depth / max(ray[1], 0.2))
    travel = motion.joints[-1, 0, :2] - motion.joints[0, 0, :2]
    yaw = rng.uniform(0, 2 * np.pi)
    if np.hypot(*travel) > 300 and rng.random() < 0.6:  # across the image, where others are
        yaw = float(rng.choice([0.0, np.pi])) + rng.normal(0, 0.4) - np.arctan2(travel[1], travel[0])
    return Walk.of(motion, yaw, place * [1, 1, 0], time)


def _fits(walk: Walk, others: list[Walk], camera: CameraPath, seconds: float) -> bool:
    for time in np.arange(0, seconds, 0.1).tolist():
        joints = walk.at(time)
        if camera.at(time).world_to_camera(joints)[:, 2].min() < NEAREST_MM:
            return False
        if any(np.hypot(*(joints[0] - other.at(time)[0])[:2]) < APART_MM for other in others):
            return False
    return True
