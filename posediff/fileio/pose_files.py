"""Read 2D keypoints and write 3D poses."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from posediff.fileio.atomic_files import atomic_write
from posediff.fileio.keypoint_files import FoundPerson, KeypointRecord, read_keypoint_file
from posediff.fileio.keypoint_files.clocks import SAME_RATE
from posediff.structures.skeletons import Skeleton

POSES_SCHEMA = 'posediff-poses-3d'
POSES_SCHEMA_VERSION = 1
MAX_FRAMES = 10_000_000


@dataclass(frozen=True)
class KeypointClip:
    """2D keypoints of one person in one clip.

    Attributes:
        keypoints_2d: (F, K, 2) float32 px; NaN for undetected keypoints.
        keypoint_scores: (F, K) float32 in [0, 1]; 0 for undetected keypoints.
        fps: Frame rate.
        img_shape: (h, w) px.
        skeleton: Name of the skeleton.
        source: Description of the origin of the keypoints.
        first_frame: Index of the first frame in the pictures of the video.
        notes: Sentences for the user about how the file was read.
    """

    keypoints_2d: np.ndarray
    keypoint_scores: np.ndarray
    fps: float
    img_shape: tuple[int, int]
    skeleton: str
    source: str
    first_frame: int = 0
    notes: tuple[str, ...] = ()


def read_keypoints(
    path: str | Path,
    skeleton: str | None = None,
    fps: float | None = None,
    img_shape: tuple[int, int] | None = None,
    *,
    person: str | int | None = None,
    **options: Any,
) -> KeypointClip:
    """Read and validate the keypoints of one person from a file or folder of any known format.

    An ``.npz`` holds ``keypoints_2d`` (F, K, 2) px and optionally ``keypoint_scores`` (F, K), ``skeleton``, ``fps``,
    ``img_shape`` (h, w) and ``source``; an ``.npy`` is one array (F, K, 2), or (F, K, 3) with scores last. The formats
    of other programs are listed in :data:`posediff.fileio.keypoint_files.FORMATS`.

    Args:
        path: The file or folder.
        skeleton, fps, img_shape: Values that the file does not state; must not contradict the file.
        person: Track id or name of the person, if there are several.
        options: See :func:`posediff.fileio.keypoint_files.read_keypoint_file`.

    Raises:
        FileNotFoundError: The file does not exist.
        KeyError: The skeleton is unknown.
        ImportError: The format needs a package that is not installed.
        ValueError: The file is truncated or of an unknown format, information is missing or contradicts the file, a
            value is invalid, or the person is ambiguous.
    """
    record = read_keypoint_file(path, skeleton, img_shape=img_shape, **options)
    chosen = _one_person(record, person)
    if record.stamped_fps is not None and fps is not None and abs(record.stamped_fps / fps - 1) > SAME_RATE:
        raise ValueError(f'{record.path}: its time stamps give {record.stamped_fps:.5g} fps, not {fps:g}')
    rate, size = record.fps if fps is None else fps, record.img_shape
    if record.fps not in (None, rate):
        raise ValueError(f'{record.path} states fps {record.fps}, not {rate}')
    if rate is None or size is None:
        raise ValueError(
            f'{record.path} does not state its {"fps" if rate is None else "img_shape"}: pass it as an argument'
        )
    if not (np.isfinite(rate) and rate > 0):
        raise ValueError(f'{record.path}: fps must be positive, got {rate}')
    if record.times is not None:  # the file omits frames without persons and states the times of the others
        chosen = _by_time(record, record.times, chosen, rate)
    frames = range(min(chosen), max(chosen) + 1)
    if len(frames) > MAX_FRAMES:
        raise ValueError(
            f'{record.path}: {len(chosen)} frames from {frames[0]} to {frames[-1]} are too many for a clip: are these '
            'picture numbers?'
        )
    joints = record.skeleton.num_joints
    keypoints = np.full((len(frames), joints, 2), np.nan, np.float32)
    scores = np.zeros((len(frames), joints), np.float32)
    for row, frame in enumerate(frames):
        if frame in chosen:
            seen = chosen[frame].scores > 0
            keypoints[row, seen], scores[row] = chosen[frame].keypoints[seen], chosen[frame].scores
    return KeypointClip(
        keypoints_2d=keypoints,
        keypoint_scores=scores,
        fps=rate,
        img_shape=size,
        skeleton=record.skeleton.name,
        source=record.origin,
        first_frame=frames[0],
        notes=record.notes,
    )


def _one_person(record: KeypointRecord, wanted: str | int | None) -> dict[int, FoundPerson]:
    """Return one person, by frame."""
    by_id: dict[int | None, dict[int, FoundPerson]] = {}
    for frame, people in record.people.items():
        for one in people:
            if one.track_id is None and frame in by_id.get(None, {}):
                raise ValueError(
                    f'{record.path}: {len(people)} people in frame {frame + record.first_frame} without track ids: one '
                    'person is lifted here; posediff video tracks several'
                )
            by_id.setdefault(one.track_id, {})[frame] = one
    names = {_name(record, track): track for track in by_id}
    listing = ', '.join(f'{name} ({len(by_id[track])} frames)' for name, track in names.items())
    if wanted is not None:
        if str(wanted) not in names:
            raise ValueError(f'{record.path}: there is no person {wanted!r} (--person); it holds {listing}')
        return by_id[names[str(wanted)]]
    if len(by_id) > 1:
        raise ValueError(f'{record.path} holds several people: {listing}; select one with --person')
    return by_id[next(iter(by_id))]


def _by_time(
    record: KeypointRecord, times: np.ndarray, chosen: Mapping[int, FoundPerson], fps: float
) -> dict[int, FoundPerson]:
    """Return one person by frame at a constant rate."""
    placed: dict[int, FoundPerson] = {}
    for frame, one in chosen.items():
        number = round(float(times[frame]) * fps)
        if number in placed:
            usual = 1 / float(np.median(np.diff(times)))
            raise ValueError(
                f'{record.path}: at fps {fps:g} several of its frames are frame {number} (at {times[frame]:.3f} s); '
                f'their times are those of about {usual:.4g} fps'
            )
        placed[number] = one
    return placed


def _name(record: KeypointRecord, track: int | None) -> str:
    return 'without id' if track is None else record.track_names.get(track, str(track))


def write_poses(
    path: str | Path,
    joints_3d: np.ndarray,
    skeleton: Skeleton,
    fps: float,
    *,
    joints_3d_std: np.ndarray | None = None,
    joints_3d_radius_90: np.ndarray | None = None,
    left_out: np.ndarray | None = None,
    extra: Mapping[str, Any] | None = None,
) -> None:
    """Write 3D poses as self-describing JSON, atomically.

    Args:
        path: The file.
        joints_3d: (F, K, 3) mm, relative to the root joint, camera axes.
        skeleton: Skeleton of the joints.
        fps: Frame rate.
        joints_3d_std: (F, K) mm, spread of the hypotheses.
        joints_3d_radius_90: (F, K) mm, radius that holds 90 % of the hypotheses.
        left_out: (F, K) bool, joints that are written as null; None: no joint.
        extra: Additional top-level fields with metadata of the clip and the model.

    Raises:
        ValueError: A value that is to be written is not finite.
    """
    written = np.ones(joints_3d.shape[:2], bool) if left_out is None else ~left_out
    if not np.isfinite(joints_3d[written]).all():
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
        'joints_3d': _rounded(joints_3d, written),
    }
    for name, values in (('joints_3d_std', joints_3d_std), ('joints_3d_radius_90', joints_3d_radius_90)):
        if values is not None:
            document[name] = _rounded(values, written)
    with atomic_write(path) as temporary:
        temporary.write_text(json.dumps(_plain(document), allow_nan=False) + '\n')


def _rounded(values: np.ndarray, written: np.ndarray) -> list:
    """Return nested lists of (F, K, …), rounded to 0.1; null for joints that are not written."""
    nested = np.round(values, 1).astype(object)
    nested[~written] = None
    return nested.tolist()


def _plain(value: Any) -> Any:
    """Convert numpy scalars and tuples to JSON types."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value.item() if isinstance(value, np.generic) else value
