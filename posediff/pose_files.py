"""Files of 2D keypoints to read and of 3D poses to write."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from posediff.atomic_files import replacing
from posediff.skeletons import Skeleton, get_skeleton

POSES_SCHEMA = 'posediff-poses-3d'
POSES_SCHEMA_VERSION = 1


@dataclass(frozen=True)
class KeypointClip:
    """2D keypoints of one person in one clip.

    Attributes:
        keypoints_2d: (F, K, 2) float32 px.
        keypoint_scores: (F, K) float32 in [0, 1]; 0 where the joint was not seen.
        fps: Frames a second.
        img_shape: (h, w) px.
        skeleton: Name of the joint convention.
        source: Where the keypoints come from, in words.
    """

    keypoints_2d: np.ndarray
    keypoint_scores: np.ndarray
    fps: float
    img_shape: tuple[int, int]
    skeleton: str
    source: str


def read_keypoints(
    path: str | Path,
    skeleton: str | None = None,
    fps: float | None = None,
    img_shape: tuple[int, int] | None = None,
) -> KeypointClip:
    """Read and check a file of 2D keypoints.

    A ``.npz`` holds ``keypoints_2d`` (F, K, 2) px and may hold ``keypoint_scores`` (F, K), ``skeleton``, ``fps``,
    ``img_shape`` (h, w) and ``source``; a ``.npy`` is one array (F, K, 2), or (F, K, 3) with scores last.

    Args:
        path: The file.
        skeleton, fps, img_shape: What the file does not say. What it does say must not differ.

    Raises:
        FileNotFoundError: There is no such file.
        KeyError: The skeleton is unknown.
        ValueError: The file is truncated or of another kind, something is missing or contradicts the file, a shape is
            wrong, the clip is empty, or a joint that has a score is not finite.
    """
    file = Path(path).expanduser()
    if not file.is_file():
        raise FileNotFoundError(f'keypoint file {file} does not exist')
    fields = _load_fields(file)
    known = _known_fields(file, fields, {'skeleton': skeleton, 'fps': fps, 'img_shape': img_shape})
    keypoints, scores = _check_keypoints(file, fields, get_skeleton(known['skeleton']))
    return KeypointClip(
        keypoints_2d=keypoints,
        keypoint_scores=scores,
        fps=known['fps'],
        img_shape=known['img_shape'],
        skeleton=known['skeleton'],
        source=str(fields['source']) if 'source' in fields else file.name,
    )


def write_poses(
    path: str | Path,
    joints_3d: np.ndarray,
    skeleton: Skeleton,
    fps: float,
    *,
    joints_3d_std: np.ndarray | None = None,
    extra: Mapping[str, Any] | None = None,
) -> None:
    """Write 3D poses as JSON that says what it holds, whole or not at all.

    Args:
        path: The file.
        joints_3d: (F, K, 3) mm, relative to the root joint, camera axes.
        skeleton: Of the joints.
        fps: Frames a second.
        joints_3d_std: (F, K) mm, spread of the hypotheses.
        extra: More top-level fields, for what is known about the clip and the model.

    Raises:
        ValueError: A value is not finite.
    """
    if not np.isfinite(joints_3d).all():
        raise ValueError(f'{path}: joints_3d holds values that are not finite; nothing was written')
    document = {
        'schema': POSES_SCHEMA,
        'schema_version': POSES_SCHEMA_VERSION,
        'units': 'mm',
        'fps': float(fps),
        'skeleton': skeleton.name,
        'joint_names': list(skeleton.joint_names),
        'parents': list(skeleton.parents),
        'coordinates': 'camera axes (x right, y down, z forward), relative to the root joint',
        'root_joint': skeleton.joint_names[skeleton.root],
        'num_frames': len(joints_3d),
        **(extra or {}),
        'joints_3d': np.round(joints_3d, 1).tolist(),
    }
    if joints_3d_std is not None:
        document['joints_3d_std'] = np.round(joints_3d_std, 1).tolist()
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(_plain(document), allow_nan=False) + '\n')


def _load_fields(file: Path) -> dict[str, np.ndarray]:
    try:
        loaded = np.load(file, allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            parts = {'keypoints_2d': loaded[..., :2]}
            return parts | ({'keypoint_scores': loaded[..., 2]} if loaded.shape[-1:] == (3,) else {})
        with loaded:
            fields = {name: loaded[name] for name in loaded.files}
    except (ValueError, EOFError, OSError, zipfile.BadZipFile) as error:
        raise ValueError(f'{file} is not a readable .npz or .npy file (truncated?): {error}') from error
    if 'keypoints_2d' not in fields:
        raise ValueError(f'{file} has no keypoints_2d; it holds: {", ".join(fields) or "nothing"}')
    return fields


def _known_fields(file: Path, fields: Mapping[str, np.ndarray], given: Mapping[str, Any]) -> dict[str, Any]:
    """What file and caller say together about skeleton, fps and image size."""
    stored: dict[str, Any] = {name: fields[name].tolist() for name in given if name in fields}
    if 'img_shape' in stored:
        stored['img_shape'] = tuple(stored['img_shape'])
    for name, value in given.items():
        if value is None and name not in stored:
            raise ValueError(f'{file} does not say its {name}: give it')
        if value is not None and stored.get(name, value) != value:
            raise ValueError(f'{file} says {name} {stored[name]}, not {value}')
    known = stored | {name: value for name, value in given.items() if value is not None}
    shape = known['img_shape']
    if len(shape) != 2 or not all(np.isfinite(side) and side > 0 for side in shape):
        raise ValueError(f'{file}: img_shape must be (h, w) in px, got {shape}')
    if not (np.isfinite(known['fps']) and known['fps'] > 0):
        raise ValueError(f'{file}: fps must be positive, got {known["fps"]}')
    return known


def _check_keypoints(file: Path, fields: Mapping[str, np.ndarray], skeleton: Skeleton) -> tuple[np.ndarray, np.ndarray]:
    keypoints = fields['keypoints_2d'].astype(np.float32)
    if keypoints.ndim != 3 or keypoints.shape[1:] != (skeleton.num_joints, 2):
        raise ValueError(
            f'{file}: keypoints_2d of skeleton {skeleton.name!r} must be (F, {skeleton.num_joints}, 2), '
            f'got {keypoints.shape}'
        )
    if len(keypoints) == 0:
        raise ValueError(f'{file}: the clip is empty, keypoints_2d has shape {keypoints.shape}')
    scores = fields.get('keypoint_scores', np.ones(keypoints.shape[:2])).astype(np.float32)
    if scores.shape != keypoints.shape[:2]:
        raise ValueError(f'{file}: keypoint_scores must be {keypoints.shape[:2]}, got {scores.shape}')
    bad_scores = ~((scores >= 0) & (scores <= 1))
    bad_points = ~np.isfinite(keypoints).all(-1) & (scores != 0)
    for name, values, bad in (('keypoint_scores', scores, bad_scores), ('keypoints_2d', keypoints, bad_points)):
        if bad.any():
            frame, joint = np.argwhere(bad)[0]
            raise ValueError(
                f'{file}: {name} of frame {frame}, joint {skeleton.joint_names[joint]!r} is {values[frame, joint]} '
                f'({bad.sum()} such in all); a joint that was not seen has score 0'
            )
    return keypoints, scores


def _plain(value: Any) -> Any:
    """Numpy scalars and tuples to what JSON knows."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value.item() if isinstance(value, np.generic) else value
