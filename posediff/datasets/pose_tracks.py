"""Clips of poses that a dataset cuts windows from."""

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
    """A generator that a seed and a name decide, whatever else is drawn elsewhere."""
    digest = hashlib.sha256(f'{seed}/{name}'.encode()).digest()
    return np.random.default_rng(np.frombuffer(digest, dtype=np.uint32))


class PoseFrames(NamedTuple):
    """What one camera saw in T frames: 3D in its frame, mm; 2D in px; scores and mask (1 = observed). float32."""

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
        """Frames of the track; ``rng`` decides what is drawn anew."""


@dataclass(frozen=True)
class StoredTrack:
    """A clip with its camera and its detections: reads the same every time."""

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
    """How motion without video becomes 2D input.

    Attributes:
        preset: Where random cameras stand.
        noise: Faults of the detector; None gives exact projections.
        skeleton: Of the joints.
    """

    preset: CameraPreset
    noise: DetectorNoise | None
    skeleton: Skeleton

    def film(self, joints_world: np.ndarray, camera: Camera, rng: np.random.Generator) -> PoseFrames:
        """What ``camera`` and the detector make of joints (T, K, 3) mm, world frame."""
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
    """Motion capture that a new camera and a new detection see at every read.

    Attributes:
        joints_world: (F, K, 3) mm, z up.
        floor: World z of the floor, mm.
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
