"""``.pose`` files of sign-language-processing's pose-format, read by that package."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np

from posediff.fileio.keypoint_files.contents import Contents, RawPerson
from posediff.fileio.keypoint_files.documents import Source
from posediff.fileio.keypoint_files.formats import KeypointFormat, register_format
from posediff.fileio.keypoint_files.joint_names import columns_of
from posediff.fileio.keypoint_files.mmpose import MAX_PEAK

BODY = {
    'POSE_LANDMARKS': 'mediapipe33',  # MediaPipe Holistic
    'pose_keypoints_2d': 'body25',  # OpenPose
    'BODY': 'coco17',  # COCO-WholeBody
    'BODY_133': 'coco17',
    'BODY_135': None,
    'BODY_136': None,
}


def _matches(source: Source) -> bool:
    return source.kind == 'pose'


def _read(source: Source, skeleton: str | None) -> Contents:
    pose = _load(source)
    component, first = _body(source, pose.header.components)
    name, columns = columns_of(str(source.path), component.points, skeleton or BODY.get(component.name))
    data = np.ma.filled(np.ma.asarray(pose.body.data)[..., :2].astype(np.float64), np.nan)
    confidence = np.asarray(pose.body.confidence, np.float64)
    missing = np.array([column is None for column in columns])
    rows = np.array([first + (0 if column is None else column) for column in columns])
    people = []
    for frame, (persons, scores) in enumerate(zip(data[:, :, rows], confidence[:, :, rows], strict=True)):
        for person, (points, score) in enumerate(zip(persons, scores, strict=True)):
            score = np.where(missing, 0, score)
            if (score > 0).any():
                people.append(RawPerson(f'{source.path}: frame {frame}: person {person}', frame, points, score))
    size = pose.header.dimensions
    return Contents(
        people,
        skeleton=name,
        states_skeleton=True,
        max_score=MAX_PEAK,
        min_score=-MAX_PEAK,
        first_frame=0,
        img_shape=(size.height, size.width) if size.height > 0 and size.width > 0 else None,
        scaled=True,
        fps=float(pose.body.fps) if 0 < float(pose.body.fps) < 1e6 else None,
    )


def _load(source: Source) -> Any:
    try:
        from pose_format import Pose
    except ImportError as error:
        raise ImportError(
            f"{source.path}: .pose files need the package pose-format: pip install 'posediff[keypoint-files]'"
        ) from error
    try:
        return Pose.read(source.path.read_bytes())
    except (
        struct.error, ValueError, TypeError, IndexError, KeyError, OverflowError, MemoryError, NotImplementedError,
        UnicodeDecodeError, ZeroDivisionError, AttributeError,
    ) as error:  # fmt: skip
        raise ValueError(f'{source.path} is not a readable .pose file (truncated?): {error}') from error


def _body(source: Source, components: list[Any]) -> tuple[Any, int]:
    """Return the component with the body joints, and the index of its first point."""
    first = 0
    for one in components:
        if one.name in BODY:
            return one, first
        first += len(one.points)
    held = ', '.join(one.name for one in components) or 'nothing'
    raise ValueError(f'{source.path}: none of its components is a body ({", ".join(BODY)}); it holds {held}')


POSE_FORMAT = register_format(KeypointFormat('pose', '.pose of pose-format', _matches, _read))
