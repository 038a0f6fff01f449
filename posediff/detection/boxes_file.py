"""Boxes that somebody else found."""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from posediff.detection.base import BaseDetector, People, clip_boxes
from posediff.registry import DETECTORS
from posediff.video.frames import VideoFrame

Row = tuple[int, list[float], float]


@DETECTORS.register_module()
class BoxesFileDetector(BaseDetector):
    """Boxes of a file; a frame that it does not name is empty.

    A ``.json`` is a list of ``{"frame_index": from 0, "bbox": [x, y, w, h] px, "score"}``, COCO's results with
    ``frame_index`` (or ``image_id``) as the frame; a ``.txt`` or ``.csv`` has MOTChallenge's columns: frame (from 1),
    id (not looked at), x, y, w, h, score, …

    Args:
        path: The file.
        score_threshold: Boxes scored below are left out.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is malformed; the message names the entry.
    """

    def __init__(self, path: str | Path, score_threshold: float = 0.0) -> None:
        file = Path(path).expanduser()
        if not file.is_file():
            raise FileNotFoundError(f'boxes file {file} does not exist')
        rows = _json_rows(file) if file.suffix == '.json' else _mot_rows(file)
        self._boxes: dict[int, list[tuple[list[float], float]]] = defaultdict(list)
        for frame, (x, y, w, h), score in rows:
            if score >= score_threshold:
                self._boxes[frame].append(([x, y, x + w, y + h], score))

    def __call__(self, frames: Sequence[VideoFrame]) -> list[People]:
        found = []
        for frame in frames:
            rows = self._boxes.get(frame.picture, [])
            boxes, scores = np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
            found.append(clip_boxes(boxes, scores, frame.image.shape[:2]))
        return found

    @classmethod
    def contract_cases(cls) -> list[dict[str, Any]]:
        """One file of MOTChallenge's form."""
        import tempfile

        with tempfile.NamedTemporaryFile('w', suffix='.txt', delete=False) as file:
            file.write('1,1,10,8,20,30,0.9,-1,-1,-1\n1,2,-5,0,9,9,0.5\n3,1,12,8,20,30,0.8\n')
        return [{'path': file.name}]


def _json_rows(file: Path) -> Iterable[Row]:
    try:
        entries = json.loads(file.read_bytes())
    except ValueError as error:
        raise ValueError(f'{file} is not readable JSON (truncated?): {error}') from error
    if not isinstance(entries, list):
        raise ValueError(f'{file}: expected a list of boxes, got {type(entries).__name__}')
    for number, entry in enumerate(entries):
        try:
            frame = entry['frame_index'] if 'frame_index' in entry else entry['image_id']
            yield _row(frame, entry['bbox'], entry.get('score', 1.0))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ValueError(f'{file}: entry {number}: {type(error).__name__}: {error}') from error


def _mot_rows(file: Path) -> Iterable[Row]:
    with file.open(newline='') as lines:
        for number, fields in enumerate(csv.reader(lines), start=1):
            if not fields:
                continue
            try:
                yield _row(int(float(fields[0])) - 1, fields[2:6], fields[6] if len(fields) > 6 else 1.0)
            except (IndexError, ValueError) as error:
                raise ValueError(f'{file}: line {number}: {type(error).__name__}: {error}') from error


def _row(frame: Any, box: Sequence[Any], score: Any) -> Row:
    values = [float(value) for value in box]
    if int(frame) < 0:
        raise ValueError(f'frame {frame} lies before the first')
    if len(values) != 4 or not np.isfinite([*values, float(score)]).all() or min(values[2:]) <= 0:
        raise ValueError(f'box {values} with score {score}: expected four finite numbers of some area, and a score')
    return int(frame), values, float(score)
