"""The files in which this project keeps motion capture (layout: docs/data_formats.md)."""

from __future__ import annotations

import os
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from posediff.geometry import Camera
from posediff.skeletons import H36M17

FORMAT_VERSION = 1


@dataclass(frozen=True)
class MocapClip:
    """One take.

    Attributes:
        joints_3d: (F, 17, 3) float32, metres, world frame, z up.
        cameras: Static cameras that film it.
    """

    name: str
    subject: str
    action: str
    description: str
    joints_3d: np.ndarray
    cameras: list[Camera]


@dataclass(frozen=True)
class SubjectFile:
    """All takes of one subject, and the settings of the conversion."""

    clips: list[MocapClip]
    fps: float
    seed: int
    preset: str


def floor_height(joints: np.ndarray) -> float:
    """Where the floor is: the height that the lowest joint rarely goes below. (F, K, 3), z up, any unit."""
    return float(np.quantile(joints[..., 2].min(1), 0.02))


def save_subject(path: str | Path, clips: list[MocapClip], *, fps: float, seed: int, preset: str) -> None:
    """Write one subject's file; it appears under its name only when complete."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    cameras = [camera for clip in clips for camera in clip.cameras]
    shape = (len(clips), -1)
    arrays = {
        'format_version': np.int64(FORMAT_VERSION),
        'skeleton': np.array(H36M17.name),
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
    temporary = path.with_name(f'.{path.name}.{os.getpid()}.tmp')
    try:
        with temporary.open('wb') as file:
            np.savez_compressed(file, **arrays)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def load_subject(path: str | Path) -> SubjectFile:
    """Read one subject's file.

    Raises:
        FileNotFoundError: There is none.
        ValueError: The file is truncated, of another version or skeleton, or holds non-finite numbers.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f'{path}: no such motion capture file ; tools/dataset_converters/cmu_mocap.py makes it')
    try:
        with np.load(path, allow_pickle=False) as file:
            data = {name: file[name] for name in file.files}
        version, skeleton = int(data['format_version']), str(data['skeleton'])
    except (zipfile.BadZipFile, ValueError, EOFError, KeyError, OSError) as error:
        raise ValueError(f'{path}: not a complete motion capture file ({error})') from error
    if version != FORMAT_VERSION or skeleton != H36M17.name:
        raise ValueError(
            f'{path}: format version {version} with skeleton {skeleton!r}, expected {FORMAT_VERSION}, {H36M17.name!r}'
        )
    if not np.isfinite(data['joints_3d']).all():
        raise ValueError(f'{path}: joints_3d holds NaN or infinite numbers')
    ends = np.cumsum(data['frame_counts'])
    if len(ends) == 0 or data['frame_counts'].min() < 1 or ends[-1] != len(data['joints_3d']):
        raise ValueError(
            f'{path}: frame_counts {data["frame_counts"].tolist()} do not divide its {len(data["joints_3d"])} frames'
        )
    joints = np.split(data['joints_3d'], ends[:-1])
    clips = [
        MocapClip(
            str(data['clip_names'][index]),
            str(data['subject']),
            str(data['actions'][index]),
            str(data['descriptions'][index]),
            joints[index],
            [_camera(data, index, number) for number in range(data['camera_focal'].shape[1])],
        )
        for index in range(len(ends))
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
