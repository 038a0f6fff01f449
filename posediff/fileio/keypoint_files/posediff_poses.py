"""Files written by this project, and arrays with the same names."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from posediff.fileio.keypoint_files.contents import Contents, RawPerson
from posediff.fileio.keypoint_files.documents import Source
from posediff.fileio.keypoint_files.formats import KeypointFormat, register_format


def _matches(source: Source) -> bool:
    if source.kind in ('npz', 'npy'):
        return source.kind == 'npy' or 'keypoints_2d' in source.arrays
    document = source.document if source.kind == 'json' else None
    return isinstance(document, dict) and isinstance(document.get('rows'), list) and 'keypoint_skeleton' in document


def _read(source: Source, skeleton: str | None) -> Contents:
    if source.kind in ('npz', 'npy'):
        return _of_arrays(source)
    document = source.document if source.kind == 'json' else None
    if not isinstance(document, dict) or not isinstance(document.get('rows'), list):
        raise ValueError(f'{source.path} is neither poses.npz nor poses.json')
    by_time = 'live' in document
    return Contents(
        _rows(source, document['rows'], by_time),
        skeleton=document.get('keypoint_skeleton'),
        states_skeleton='keypoint_skeleton' in document,
        max_score=1.0,
        min_score=0.0,
        first_frame=0,
        clock='time' if by_time else 'frame',
        img_shape=_shape(source, document.get('img_shape')),
        fps=_rate(source, document.get('fps')),
    )


def _rows(source: Source, rows: list[Any], by_time: bool) -> Iterator[RawPerson]:
    place = 'time_s' if by_time else 'frame_index'  # a live run numbers only the frames it processed
    for number, row in enumerate(rows):
        where = f'{source.path}: row {number}'
        if not isinstance(row, dict) or not {place, 'keypoints_2d', 'keypoint_scores'} <= row.keys():
            raise ValueError(f'{where}: expected {place}, keypoints_2d and keypoint_scores')
        yield RawPerson(where, row[place], row['keypoints_2d'], row['keypoint_scores'], row.get('track_id'))


def _of_arrays(source: Source) -> Contents:
    arrays, file = source.arrays, source.path
    if source.kind == 'npy':
        array = arrays['array']
        if array.ndim != 3 or array.shape[-1] not in (2, 3):
            raise ValueError(f'{file}: expected an array (F, K, 2), or (F, K, 3) with scores last, got {array.shape}')
        arrays = {'keypoints_2d': array[..., :2]} | ({'keypoint_scores': array[..., 2]} if array.shape[-1] == 3 else {})
    if 'keypoints_2d' not in arrays:
        raise ValueError(f'{file} has no keypoints_2d; it holds: {", ".join(arrays) or "nothing"}')
    keypoints = arrays['keypoints_2d']
    if keypoints.ndim != 3 or keypoints.shape[-1] != 2:
        raise ValueError(f'{file}: keypoints_2d must be (F, K, 2), got {keypoints.shape}')
    if not len(keypoints):
        raise ValueError(f'{file}: the clip is empty, keypoints_2d has shape {keypoints.shape}')
    scores = arrays.get('keypoint_scores', np.ones(keypoints.shape[:2]))
    if scores.shape != keypoints.shape[:2]:
        raise ValueError(f'{file}: keypoint_scores must be {keypoints.shape[:2]}, got {scores.shape}')
    by_time = 'live' in arrays and 'time_s' in arrays  # a live run numbers only the frames it processed
    frames = arrays['time_s'] if by_time else arrays.get('frame_index', np.arange(len(keypoints)))
    tracks = arrays.get('track_id', np.full(len(keypoints), -1))
    if not len(keypoints) == len(frames) == len(tracks):
        raise ValueError(f'{file}: {len(keypoints)} keypoints_2d, {len(frames)} frames, {len(tracks)} track ids')
    name = arrays.get('keypoint_skeleton', arrays.get('skeleton'))
    word = 'row' if 'frame_index' in arrays else 'frame'
    people = (
        RawPerson(f'{file}: {word} {number}', frame, points, score, track)
        for number, (frame, points, score, track) in enumerate(
            zip(frames.tolist(), keypoints, scores, tracks.tolist(), strict=True)
        )
    )
    return Contents(
        people,
        skeleton=None if name is None else str(name),
        states_skeleton=name is not None,
        first_frame=0,
        # rows of poses.npz count at the rate of the run, rows of a plain array are pictures
        clock='time' if by_time else 'frame' if 'joints_3d' in arrays else 'picture',
        img_shape=_shape(source, arrays['img_shape'].tolist() if 'img_shape' in arrays else None),
        fps=_rate(source, arrays['fps'].tolist() if 'fps' in arrays else None),
        origin=str(arrays['source']) if 'source' in arrays else None,
    )


def _shape(source: Source, value: Any) -> tuple[int, int] | None:
    if value is None:
        return None
    if not isinstance(value, list) or len(value) != 2 or not all(isinstance(s, int | float) and s > 0 for s in value):
        raise ValueError(f'{source.path}: img_shape must be (h, w) in px, got {value!r}')
    return int(value[0]), int(value[1])


def _rate(source: Source, value: Any) -> float | None:
    if value is None:
        return None
    if not isinstance(value, int | float) or not 0 < value < float('inf'):
        raise ValueError(f'{source.path}: fps must be positive, got {value!r}')
    return float(value)


POSEDIFF = register_format(
    KeypointFormat('posediff', "this project's poses.npz and poses.json, .npz with keypoints_2d, .npy", _matches, _read)
)
