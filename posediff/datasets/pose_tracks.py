"""Pose clips from which datasets take windows."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from posediff.datasets.camera_sampling import CameraPreset, draw_camera
from posediff.datasets.detector_noise import DetectorNoise, simulate_detections
from posediff.geometry.cameras import Camera
from posediff.structures.skeletons import Skeleton


def named_rng(seed: int, name: str) -> np.random.Generator:
    """Return a random generator that depends on a seed and a name only."""
    digest = hashlib.sha256(f'{seed}/{name}'.encode()).digest()
    return np.random.default_rng(np.frombuffer(digest, dtype=np.uint32))


class PoseFrames(NamedTuple):
    """T frames of one camera, float32: 3D in the camera frame, mm; 2D in px; scores and mask (1 = observed)."""

    camera: Camera
    joints_3d: np.ndarray
    keypoints_2d: np.ndarray
    keypoint_scores: np.ndarray
    keypoint_mask: np.ndarray


class Track(Protocol):
    """One person in one clip.

    Attributes:
        track_id: ``<dataset>/<subject>/<clip>/<camera>``.
        num_frames: F.
    """

    @property
    def track_id(self) -> str: ...
    @property
    def subject(self) -> str: ...
    @property
    def action(self) -> str: ...
    @property
    def fps(self) -> float: ...
    @property
    def num_frames(self) -> int: ...

    def read(self, frame_indices: np.ndarray, rng: np.random.Generator) -> PoseFrames:
        """Read frames of the track; ``rng`` is the source of any random draws."""


@dataclass(frozen=True)
class StoredTrack:
    """Clip with a camera and stored detections; every read gives the same values."""

    track_id: str
    subject: str
    action: str
    fps: float
    frames: PoseFrames

    @property
    def num_frames(self) -> int:
        return len(self.frames.joints_3d)

    def read(self, frame_indices: np.ndarray, rng: np.random.Generator) -> PoseFrames:
        camera, *arrays = self.frames
        return PoseFrames(camera, *(array[frame_indices] for array in arrays))


@dataclass(frozen=True)
class Filming:
    """Simulated camera view and detections for motion without video.

    Attributes:
        preset: Ranges of random cameras.
        noise: Noise of the detections; None gives exact projections.
        skeleton: Skeleton of the joints.
    """

    preset: CameraPreset
    noise: DetectorNoise | None
    skeleton: Skeleton

    def film(self, joints_world: np.ndarray, camera: Camera, rng: np.random.Generator) -> PoseFrames:
        """Project joints (T, K, 3) in mm, world frame, with ``camera`` and simulate the detections."""
        joints_3d = camera.world_to_camera(joints_world).astype(np.float32)
        exact = camera.project(joints_3d).astype(np.float32)
        if self.noise is None:
            ones = np.ones(exact.shape[:2], dtype=np.float32)
            return PoseFrames(camera, joints_3d, exact, ones, ones.copy())
        found = simulate_detections(
            exact, joints_3d[..., 2], float(camera.focal[0]), camera.img_shape, self.skeleton, self.noise, rng
        )
        return PoseFrames(camera, joints_3d, *found)


@dataclass(frozen=True)
class RefilmedTrack:
    """Motion capture with a new random camera and new simulated detections at every read.

    Attributes:
        joints_world: (F, K, 3) mm, z up.
        floor: Height of the floor, world z, mm.
    """

    track_id: str
    subject: str
    action: str
    fps: float
    joints_world: np.ndarray
    floor: float
    filming: Filming

    @property
    def num_frames(self) -> int:
        return len(self.joints_world)

    def read(self, frame_indices: np.ndarray, rng: np.random.Generator) -> PoseFrames:
        joints = self.joints_world[frame_indices]
        camera = draw_camera(joints[::3], self.floor, self.filming.preset, rng)
        return self.filming.film(joints, camera, rng)
