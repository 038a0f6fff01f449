"""VideoPose3D's Human3.6M archives to the files of MMPose's ``Human36mDataset`` (layout: docs/data_formats.md)."""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from posediff.atomic_files import replacing
from posediff.datasets.converters.human36m_cameras import (
    LENSES,
    POSES,
    TEST_SUBJECTS,
    TRAIN_SUBJECTS,
    human36m_camera,
)
from posediff.datasets.restricted_pickle import load_object_npz
from posediff.skeletons import H36M17

# The 17 of the 32 joints in the archive, in the order of H36M17.
KEPT_JOINTS = (0, 1, 2, 3, 6, 7, 8, 12, 13, 14, 15, 17, 18, 19, 25, 26, 27)


@dataclass(frozen=True)
class _Video:
    """One action of one subject: (F, 17, 3) mm in the world."""

    subject: str
    action: str
    joints_3d: np.ndarray


def _read_videos(path: Path) -> list[_Video]:
    content = load_object_npz(path)
    if 'positions_3d' not in content:
        raise ValueError(f'{path}: has {sorted(content)}, not positions_3d; expected data_3d_h36m.npz')
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
            videos.append(_Video(subject, action, joints * 1000.0))
    return videos


def _read_detections(path: Path) -> dict[str, dict[str, list[np.ndarray]]]:
    content = load_object_npz(path)
    if 'positions_2d' not in content:
        raise ValueError(f'{path}: has {sorted(content)}, not positions_2d; expected a data_2d_h36m_*.npz')
    joints = content.get('metadata', {}).get('num_joints', H36M17.num_joints)
    if joints != H36M17.num_joints:
        raise ValueError(f'{path}: {joints} joints, expected the {H36M17.num_joints} of Human3.6M')
    return content['positions_2d']


def _detections_of(detections: Any, video: _Video, number: int, path: Path) -> np.ndarray:
    """(F, 17, 3) px and score of one view. The archives hold a few frames more than there are poses: they are cut."""
    try:
        found = np.asarray(detections[video.subject][video.action][number], dtype=np.float64)
    except (KeyError, IndexError) as error:
        raise ValueError(f'{path}: nothing for {video.subject} {video.action!r} camera {number}') from error
    frames = len(video.joints_3d)
    if found.ndim != 3 or found.shape[1] != H36M17.num_joints or found.shape[2] not in (2, 3) or len(found) < frames:
        raise ValueError(
            f'{path}: {video.subject} {video.action!r} camera {number}: shape {found.shape}, expected ({frames}, 17, 2)'
        )
    found = found[:frames]
    if not np.isfinite(found).all():
        raise ValueError(f'{path}: {video.subject} {video.action!r} camera {number} holds NaN or infinite keypoints')
    return found if found.shape[2] == 3 else np.pad(found, ((0, 0), (0, 0), (0, 1)), constant_values=1.0)


def _annotate(video: _Video, camera_id: str) -> dict[str, np.ndarray]:
    """MMPose's arrays of one view: S in metres in the camera frame, part in px, both with a column of ones."""
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
    """Calibration in the layout of MMPose's ``cameras.pkl``: R camera to world, T its position in metres."""
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
    positions_3d: str | Path, destination: str | Path, detections_2d: dict[str, str | Path] | None = None
) -> dict[str, int]:
    """Convert ``data_3d_h36m.npz`` and 2D detections that go with it.

    Args:
        positions_3d: ``data_3d_h36m.npz``.
        destination: Folder to write ``annotation_body3d/`` and ``joint_2d_det_files/`` to.
        detections_2d: Archives of 2D keypoints by the name that their files get, e.g.
            ``{'cpn_ft_h36m_dbb': 'data_2d_h36m_cpn_ft_h36m_dbb.npz'}``. Ground truth 2D is projected and needs none.

    Returns:
        Frames (over all cameras) by split.

    Raises:
        FileNotFoundError: An archive is missing.
        UnsafePickleError: An archive holds more than arrays.
        ValueError: An archive is truncated, or not of the expected structure; the message names the entry.
    """
    positions_3d, destination = Path(positions_3d), Path(destination)
    videos = _read_videos(positions_3d)
    archives = {name: (Path(path), _read_detections(Path(path))) for name, path in (detections_2d or {}).items()}
    unknown = sorted({video.subject for video in videos} - POSES.keys())
    if unknown:
        raise ValueError(f'{positions_3d}: no calibrated cameras for subjects {", ".join(unknown)}')
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
        with replacing(folder / f'h36m_{split}.npz') as temporary:
            np.savez(temporary, **arrays)
        for name, (path, detections) in archives.items():
            found = np.concatenate([_detections_of(detections, video, number, path) for video, number, _ in views])
            with replacing(destination / 'joint_2d_det_files' / f'{name}_{split}.npy') as temporary:
                np.save(temporary, found.astype(np.float32))
    with replacing(destination / 'annotation_body3d' / 'cameras.pkl') as temporary:
        temporary.write_bytes(pickle.dumps(mmpose_cameras()))
    return frames
