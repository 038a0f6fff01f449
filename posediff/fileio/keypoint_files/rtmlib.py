"""Saved outputs of rtmlib's models, keypoints (N, K, 2) and scores (N, K) per frame; rtmlib writes no files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from posediff.fileio.keypoint_files.contents import Contents, RawPerson
from posediff.fileio.keypoint_files.documents import Source
from posediff.fileio.keypoint_files.formats import KeypointFormat, register_format
from posediff.fileio.keypoint_files.frame_numbers import frame_of
from posediff.fileio.keypoint_files.mmpose import MAX_PEAK

COUNTS = {17: 'coco17', 18: 'openpose18', 26: 'halpe26', 133: 'coco17', 134: 'openpose18'}
_FRAME_KEYS = ('frame_id', 'frame_index', 'frame')
_SCORES = ('scores', 'keypoint_scores')


def _matches(source: Source) -> bool:
    if source.kind == 'npz':
        return 'keypoints' in source.arrays and any(name in source.arrays for name in _SCORES)
    document = source.document if source.kind == 'json' else None
    return isinstance(document, list) and any(_is_frame(entry) for entry in document)


def _is_frame(entry: Any) -> bool:
    """Return whether an entry is a frame with the keypoints of several persons."""
    if not isinstance(entry, dict) or 'instances' in entry or not any(name in entry for name in _SCORES):
        return False
    keypoints = entry.get('keypoints')
    return isinstance(keypoints, list) and all(
        isinstance(person, list) and bool(person) and isinstance(person[0], list) for person in keypoints
    )


def _read(source: Source, skeleton: str | None) -> Contents:
    options: dict[str, Any] = {'by_count': COUNTS, 'max_score': MAX_PEAK, 'min_score': -MAX_PEAK}
    if source.kind == 'npz':
        return Contents(_of_arrays(source), first_frame=0, **options)
    document = source.document if source.kind == 'json' else None
    if not isinstance(document, list):
        raise ValueError(f'{source.path} is neither a list of frames nor a .npz with keypoints and scores')
    named = [frame_of(entry, *_FRAME_KEYS) for entry in document if isinstance(entry, dict)]
    listed = [frame for frame in named if frame is not None]
    if listed and len(listed) < len(document):
        raise ValueError(f'{source.path}: {len(document) - len(listed)} of {len(document)} frames have no number')
    people = list(_of_frames(source, document))
    return Contents(people, first_frame=None if listed else 0, all_frames=listed, **options)


def _of_frames(source: Source, document: list[Any]) -> Iterator[RawPerson]:
    for number, entry in enumerate(document):
        where = f'{source.path}: frame {number}'
        if not _is_frame(entry):
            raise ValueError(f'{where}: expected keypoints (N, K, 2) and scores (N, K)')
        named = frame_of(entry, *_FRAME_KEYS)
        frame = number if named is None else named
        scores = next(entry[name] for name in _SCORES if name in entry)
        tracks = entry.get('track_ids', [None] * len(entry['keypoints']))
        if (
            not isinstance(scores, list)
            or not isinstance(tracks, list)
            or {len(scores), len(tracks)} != {len(entry['keypoints'])}
        ):
            raise ValueError(f'{where}: {len(entry["keypoints"])} people, but other numbers of scores or ids')
        for person, (points, score, track) in enumerate(zip(entry['keypoints'], scores, tracks, strict=True)):
            yield RawPerson(f'{where}: person {person}', frame, points, score, track)


def _of_arrays(source: Source) -> Iterator[RawPerson]:
    keypoints = source.arrays['keypoints']
    scores = next(source.arrays[name] for name in _SCORES if name in source.arrays)
    if keypoints.ndim == 3:  # one person per frame
        keypoints, scores = keypoints[:, None], scores[:, None] if scores.ndim == 2 else scores
    if keypoints.ndim != 4 or keypoints.shape[-1] != 2 or scores.shape != keypoints.shape[:3]:
        raise ValueError(
            f'{source.path}: keypoints must be (F, K, 2) or (F, N, K, 2) with scores of each, got '
            f'{source.arrays["keypoints"].shape} and {scores.shape}'
        )
    for frame, (people, values) in enumerate(zip(keypoints, scores, strict=True)):
        for person, (points, score) in enumerate(zip(people, values, strict=True)):
            if np.isfinite(points).all(-1).any():  # otherwise padding, as frames have different numbers of persons
                yield RawPerson(f'{source.path}: frame {frame}: person {person}', frame, points, score)


RTMLIB = register_format(
    KeypointFormat('rtmlib', "rtmlib's arrays keypoints and scores, .npz or JSON list of frames", _matches, _read)
)
