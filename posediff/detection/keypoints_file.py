"""Keypoints that somebody else found: a file takes the place of detector and 2D estimator."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from posediff.detection.base import BaseDetector, People, boxes_around, clip_boxes
from posediff.registry import DETECTORS
from posediff.skeletons import Skeleton, get_skeleton
from posediff.video.frames import VideoFrame

Person = tuple[np.ndarray, np.ndarray]  # keypoints (K, 2) px, scores (K,)


def read_people(path: str | Path, skeleton: str | None = None) -> tuple[Skeleton, dict[int, list[Person]]]:
    """Read the people of each frame.

    What is read: ``poses.npz`` and ``poses.json`` of this project; a ``.npz`` with ``keypoints_2d`` (F, K, 2) px of one
    person and perhaps ``keypoint_scores`` (F, K); COCO's results, a list of ``{"image_id": frame, "keypoints": [x, y,
    score, …]}``, with ``frame_index`` as another name of the frame; what MMPose's inferencers write, a list of
    ``{"frame_id": …, "instances": [{"keypoints": …, "keypoint_scores": …}]}``. Frames count from 0. A joint that is not
    finite was not seen; a frame that is not named is empty.

    Args:
        path: The file.
        skeleton: Of its keypoints, if it does not say that itself.

    Returns:
        The skeleton, and the people by frame.

    Raises:
        FileNotFoundError: There is no such file.
        KeyError: The skeleton is unknown.
        ValueError: The file is malformed, or contradicts ``skeleton``; the message names the entry.
    """
    file = Path(path).expanduser()
    if not file.is_file():
        raise FileNotFoundError(f'keypoints file {file} does not exist')
    own, entries = _npz_entries(file) if file.suffix == '.npz' else _json_entries(file)
    if own is not None and skeleton not in (None, own):
        raise ValueError(f'{file} says skeleton {own}, not {skeleton}')
    name = own or skeleton
    if name is None:
        raise ValueError(f'{file} does not say its skeleton: give it (--skeleton)')
    joints = get_skeleton(name)
    people: dict[int, list[Person]] = {}
    for number, (frame, keypoints, scores) in enumerate(entries):
        people.setdefault(frame, []).append(_checked(f'{file}: entry {number}', frame, keypoints, scores, joints))
    return joints, people


@DETECTORS.register_module()
class KeypointsFileDetector(BaseDetector):
    """Boxes around the people of a file of keypoints, a tenth larger on every side; see :func:`read_people`.

    Args:
        path: The file.
        skeleton: Of its keypoints, if it does not say that itself.
    """

    def __init__(self, path: str | Path, skeleton: str | None = None) -> None:
        _, self.people = read_people(path, skeleton)

    def __call__(self, frames: Sequence[VideoFrame]) -> list[People]:
        return [boxes_of(self.people.get(frame.picture, []), frame.image.shape[:2])[0] for frame in frames]

    @classmethod
    def contract_cases(cls) -> list[dict[str, Any]]:
        """A file of COCO's results."""
        return [{'path': example_file(), 'skeleton': 'coco17'}]


def boxes_of(people: Sequence[Person], img_shape: tuple[int, int]) -> tuple[People, list[int]]:
    """Boxes of those who are at least partly in the image, and which of the people they are."""
    boxes, rows = [], []
    for row, (keypoints, scores) in enumerate(people):
        seen = keypoints[scores > 0]
        if not len(seen):
            continue
        (box,) = boxes_around(seen[None])
        if len(clip_boxes(box, scores[:1], img_shape)):
            boxes.append(box)
            rows.append(row)
    means = np.array([people[row][1].mean() for row in rows])
    return clip_boxes(np.array(boxes), means, img_shape), rows


def _npz_entries(file: Path) -> tuple[str | None, Iterator[tuple[Any, Any, Any]]]:
    try:
        with np.load(file, allow_pickle=False) as arrays:
            fields = {
                name: arrays[name]
                for name in ('keypoints_2d', 'keypoint_scores', 'frame_index', 'keypoint_skeleton', 'skeleton')
                if name in arrays
            }
    except (ValueError, EOFError, OSError, zipfile.BadZipFile) as error:
        raise ValueError(f'{file} is not a readable .npz file (truncated?): {error}') from error
    if 'keypoints_2d' not in fields:
        raise ValueError(f'{file} has no keypoints_2d')
    keypoints = fields['keypoints_2d']
    if keypoints.ndim != 3:
        raise ValueError(f'{file}: keypoints_2d must be (F, K, 2) px, got shape {keypoints.shape}')
    scores = fields.get('keypoint_scores', np.ones(keypoints.shape[:2]))
    frames = fields.get('frame_index', np.arange(len(keypoints)))
    if not len(keypoints) == len(scores) == len(frames):
        raise ValueError(f'{file}: {len(keypoints)} keypoints_2d, {len(scores)} keypoint_scores, {len(frames)} frames')
    name = fields.get('keypoint_skeleton', fields.get('skeleton'))
    return None if name is None else str(name), zip(frames.tolist(), keypoints, scores, strict=True)


def _json_entries(file: Path) -> tuple[str | None, Iterator[tuple[Any, Any, Any]]]:
    try:
        document = json.loads(file.read_bytes())
    except ValueError as error:
        raise ValueError(f'{file} is not readable JSON (truncated?): {error}') from error
    name = document.get('keypoint_skeleton') if isinstance(document, dict) else None
    rows = document.get('rows', document.get('instance_info')) if isinstance(document, dict) else document
    if not isinstance(rows, list):
        raise ValueError(f'{file}: expected a list of people or frames, got {type(rows).__name__}')
    return name, _json_people(file, rows)


def _json_people(file: Path, rows: Sequence[Any]) -> Iterator[tuple[Any, Any, Any]]:
    for number, row in enumerate(rows):
        try:
            frames = [row[name] for name in ('frame_index', 'image_id', 'frame_id') if name in row]
            if not frames:
                raise ValueError('it names no frame (frame_index, image_id or frame_id)')
            for person in row.get('instances', [row]):
                if 'keypoints_2d' in person:
                    yield frames[0], person['keypoints_2d'], person['keypoint_scores']
                elif 'keypoint_scores' in person:
                    yield frames[0], person['keypoints'], person['keypoint_scores']
                else:
                    triples = np.asarray(person['keypoints'], np.float64).reshape(-1, 3)
                    yield frames[0], triples[:, :2], triples[:, 2]
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ValueError(f'{file}: row {number}: {type(error).__name__}: {error}') from error


def _checked(where: str, frame: Any, keypoints: Any, scores: Any, skeleton: Skeleton) -> Person:
    if isinstance(frame, bool) or not isinstance(frame, int) or frame < 0:
        raise ValueError(f'{where}: a frame is a whole number from 0, got {frame!r}')
    try:
        points, values = np.array(keypoints, np.float32), np.array(scores, np.float32)
    except (TypeError, ValueError) as error:
        raise ValueError(f'{where}: keypoints and scores must be numbers: {error}') from error
    joints = skeleton.num_joints
    if points.shape != (joints, 2) or values.shape != (joints,):
        raise ValueError(
            f'{where}: keypoints of {skeleton.name} must be ({joints}, 2) with ({joints},) scores, got {points.shape} '
            f'and {values.shape}'
        )
    seen = np.isfinite(points).all(-1) & np.isfinite(values)
    wrong = seen & ((values < 0) | (values > 1))
    if wrong.any():
        raise ValueError(f'{where}: a score must be in [0, 1], got {values[wrong][0]}')
    return np.where(seen[:, None], points, 0), np.where(seen, values, 0)


def example_file() -> str:
    """Two people in the first frame, one of them in the third."""
    import tempfile

    rng = np.random.default_rng(0)
    rows = []
    for frame, left in ((0, 10), (0, 60), (2, 60)):
        points = np.concatenate([rng.uniform([left, 10], [left + 40, 90], (17, 2)), np.full((17, 1), 0.9)], -1)
        rows.append({'image_id': frame, 'category_id': 1, 'keypoints': points.ravel().tolist(), 'score': 0.9})
    with tempfile.NamedTemporaryFile('w', suffix='.json', delete=False) as file:
        json.dump(rows, file)
    return file.name
