"""Share a keypoint file between pipeline components, and compute boxes of its persons."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

import numpy as np

from posediff.fileio.keypoint_files.reading import read_keypoint_file
from posediff.fileio.keypoint_files.record import FoundPerson, KeypointRecord
from posediff.structures.person_boxes import PersonBoxes, boxes_around, clip_boxes

_records: WeakValueDictionary[tuple[Any, ...], KeypointRecord] = WeakValueDictionary()
"""Cached records that are still in use, by path, time of the last change and size of the file, and the arguments."""

CLEAR = 0.3
"""Minimum score of keypoints that count for the score of a box; the default threshold of tracker and lifting stage."""


def open_record(path: str | Path, skeleton: str | None = None, **options: Any) -> KeypointRecord:
    """Read a keypoint file, or return the record that another component has read with the same arguments.

    Detector, pose estimator and tracker thus share one record. The content of folders is read anew by each.

    Args:
        path: The file or folder.
        skeleton, options: See :func:`posediff.fileio.keypoint_files.read_keypoint_file`.
    """
    file = Path(path).expanduser()
    if not file.is_file():  # files in a folder may change without changing the folder's time stamp
        return read_keypoint_file(file, skeleton, **options)
    plain: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in options.items()
    }
    state = file.stat()
    key = (file, state.st_mtime_ns, state.st_size, skeleton, tuple(sorted(plain.items())))
    record = _records.get(key)
    if record is None:
        record = _records[key] = read_keypoint_file(file, skeleton, **plain)
    return record


def boxes_of(people: Sequence[FoundPerson], img_shape: tuple[int, int]) -> tuple[PersonBoxes, list[int]]:
    """Return the boxes of persons at least partly in the image, and their indices in ``people``.

    The score of a box is the mean score of the keypoints with a score of at least :data:`CLEAR`, or of all keypoints if
    there is none. Keypoints outside of the image thus do not lower the score of a person at its border.
    """
    boxes, rows = [], []
    for row, person in enumerate(people):
        seen = person.keypoints[person.scores > 0]
        if not len(seen):
            continue
        (box,) = boxes_around(seen[None])
        if len(clip_boxes(box, person.scores[:1], img_shape)):
            boxes.append(box)
            rows.append(row)
    return clip_boxes(np.array(boxes), np.array([_certainty(people[row].scores) for row in rows]), img_shape), rows


def _certainty(scores: np.ndarray) -> float:
    """Return the score of a box from the scores (K,) of its keypoints."""
    clear = scores[scores >= CLEAR]
    return float(clear.mean() if len(clear) else scores.mean())
