"""Reader and writer of this project's motion capture files (layout: docs/data_formats.md)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from posediff.datasets.mocap_checks import FORMAT_VERSION, check_arrays, read_arrays
from posediff.fileio.atomic_files import atomic_write
from posediff.geometry.cameras import Camera
from posediff.structures.skeletons import CMU17


@dataclass(frozen=True)
class MocapClip:
    """One take.

    Attributes:
        name: Name of the take, unique within the subject's file.
        subject: Name of the subject.
        action: One of :data:`posediff.datasets.converters.cmu.ACTIONS`.
        description: CMU's description of the take.
        joints_3d: (F, 17, 3) float32, metres, world frame, z up; joints of ``cmu17``.
        cameras: Static cameras of the clip.
    """

    name: str
    subject: str
    action: str
    description: str
    joints_3d: np.ndarray
    cameras: list[Camera]


@dataclass(frozen=True)
class SubjectFile:
    """All takes of one subject, and the settings of the conversion.

    Attributes:
        clips: The takes.
        fps: Frames per second.
        seed: Seed of the cameras and of simulated detections.
        preset: Name of the preset from which the cameras were sampled.
    """

    clips: list[MocapClip]
    fps: float
    seed: int
    preset: str


def floor_height(joints: np.ndarray) -> float:
    """Return the height of the floor from (F, K, 3), z up, any unit: a low percentile of the lowest joint's height."""
    return float(np.quantile(joints[..., 2].min(1), 0.02))


def save_subject(path: str | Path, clips: list[MocapClip], *, fps: float, seed: int, preset: str) -> None:
    """Write one subject's file atomically.

    Raises:
        ValueError: There is no clip, clips differ in subject, number of cameras or joints, or
            :func:`load_subject` would reject the file; nothing is written.
    """
    path = Path(path)
    for name, found in (
        ('subject', {clip.subject for clip in clips}),
        ('number of cameras', {len(clip.cameras) for clip in clips}),
        ('number of joints', {clip.joints_3d.shape[1:] for clip in clips}),
    ):
        if len(found) != 1:
            raise ValueError(f'{path}: all clips of a file have one {name}, got {sorted(found)} of {len(clips)} clips')
    cameras = [camera for clip in clips for camera in clip.cameras]
    shape = (len(clips), len(clips[0].cameras))
    arrays = {
        'format_version': np.int64(FORMAT_VERSION),
        'skeleton': np.array(CMU17.name),
        'fps': np.float64(fps),
        'seed': np.int64(seed),
        'camera_preset': np.array(preset),
        'subject': np.array(clips[0].subject),
        'clip_names': np.array([clip.name for clip in clips]),
        'actions': np.array([clip.action for clip in clips]),
        'descriptions': np.array([clip.description for clip in clips]),
        'frame_counts': np.array([len(clip.joints_3d) for clip in clips], dtype=np.int64),
        'joints_3d': np.concatenate([clip.joints_3d for clip in clips]).astype(np.float32),
        'camera_focal': np.array([camera.focal for camera in cameras]).reshape(*shape, 2),
        'camera_center': np.array([camera.center for camera in cameras]).reshape(*shape, 2),
        'camera_R': np.array([camera.R for camera in cameras]).reshape(*shape, 3, 3),
        'camera_t': np.array([camera.t for camera in cameras]).reshape(*shape, 3) / 1000.0,
        'camera_img_shape': np.array([camera.img_shape for camera in cameras], dtype=np.int64).reshape(*shape, 2),
    }
    check_arrays(path, {name: np.asarray(value) for name, value in arrays.items()})
    with atomic_write(path) as temporary:
        np.savez_compressed(temporary, **arrays)


def load_subject(path: str | Path) -> SubjectFile:
    """Read one subject's file.

    Files of earlier converters state ``h36m17`` for ``cmu17`` and are read as ``cmu17``.

    Raises:
        FileNotFoundError: The file does not exist.
        ValueError: The file is truncated, of another kind, version or skeleton, lacks a key, or holds arrays of wrong
            shapes, non-finite numbers, or implausible persons or cameras in metres; the message names the key.
    """
    path = Path(path)
    data = read_arrays(path)
    check_arrays(path, data)
    joints = np.split(data['joints_3d'], np.cumsum(data['frame_counts'])[:-1])
    clips = [
        MocapClip(
            str(data['clip_names'][index]),
            str(data['subject']),
            str(data['actions'][index]),
            str(data['descriptions'][index]),
            joints[index],
            [_camera(data, index, number) for number in range(data['camera_focal'].shape[1])],
        )
        for index in range(len(joints))
    ]
    return SubjectFile(clips, float(data['fps']), int(data['seed']), str(data['camera_preset']))


def _camera(data: dict[str, np.ndarray], clip: int, number: int) -> Camera:
    height, width = data['camera_img_shape'][clip, number].tolist()
    return Camera(
        focal=data['camera_focal'][clip, number],
        center=data['camera_center'][clip, number],
        img_shape=(height, width),
        R=data['camera_R'][clip, number],
        t=data['camera_t'][clip, number] * 1000.0,
    )
