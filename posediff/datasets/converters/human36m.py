"""Converter from VideoPose3D's Human3.6M archives to MMPose's ``Human36mDataset`` (layout: docs/data_formats.md)."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from posediff.datasets.converters.human36m_cameras import (
    LENSES,
    POSES,
    TEST_SUBJECTS,
    TRAIN_SUBJECTS,
    human36m_camera,
)
from posediff.datasets.converters.human36m_detections import LAYOUTS, DetectionArchive
from posediff.datasets.plausible_poses import ANY_POSE, PERSON, check_person_size
from posediff.fileio.atomic_files import atomic_write
from posediff.fileio.restricted_pickle import load_object_npz
from posediff.structures.argument_checks import require_one_of

# Indices of the 17 joints among the archive's 32, in the order of H36M17.
KEPT_JOINTS = (0, 1, 2, 3, 6, 7, 8, 12, 13, 14, 15, 17, 18, 19, 25, 26, 27)


UNITS = {'m': 1000.0, 'mm': 1.0}
"""mm per unit of the archive, by name."""

_UNIT_NAMES = {'m': 'm', 'metre': 'm', 'metres': 'm', 'meter': 'm', 'meters': 'm'} | {
    'mm': 'mm', 'millimetre': 'mm', 'millimetres': 'mm', 'millimeter': 'mm', 'millimeters': 'mm',
}  # fmt: skip


@dataclass(frozen=True)
class _Video:
    """One action of one subject: (F, 17, 3) mm in the world."""

    subject: str
    action: str
    joints_3d: np.ndarray


def _read_videos(path: Path, units: str | None) -> list[_Video]:
    content = load_object_npz(path)
    if not isinstance(content.get('positions_3d'), Mapping):
        raise ValueError(f'{path}: has {sorted(content)}, not positions_3d; expected data_3d_h36m.npz')
    scale = UNITS[_unit_of(content.get('metadata'), units, path)]
    videos = []
    for subject, actions in content['positions_3d'].items():
        for action, positions in actions.items():
            joints = np.asarray(positions, dtype=np.float64)
            if joints.ndim != 3 or joints.shape[1:] not in ((32, 3), (17, 3)) or len(joints) == 0:
                raise ValueError(f'{path}: {subject} {action!r} has shape {joints.shape}, expected (F, 32, 3)')
            if not np.isfinite(joints).all():
                raise ValueError(f'{path}: {subject} {action!r} holds NaN or infinite positions')
            if joints.shape[1] == 32:
                joints = joints[:, KEPT_JOINTS]
            videos.append(_Video(subject, action, joints * scale))
    return videos


def _unit_of(metadata: Any, units: str | None, path: Path) -> str:
    """Return the unit that the archive or the caller states; metres, the archives' usual unit, if neither does."""
    found = metadata.get('units', metadata.get('unit')) if isinstance(metadata, Mapping) else None
    stated = None if found is None else _UNIT_NAMES.get(str(found).lower())
    if found is not None and stated is None:
        raise ValueError(f'{path}: its metadata gives the unit {found!r}; known: {", ".join(UNITS)}')
    if stated is not None and units not in (None, stated):
        raise ValueError(f'{path}: its metadata gives the unit {found!r}, not {units!r}')
    return stated or units or 'm'


def _check_sizes(videos: list[_Video], path: Path) -> None:
    """Raise ValueError if persons have implausible sizes, as in an archive that is not in the assumed unit."""
    hint = f' Set --units {"|".join(UNITS)}'
    for subject in dict.fromkeys(video.subject for video in videos):
        own = np.concatenate([video.joints_3d for video in videos if video.subject == subject])
        check_person_size(own / 1000.0, f'{path}: {subject}', PERSON, hint)
    for video in videos:
        check_person_size(video.joints_3d / 1000.0, f'{path}: {video.subject} {video.action!r}', ANY_POSE, hint)


def _annotate(video: _Video, camera_id: str) -> dict[str, np.ndarray]:
    """Return MMPose's arrays of one view: S in metres in the camera frame, part in px, both with a column of ones."""
    camera = human36m_camera(video.subject, camera_id)
    joints = camera.world_to_camera(video.joints_3d)
    pixels = camera.project(joints)
    low, high = pixels.min(1), pixels.max(1)
    name = f'{video.subject}_{video.action.replace(" ", "_")}.{camera_id}'
    ones = np.ones((*joints.shape[:2], 1))
    return {
        'imgname': np.array([f'{video.subject}/{name}/{name}_{frame + 1:06d}.jpg' for frame in range(len(joints))]),
        'center': (low + high) / 2,
        'scale': (high - low).max(-1) * 1.25 / 200,
        'part': np.concatenate([pixels, ones], axis=-1).astype(np.float32),
        'S': np.concatenate([joints / 1000.0, ones], axis=-1).astype(np.float32),
    }


def mmpose_cameras() -> dict[tuple[str, str], dict[str, Any]]:
    """Return the calibration in the layout of MMPose's ``cameras.pkl``: R camera to world, T position in metres."""
    table = {}
    for subject in POSES:
        for number, (camera_id, lens) in enumerate(LENSES.items(), start=1):
            camera = human36m_camera(subject, camera_id)
            height, width = lens.img_shape
            table[subject, camera_id] = {
                'R': camera.R.T,
                'T': camera.position[:, None] / 1000.0,
                'c': np.array(lens.center)[:, None],
                'f': np.array(lens.focal)[:, None],
                'k': np.array(lens.radial)[:, None],
                'p': np.array(lens.tangential)[:, None],
                'w': width,
                'h': height,
                'name': f'camera{number}',
                'id': camera_id,
            }
    return table


def convert_videopose3d(
    positions_3d: str | Path,
    destination: str | Path,
    detections_2d: dict[str, str | Path] | None = None,
    units: str | None = None,
    layout: str | None = None,
    say: Callable[[str], None] = lambda text: None,
) -> dict[str, int]:
    """Convert ``data_3d_h36m.npz`` and matching 2D detections.

    Args:
        positions_3d: ``data_3d_h36m.npz``.
        destination: Folder to write ``annotation_body3d/`` and ``joint_2d_det_files/`` to.
        detections_2d: Archives of 2D keypoints by the name of their output, e.g.
            ``{'cpn_ft_h36m_dbb': 'data_2d_h36m_cpn_ft_h36m_dbb.npz'}``. Ground truth 2D is projected and needs none.
            COCO joints are converted to Human3.6M's by :mod:`posediff.structures.skeleton_conversion`.
        units: A key of :data:`UNITS`, the unit of ``positions_3d``; None uses the unit that the archive states, and
            metres if it states none.
        layout: ``'h36m'`` or ``'coco'``: joint order of 2D archives that do not state it.
        say: Called with one sentence for each subject without data and each change to the 2D keypoints; by default,
            nothing is reported.

    Returns:
        Number of frames over all cameras, by split.

    Raises:
        FileNotFoundError: An archive is missing.
        UnsafePickleError: An archive holds objects other than arrays.
        ValueError: An archive is truncated, has an unexpected structure, or is in another unit; the message names the
            entry. No file is written then.
    """
    positions_3d, destination = Path(positions_3d), Path(destination)
    if units is not None:
        require_one_of('convert_videopose3d', 'units', units, UNITS)
    if layout is not None:
        require_one_of('convert_videopose3d', 'layout', layout, LAYOUTS)
    videos = _read_videos(positions_3d, units)
    archives = {name: DetectionArchive(path, layout) for name, path in (detections_2d or {}).items()}
    unknown = sorted(map(str, {video.subject for video in videos} - POSES.keys()))
    if unknown:
        raise ValueError(f'{positions_3d}: no calibrated cameras for subjects {", ".join(unknown)}')
    _check_sizes(videos, positions_3d)
    for archive in archives.values():  # before anything is written
        for video in videos:
            for number in range(len(LENSES)):
                archive.view(video.subject, video.action, number, len(video.joints_3d))
        for sentence in archive.changes:
            say(f'{archive.path}: {sentence}')
    absent = [subject for subject in POSES if subject not in {video.subject for video in videos}]
    if absent:
        say(f'{positions_3d}: has no data of {", ".join(absent)}')
    frames = {}
    for split, subjects in (('train', TRAIN_SUBJECTS), ('test', TEST_SUBJECTS)):
        views = [
            (video, number, camera_id)
            for video in videos
            if video.subject in subjects
            for number, camera_id in enumerate(LENSES)
        ]
        if not views:
            continue
        parts = [_annotate(video, camera_id) for video, _, camera_id in views]
        arrays = {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}
        frames[split] = len(arrays['S'])
        folder = destination / 'annotation_body3d' / 'fps50'
        with atomic_write(folder / f'h36m_{split}.npz') as temporary:
            np.savez(temporary, **arrays)
        for name, archive in archives.items():
            found = [
                archive.view(video.subject, video.action, number, len(video.joints_3d)) for video, number, _ in views
            ]
            with atomic_write(destination / 'joint_2d_det_files' / f'{name}_{split}.npy') as temporary:
                np.save(temporary, np.concatenate(found))
    with atomic_write(destination / 'annotation_body3d' / 'cameras.pkl') as temporary:
        temporary.write_bytes(pickle.dumps(mmpose_cameras()))
    return frames
