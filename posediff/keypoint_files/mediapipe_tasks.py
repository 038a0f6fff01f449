"""MediaPipe's pose landmarks as JSON, from its Tasks in Python or JavaScript and from its older solutions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from posediff.keypoint_files.contents import Contents, RawPerson
from posediff.keypoint_files.documents import Source
from posediff.keypoint_files.formats import KeypointFormat, register_format

COUNTS = {33: 'mediapipe33'}
_LANDMARKS = ('pose_landmarks', 'poseLandmarks', 'landmarks', 'landmark')
_LISTS = ('frames', 'results', 'data', 'landmarks', 'poses')
_NUMBERS = ('frame', 'frame_index', 'frame_id', 'frame_number', 'frameIndex', 'frameNumber')
_MILLISECONDS = ('timestamp_ms', 'timestampMs', 'ts_ms')
UNEVEN = 1.5
"""Times whose steps differ by more than this factor have frames left out between them."""


def _frames(document: Any) -> list[Any] | None:
    """The list of frames in a document, if it is one of landmarks."""
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
    """Whether a frame has a person."""
    return any(True for _ in _poses(entry))


def _poses(entry: Any) -> Iterator[list[Any]]:
    """The landmark lists of a frame's people."""
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
    """x, y, z and perhaps visibility."""
    return isinstance(value, list) and 3 <= len(value) <= 5 and not any(isinstance(one, list | dict) for one in value)


def _matches(source: Source) -> bool:
    return source.kind == 'json' and _frames(source.document) is not None


def _read(source: Source, skeleton: str | None) -> Contents:
    frames = _frames(source.document) if source.kind == 'json' else None
    if frames is None:
        raise ValueError(f'{source.path} holds no pose landmarks ({", ".join(_LANDMARKS)})')
    document = source.document if isinstance(source.document, dict) else {}
    numbers, clock, first = _numbers(source, frames)
    times = _times(source, frames) if first == 0 else []
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
        stamps=[] if clock == 'time' else times,
        fps=float(fps) if isinstance(fps, int | float) and 0 < fps < 1e6 else None,
    )


def _numbers(source: Source, frames: list[Any]) -> tuple[list[Any], str, int | None]:
    """Frame of each entry: its number, or its time where times show that entries are left out, or its place."""
    given = [_first_of(entry, _NUMBERS) for entry in frames]
    if all(value is not None for value in given):
        return given, 'picture', None
    if any(value is not None for value in given):
        raise ValueError(
            f'{source.path}: {sum(value is None for value in given)} of {len(frames)} frames have no number'
        )
    times = _times(source, frames)
    if times:
        steps = np.diff(times)
        if steps.max() > UNEVEN * np.median(steps):
            return times, 'time', 0
    return list(range(len(frames))), 'picture', 0


def _times(source: Source, frames: list[Any]) -> list[float]:
    """Seconds of the entries; empty where not all of them have a time, or there are fewer than three."""
    times = [_first_of(entry, _MILLISECONDS) for entry in frames]
    if len(times) < 3 or not all(isinstance(value, int | float) and value >= 0 for value in times):
        return []
    if (np.diff(np.array(times, np.float64)) <= 0).any():
        raise ValueError(f'{source.path}: times of frames do not grow')
    return [value / 1000 for value in times]


def _first_of(entry: Any, keys: tuple[str, ...]) -> Any:
    return next((entry[key] for key in keys if key in entry), None) if isinstance(entry, dict) else None


def _landmarks(where: str, pose: list[Any]) -> tuple[list[Any], list[Any]]:
    """Points and visibilities; presence, where it is given too, is no lower where a joint is in the picture."""
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
