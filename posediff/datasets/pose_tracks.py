"""Pose clips from which datasets take windows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from posediff.datasets.camera_sampling import CameraPreset, draw_camera
from posediff.datasets.crossover import crossover
from posediff.datasets.detector_noise import DetectorNoise, simulate_detections
from posediff.datasets.motion_variation import MotionVariation, at_times
from posediff.geometry.cameras import Camera
from posediff.structures.skeletons import Skeleton


class PoseFrames(NamedTuple):
    """T frames of one person seen by one camera; arrays are float32.

    Attributes:
        camera: The camera.
        joints_3d: (T, K, 3) mm, camera frame.
        keypoints_2d: (T, K, 2) px.
        keypoint_scores: (T, K) in [0, 1].
        keypoint_mask: (T, K), 1 for observed keypoints, else 0.
    """

    camera: Camera
    joints_3d: np.ndarray
    keypoints_2d: np.ndarray
    keypoint_scores: np.ndarray
    keypoint_mask: np.ndarray


class Track(Protocol):
    """One person in one clip.

    Attributes:
        track_id: ``<dataset>/<subject>/<clip>/<camera>``.
        subject, action: Names of the subject and the action.
        fps: Frames per second.
        num_frames: F, the number of frames.
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
        """Read frames of the track.

        Args:
            frame_indices: (T,) indices of the frames, from 0; may repeat.
            rng: Random generator, for tracks whose camera or detections are sampled anew.
        """


@dataclass(frozen=True)
class StoredTrack:
    """Clip with a fixed camera and stored detections; reading the same frames returns the same values.

    Attributes:
        frames: All F frames; the other attributes are those of :class:`Track`.
    """

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
        filming: Simulation of cameras and detections; the other attributes are those of :class:`Track`.
        stride: Frames of ``joints_world`` per frame of the track; every read begins at a random one of them.
        variation: Random changes of the motion.
        recordings: Joints (F', K, 3) of the recordings from which ``variation.crossover`` takes the upper body.
    """

    track_id: str
    subject: str
    action: str
    fps: float
    joints_world: np.ndarray
    floor: float
    filming: Filming
    stride: int = 1
    variation: MotionVariation = MotionVariation()
    recordings: Sequence[np.ndarray] = ()

    @property
    def num_frames(self) -> int:
        return -(-len(self.joints_world) // self.stride)

    def read(self, frame_indices: np.ndarray, rng: np.random.Generator) -> PoseFrames:
        wanted = frame_indices * self.stride
        if self.stride > 1:
            last = len(self.joints_world) - 1
            wanted = np.minimum(wanted + rng.integers(self.stride), last)
        joints = at_times(self.joints_world, self.variation.times(wanted, len(self.joints_world), rng))
        if self.variation.draws_crossover(rng):
            joints = self._with_other_upper_body(joints, wanted, rng)
        joints = self.variation.change_body(joints, self.filming.skeleton, rng)
        joints = self.variation.turn_over(joints, self.filming.skeleton, rng)
        camera = draw_camera(joints[::3], self.floor, self.filming.preset, rng)
        return self.filming.film(joints, camera, rng)

    def _with_other_upper_body(self, joints: np.ndarray, wanted: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return joints with the upper body of a random recording that is long enough, from a random frame on."""
        other = self.recordings[int(rng.integers(len(self.recordings)))]
        steps = wanted - wanted[0]
        last = len(other) - 1 - int(steps[-1])
        if last < 0:
            return joints
        times = self.variation.times(int(rng.integers(last + 1)) + steps, len(other), rng)
        crossed = crossover(joints, at_times(other, times), self.filming.skeleton)
        return joints if crossed is None else crossed
