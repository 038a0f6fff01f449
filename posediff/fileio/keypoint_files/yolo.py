"""Ultralytics YOLO-pose: label files of save_txt, and JSON of tojson and summary."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from posediff.fileio.keypoint_files.coco import FRAME_KEYS, all_flags
from posediff.fileio.keypoint_files.contents import Contents, RawPerson
from posediff.fileio.keypoint_files.documents import Source
from posediff.fileio.keypoint_files.formats import KeypointFormat, register_format
from posediff.fileio.keypoint_files.frame_numbers import frame_numbers, frame_of, stem_of

COUNTS = {17: 'coco17'}
_BOX = 5  # class, then centre and size of the box
_NO_LABELS = ('classes.txt', 'predefined_classes.txt')  # class names, as written by labelling tools


def _matches(source: Source) -> bool:
    if source.kind == 'folder of text':
        return True
    if source.kind == 'folder of json':
        return any(_is_results(document) and document for _, document in source.documents)
    if source.kind != 'json' or not isinstance(source.document, list):
        return False
    document = source.document
    return (_is_results(document) and bool(document)) or _is_frames(document)


def _is_results(document: Any) -> bool:
    """Return whether a document is the persons of one image: keypoints are an object of lists."""
    return isinstance(document, list) and all(
        isinstance(one, dict) and isinstance(one.get('keypoints'), dict) and 'x' in one['keypoints'] for one in document
    )


def _is_frames(document: list[Any]) -> bool:
    return any(document) and all(_is_results(frame) for frame in document)


def _read(source: Source, skeleton: str | None) -> Contents:
    if source.kind == 'folder of text':
        return _labels(source)
    if source.kind == 'folder of json':
        people = [one for name, held in source.documents for one in _results(f'{source.path / name}', name, held)]
        return Contents(people, by_count=COUNTS, all_frames=source.names)
    document = source.document if source.kind == 'json' else None
    if not isinstance(document, list):
        raise ValueError(f'{source.path} is neither a folder of label files nor JSON of results')
    if _is_frames(document):  # one list per frame, in order
        people = [
            one
            for number, frame in enumerate(document)
            for one in _results(f'{source.path}: frame {number}', number, frame)
        ]
        return Contents(people, by_count=COUNTS, first_frame=0)
    numbered = [one for one in document if isinstance(one, dict) and frame_of(one, *FRAME_KEYS) is not None]
    if numbered and len(numbered) < len(document):
        raise ValueError(f'{source.path}: {len(document) - len(numbered)} of {len(document)} results name no frame')
    people = list(_results(str(source.path), 0, document))
    return Contents(people, by_count=COUNTS, first_frame=None if numbered else 0)


def _results(where: str, frame: Any, results: Any) -> Iterator[RawPerson]:
    if not _is_results(results):
        raise ValueError(f'{where}: expected a list of results with keypoints {{x, y, visible}}')
    for number, one in enumerate(results):
        keypoints, place = one['keypoints'], f'{where}: result {number}'
        x, y = keypoints['x'], keypoints.get('y')
        if not isinstance(x, list) or not isinstance(y, list) or len(x) != len(y):
            raise ValueError(f'{place}: x and y of its keypoints must be lists of one length')
        own = frame_of(one, *FRAME_KEYS)
        named = frame if own is None else own
        yield RawPerson(place, named, list(zip(x, y, strict=True)), keypoints.get('visible'), one.get('track_id'))


def _labels(source: Source) -> Contents:
    """Read lines ``class x y w h``, x, y [, score] of each keypoint, [score of the box], [track id]."""
    files = [file for file in source.files if file.name.lower() not in _NO_LABELS]
    names = [file.name for file in files]
    numbers = frame_numbers([(str(file), file.name) for file in files])
    rows = [(f'{file}: line {line}', file.name, values) for file in files for line, values in _lines(file)]
    size, end, has_score = _layout(source, rows)
    flags = size == 3 and all_flags(values[_BOX:end].tolist() for _, _, values in rows)
    people = []
    for where, name, values in rows:
        points = values[_BOX:end].reshape(-1, size)
        has_id = len(values) - end > has_score
        scores = None if size == 2 else points[:, 2]
        if flags and scores is not None:
            scores = np.minimum(scores, 1)
        people.append(RawPerson(where, name, points[:, :2], scores, float(values[-1]) if has_id else None))
    return Contents(
        people,
        by_count=COUNTS,
        coordinates='normalised',
        first_frame=_first(names, numbers),
        all_frames=names,
    )


def _first(names: list[str], numbers: list[int]) -> int | None:
    """Return the first frame index: 1 for NAME_1.txt, as Ultralytics writes for videos, None for zero-padded names."""
    stems = [stem_of(name) for name in names]
    padded = any(stem[len(stem.rstrip('0123456789')) :].startswith('0') for stem in stems)
    return None if padded or min(numbers, default=0) == 0 else 1


def _lines(file: Path) -> Iterator[tuple[int, np.ndarray]]:
    for number, line in enumerate(file.read_text(encoding='utf-8-sig').splitlines(), start=1):
        if line.strip():
            try:
                yield number, np.array([float(word) for word in line.split()])
            except ValueError as error:
                raise ValueError(f'{file}: line {number}: expected numbers: {error}') from error


def _layout(source: Source, rows: list[tuple[str, str, np.ndarray]]) -> tuple[int, int, bool]:
    """Return the values per keypoint, the end of the keypoints, and whether a score follows; for 17 keypoints.

    An id may follow in some lines only: tentative tracks have none.
    """
    lengths = sorted({len(values) for _, _, values in rows})
    for size in (3, 2):
        end = _BOX + 17 * size
        extra = [length - end for length in lengths]
        if extra in ([0], [0, 1]):
            return size, end, False
        if extra in ([2], [1, 2]):
            return size, end, True
        if extra == [1]:
            last = np.array([values[-1] for _, _, values in rows])
            return size, end, bool((last != np.round(last)).any())
    found = ' and '.join(map(str, lengths)) or 'no'
    raise ValueError(
        f'{source.path}: lines have {found} values, expected a class, a box (4) and 17 keypoints of 2 or 3 values, '
        'then optionally a score (in every line) and a track id'
    )


YOLO = register_format(
    KeypointFormat('yolo', "Ultralytics' YOLO-pose, folder of labels or JSON of results", _matches, _read)
)
