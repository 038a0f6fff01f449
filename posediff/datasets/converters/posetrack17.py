"""Converter from PoseTrack2017's annotations (one ``annolist`` per video) to the COCO-style file of MMPose's reader."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from posediff.fileio import annolist
from posediff.fileio.atomic_files import atomic_write
from posediff.fileio.images import read_image
from posediff.fileio.input_files import data_files
from posediff.structures.posetrack_joints import EVALUATED_KEYPOINTS, POSETRACK18_KEYPOINTS

BOX_MARGIN = 0.15  # added on every side of the box of keypoints and head; the set has no person boxes

_PLACE = [POSETRACK18_KEYPOINTS.index(name) for name in EVALUATED_KEYPOINTS]  # keypoint index of each joint id


def convert_posetrack17(annotations: str | Path, images: str | Path, destination: str | Path) -> dict[str, int]:
    """Write one COCO-style file for a split.

    Keypoints are in PoseTrack2018's order of 17, without ears; listed joints have visibility 1. Boxes enclose
    keypoints and head, enlarged by 15 % on every side and clipped to the image.

    Args:
        annotations: Folder of a split's ``.json`` files, one per video.
        images: Root folder of the image names.
        destination: File to write.

    Returns:
        Numbers of ``videos``, ``images`` and ``annotations``.

    Raises:
        FileNotFoundError: A folder, or the first frame of a video, does not exist.
        ValueError: A file is not an ``annolist``, or an entry is incomplete; the message names both.
    """
    folder = Path(annotations)
    files = data_files(folder, '.json')
    if not files:
        raise FileNotFoundError(f'{folder}: no such folder, or no .json files in it')
    document: dict[str, list] = {'images': [], 'annotations': [], 'categories': [_category()]}
    for video, file in enumerate(files):
        frames = _frames(file)
        first = read_image(str(Path(images) / _name(file, frames[0])))
        size = {'width': first.shape[1], 'height': first.shape[0], 'nframes': len(frames), 'vid_id': file.stem}
        for number, frame in enumerate(frames):
            image_id = video * 100000 + number
            people = list(_people(file, number, frame, size))
            document['images'].append({
                'id': image_id, 'frame_id': image_id, 'file_name': _name(file, frame), **size,
                'is_labeled': bool(people), **_ignore_regions(frame),
            })  # fmt: skip
            for index, person in enumerate(people):
                identity = image_id * 100 + index
                document['annotations'].append({'id': identity, 'image_id': image_id, 'category_id': 1, **person})
    with atomic_write(destination) as draft:
        draft.write_text(json.dumps(document))
    return {'videos': len(files), **{name: len(document[name]) for name in ('images', 'annotations')}}


def _category() -> dict[str, Any]:
    return {'id': 1, 'name': 'person', 'supercategory': 'person', 'keypoints': list(POSETRACK18_KEYPOINTS)}


def _frames(file: Path) -> list[dict[str, Any]]:
    try:
        frames = json.loads(file.read_bytes())['annolist']
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f'{file}: not a PoseTrack2017 file: {type(error).__name__}: {error}') from error
    if not isinstance(frames, list) or not frames:
        raise ValueError(f'{file}: its annolist is empty')
    return frames


def _name(file: Path, frame: dict[str, Any]) -> str:
    try:
        return annolist.image_name(frame)
    except (KeyError, IndexError, TypeError) as error:
        raise ValueError(f'{file}: a frame has no image name ({type(error).__name__}: {error})') from error


def _people(file: Path, number: int, frame: dict[str, Any], size: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for index, rect in enumerate(frame.get('annorect') or []):
        try:
            person = _person(rect, size)
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise ValueError(f'{file}: frame {number}, person {index}: {type(error).__name__}: {error}') from error
        if person is not None:
            yield person


def _person(rect: dict[str, Any], size: dict[str, Any]) -> dict[str, Any] | None:
    """Return the annotation of a person; None for a person without points, who is of no use in training and test."""
    points = annolist.points_of(rect)
    if not points:
        return None
    keypoints = np.zeros((len(POSETRACK18_KEYPOINTS), 3))
    for point in points:
        x, y = annolist.place(point)
        keypoints[_PLACE[int(annolist.joint_id(point))]] = float(x), float(y), 1
    corners = annolist.head_corners(rect)
    if corners is None:
        raise KeyError(next(key for key in annolist.HEAD_BOX if key not in rect))
    head = np.array(corners, dtype=float).reshape(2, 2)
    if not (np.isfinite(keypoints).all() and np.isfinite(head).all()):
        raise ValueError('a coordinate is not finite')
    x1, y1, x2, y2 = _box(np.concatenate([keypoints[keypoints[:, 2] > 0, :2], head]), size)
    return {
        'keypoints': keypoints.ravel().tolist(), 'num_keypoints': len(points), 'iscrowd': 0, 'scores': [],
        'bbox': [x1, y1, x2 - x1, y2 - y1], 'area': (x2 - x1) * (y2 - y1),
        'bbox_head': [*head.min(0).tolist(), *np.abs(head[1] - head[0]).tolist()],
        'track_id': int(annolist.only(rect['track_id'])),
    }  # fmt: skip


def _box(points: np.ndarray, size: dict[str, Any]) -> Sequence[float]:
    margin = BOX_MARGIN * np.ptp(points, axis=0)
    low = np.clip(points.min(0) - margin, 0, [size['width'] - 2, size['height'] - 2])
    high = np.clip(points.max(0) + margin, low + 1, [size['width'] - 1, size['height'] - 1])
    return [*low.tolist(), *high.tolist()]


def _ignore_regions(frame: dict[str, Any]) -> dict[str, list]:
    polygons = annolist.ignore_regions(frame)
    return {
        'ignore_regions_x': [[float(value) for value in xs] for xs, _ in polygons],
        'ignore_regions_y': [[float(value) for value in ys] for _, ys in polygons],
    }
