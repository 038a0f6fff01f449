"""MediaPipe pose landmarks as JSON, from MediaPipe Tasks (Python or JavaScript) and the older solutions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from posediff.fileio.keypoint_files.contents import Contents, RawPerson
from posediff.fileio.keypoint_files.documents import Source
from posediff.fileio.keypoint_files.formats import KeypointFormat, register_format
from posediff.fileio.keypoint_files.frame_numbers import frame_of

COUNTS = {33: 'mediapipe33'}
_LANDMARKS = ('pose_landmarks', 'poseLandmarks', 'landmarks', 'landmark')
_LISTS = ('frames', 'results', 'data', 'landmarks', 'poses')
_SECONDS = {
    **dict.fromkeys(('timestampms', 'timems', 'tsms', 'ms', 'milliseconds'), 1e-3),
    **dict.fromkeys(('timestampus', 'timeus', 'tsus', 'microseconds'), 1e-6),
    **dict.fromkeys(('timestamps', 'times', 'timesec', 'timestampsec', 'seconds', 'secs'), 1.0),
    **dict.fromkeys(('timestamp', 'time', 'ts', 't'), None),
}  # unit in s, by the key in lower case without underscores; None: unknown
UNEVEN = 1.5
"""Ratio of largest to median time step above which frames are missing in between."""


def _frames(document: Any) -> list[Any] | None:
    """Return the list of frames in a document; None if it has no landmarks."""
    held = document
    if isinstance(document, dict):
        held = next((document[key] for key in _LISTS if isinstance(document.get(key), list)), None)
        if _holds_landmarks(document) and not (
            held and all(isinstance(one, dict) and _holds_landmarks(one) for one in held)
        ):
            held = [document]  # one frame
    if not isinstance(held, list) or not held:
        return None
    if _is_landmark(held[0]):
        held = [held]
    return held if any(_holds_landmarks(entry) for entry in held) else None


def _is_landmark(value: Any) -> bool:
    return isinstance(value, dict) and {'x', 'y'} <= value.keys()


def _holds_landmarks(entry: Any) -> bool:
    """Return whether a frame contains a person."""
    return any(True for _ in _poses(entry))


def _poses(entry: Any) -> Iterator[list[Any]]:
    """Yield the landmark lists of a frame's persons."""
    if isinstance(entry, dict):
        for key in _LANDMARKS:
            if key in entry:
                yield from _poses(entry[key])
                return
        return
    if isinstance(entry, list) and entry:
        if _is_landmark(entry[0]) or _is_row(entry[0]):
            yield entry
        else:
            for one in entry:
                yield from _poses(one)


def _is_row(value: Any) -> bool:
    """Return whether a value is x, y, z and optionally visibility."""
    return isinstance(value, list) and 3 <= len(value) <= 5 and not any(isinstance(one, list | dict) for one in value)


def _matches(source: Source) -> bool:
    return source.kind == 'json' and _frames(source.document) is not None


def _read(source: Source, skeleton: str | None) -> Contents:
    frames = _frames(source.document) if source.kind == 'json' else None
    if frames is None:
        raise ValueError(f'{source.path} holds no pose landmarks ({", ".join(_LANDMARKS)})')
    document = source.document if isinstance(source.document, dict) else {}
    numbers, clock, first = _numbers(source, frames)
    times, _, unit = _times(source, frames) if first == 0 else ([], '', None)
    people = [
        RawPerson(where, number, *_landmarks(where, pose))
        for place, (number, entry) in enumerate(zip(numbers, frames, strict=True))
        for person, pose in enumerate(_poses(entry))
        for where in [f'{source.path}: frame {place}: person {person}']
    ]
    fps = document.get('fps')
    return Contents(
        people,
        by_count=COUNTS,
        coordinates='normalised',
        first_frame=first,
        clock=clock,
        all_frames=[] if clock == 'time' else numbers,
        stamps=[] if clock == 'time' or unit is None else [unit * time for time in times],
        fps=float(fps) if isinstance(fps, int | float) and 0 < fps < 1e6 else None,
    )


def _numbers(source: Source, frames: list[Any]) -> tuple[list[Any], str, int | None]:
    """Return the frame of each entry: its index, its time if times show that frames are missing, or its position."""
    given = [frame_of(entry) if isinstance(entry, dict) else None for entry in frames]
    if all(value is not None for value in given):
        return given, 'picture', None
    if any(value is not None for value in given):
        raise ValueError(
            f'{source.path}: {sum(value is None for value in given)} of {len(frames)} frames have no number'
        )
    times, key, unit = _times(source, frames)
    if times:
        steps = np.diff(times)
        if steps.max() > UNEVEN * np.median(steps):
            if unit is None:
                raise ValueError(
                    f'{source.path}: the steps of {key!r}, from {steps.min():g} to {steps.max():g}, show that frames '
                    'are missing, and its unit is not clear: name it timestamp_ms or time_s, or number the frames '
                    '(frame_index)'
                )
            return [unit * time for time in times], 'time', 0
    return list(range(len(frames))), 'picture', 0


def _times(source: Source, frames: list[Any]) -> tuple[list[float], str, float | None]:
    """Return the times of the entries, their key, and their unit in s, None if it is unknown.

    The list is empty if some entries have no time, or there are fewer than three entries.
    """
    first = frames[0] if isinstance(frames[0], dict) else {}
    key = next((str(key) for key in first if _plain(key) in _SECONDS), '')
    times = [entry.get(key) if isinstance(entry, dict) else None for entry in frames]
    if len(times) < 3 or not all(isinstance(value, int | float) and value >= 0 for value in times):
        return [], key, None
    if (np.diff(np.array(times, np.float64)) <= 0).any():
        raise ValueError(f'{source.path}: times of frames ({key}) do not increase')
    return [float(value) for value in times if value is not None], key, _SECONDS[_plain(key)]


def _plain(key: Any) -> str:
    return str(key).replace('_', '').lower()


def _landmarks(where: str, pose: list[Any]) -> tuple[list[Any], list[Any]]:
    """Return points and visibilities; presence is used only if there is no visibility, which is never higher."""
    points, scores = [], []
    for joint, mark in enumerate(pose):
        if _is_landmark(mark):
            points.append([mark['x'], mark['y']])
            scores.append(mark.get('visibility', mark.get('presence', 1.0)))
        elif _is_row(mark):
            points.append(mark[:2])
            scores.append(mark[3] if len(mark) > 3 else 1.0)
        else:
            raise ValueError(f'{where}: landmark {joint} has no x and y: {str(mark)[:60]}')
    return points, scores


MEDIAPIPE = register_format(
    KeypointFormat('mediapipe', "MediaPipe's pose landmarks, JSON list of frames", _matches, _read)
)
