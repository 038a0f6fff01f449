"""Precomputed boxes from a file."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from posediff.detection.base import BaseDetector, ProcessedVideo
from posediff.fileio.keypoint_files.coordinates import SMALL
from posediff.fileio.keypoint_files.frame_numbers import frame_numbers, places_among
from posediff.registry import DETECTORS
from posediff.structures.component_choices import CommandLineChoice
from posediff.structures.person_boxes import PersonBoxes, clip_boxes
from posediff.structures.video_frame import VideoFrame

Row = tuple[int, list[float], float]
SUFFIXES = ('.json', '.txt', '.csv')

NO_SCORE = -1.0
"""Score of a box without score in a MOTChallenge file."""

LABEL_COLUMNS = 9
"""Number of columns of MOTChallenge's labels from MOT16 on: frame, id, box, flag, class, visibility."""

PEDESTRIAN_CLASSES = (1, 2, 7)
"""Person classes of MOTChallenge's labels: pedestrian, person on a vehicle, static person. Others are cars, crowds and
reflections."""


PERSON = 1
"""COCO's person category."""


@DETECTORS.register_module()
class BoxesFileDetector(BaseDetector):
    """A detector that reads boxes from a file; frames without an entry have no detections.

    * ``.json``: a list of ``{"frame_index": from 0, "bbox": [x, y, w, h] px, "score"}``. This is COCO's results format
      with ``frame_index`` (or ``image_id``) as the frame, a number or an image name that contains one. If there are
      several categories, only persons (``category_id`` 1) are used.
    * ``.txt`` or ``.csv``: MOTChallenge's columns, with or without a header: frame (from 1), id (ignored), x, y, w, h,
      score, … A score of -1 means no score; the box gets score 1. MOTChallenge labels have flag, class and visibility
      instead; boxes with flag 0 or a class that is not a person are discarded.

    Args:
        path: The file.
        score_threshold: Boxes with a lower score are discarded.
        image_names: Image names, in order, if the video is a folder of images. Frames that the file gives by image name
            are the positions of these names.

    Attributes:
        notes: One sentence for each kind of discarded boxes.

    Raises:
        FileNotFoundError: The file does not exist.
        ValueError: The file is malformed, its boxes are not in px, or none is of a person; the message names the entry.
    """

    command_line = (
        CommandLineChoice(
            f'a file of boxes ({", ".join(SUFFIXES)})',
            'boxes of another detector, as COCO results or in the MOTChallenge format',
            arguments=lambda chosen: {
                'path': chosen.value,
                **({'image_names': chosen.image_names} if chosen.image_names else {}),
            },
            suffixes=SUFFIXES,
            options={'score_threshold': 'discard boxes with a lower score'},
        ),
    )

    def __init__(self, path: str | Path, score_threshold: float = 0.0, image_names: Sequence[str] = ()) -> None:
        self.path = file = Path(path).expanduser()
        if not file.is_file():
            raise FileNotFoundError(f'boxes file {file} does not exist')
        self.notes: list[str] = []
        rows = _json_rows(file, image_names, self.notes) if file.suffix.lower() == '.json' else list(_mot_rows(file))
        _check_pixels(file, [box for _, box, _ in rows])
        self._boxes: dict[int, list[tuple[list[float], float]]] = defaultdict(list)
        for frame, (x, y, w, h), score in rows:
            if score >= score_threshold:
                self._boxes[frame].append(([x, y, x + w, y + h], score))
        low = len(rows) - sum(map(len, self._boxes.values()))
        if low:
            self.notes.append(f'{file}: {low} of {len(rows)} boxes have a score below {score_threshold:g}: left out')

    def warnings(self, processed: ProcessedVideo) -> list[str]:
        """Return sentences about discarded boxes, and about boxes after the last picture of the video.

        Raises:
            ValueError: All boxes are after the last picture.
        """
        if not (processed.is_complete and processed.num_pictures):
            return self.notes
        late = self._late(processed.num_pictures)
        return self.notes if late is None else [*self.notes, late]

    def _late(self, num_pictures: int) -> str | None:
        late = {frame: len(boxes) for frame, boxes in self._boxes.items() if frame >= num_pictures}
        if not late:
            return None
        text = (
            f'{self.path}: {sum(late.values())} boxes lie after the last picture ({num_pictures - 1}, counted from '
            f'0), the first of them at {min(late)}'
        )
        if len(late) == len(self._boxes):
            raise ValueError(text)
        return text

    def __call__(self, frames: Sequence[VideoFrame]) -> list[PersonBoxes]:
        found = []
        for frame in frames:
            rows = self._boxes.get(frame.picture, [])
            boxes, scores = np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
            found.append(clip_boxes(boxes, scores, frame.image.shape[:2]))
        return found


def _check_pixels(file: Path, boxes: Sequence[Sequence[float]]) -> None:
    """Check that boxes (x, y, w, h) are in px: most of them must exceed the range of relative coordinates."""
    small = [x + w <= SMALL and y + h <= SMALL for x, y, w, h in boxes]
    if small and np.mean(small) > 0.5:
        shown = ', '.join(f'{value:.4g}' for value in boxes[small.index(True)])
        raise ValueError(
            f'{file}: the box {shown}, like most boxes of the file, looks normalised: x, y, w and h are expected in px'
        )


def _of_people(file: Path, entries: list[Any], notes: list[str]) -> list[tuple[int, Any]]:
    """Return the index and content of each entry; if there are several categories, only those of persons.

    Args:
        file: The file, for messages.
        entries: All entries of the file.
        notes: A sentence about discarded entries is appended to this list.
    """
    kinds = [entry.get('category_id') if isinstance(entry, dict) else None for entry in entries]
    several = {str(kind) for kind in kinds if kind is not None}
    if len(several) < 2:
        return list(enumerate(entries))
    others = ', '.join(sorted(several - {str(PERSON)}))
    if str(PERSON) not in several:
        raise ValueError(f"{file}: boxes are of the categories {others}; none is of {PERSON}, COCO's category person")
    found = [(number, entry) for number, entry in enumerate(entries) if kinds[number] in (None, PERSON, str(PERSON))]
    notes.append(f'{file}: {len(entries) - len(found)} of {len(entries)} boxes are of other categories: {others}')
    return found


def _json_rows(file: Path, image_names: Sequence[str], notes: list[str]) -> list[Row]:
    try:
        entries = json.loads(file.read_text(encoding='utf-8-sig'))
    except (ValueError, RecursionError) as error:
        raise ValueError(f'{file} is not readable JSON (truncated?): {error}') from error
    if not isinstance(entries, list):
        raise ValueError(f'{file}: expected a list of boxes, got {type(entries).__name__}')
    found = []
    for number, entry in _of_people(file, entries, notes):
        try:
            frame = entry['frame_index'] if 'frame_index' in entry else entry['image_id']
            found.append((f'{file}: entry {number}', frame, *_box(entry['bbox'], entry.get('score'))))
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise ValueError(f'{file}: entry {number}: {type(error).__name__}: {error}') from error
    named = [(where, frame) for where, frame, _, _ in found]
    frames = places_among(named, image_names)
    if frames is None:
        frames = frame_numbers(named)
        if min(frames, default=0) == 1:
            notes.append(
                f'{file}: its first frame is 1: frames count from 0, so this is the second picture; if the file counts '
                'from 1, subtract 1'
            )
    return [(frame, box, score) for frame, (_, _, box, score) in zip(frames, found, strict=True)]


def _mot_rows(file: Path) -> Iterable[Row]:
    rows = list(_mot_lines(file))
    labels = bool(rows) and all(_is_label(fields) for _, fields in rows)
    for number, fields in rows:
        try:
            frame = float(fields[0])
            if frame != int(frame) or frame < 1:
                raise ValueError(f'a frame is a whole number from 1, got {fields[0]}')
            if not labels:
                yield int(frame) - 1, *_box(fields[2:6], fields[6] if len(fields) > 6 and fields[6].strip() else None)
            elif float(fields[6]) != 0 and float(fields[7]) in PEDESTRIAN_CLASSES:
                yield int(frame) - 1, *_box(fields[2:6], None)
        except (IndexError, ValueError, OverflowError) as error:
            raise ValueError(f'{file}: line {number}: {type(error).__name__}: {error}') from error


def _mot_lines(file: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield the line numbers and fields of lines with boxes, separated by commas or otherwise by whitespace."""
    try:
        lines = file.read_text(encoding='utf-8-sig').splitlines()
    except UnicodeDecodeError as error:
        raise ValueError(f'{file} is not readable text: {error}') from error
    commas = any(',' in line for line in lines)
    for number, line in enumerate(lines, start=1):
        fields = line.split(',') if commas else line.split()
        is_header = number == 1 and all(field.strip(' "#')[:1].isalpha() for field in fields[:2])
        if line.strip() and not is_header:
            yield number, fields


def _is_label(fields: Sequence[str]) -> bool:
    """Return whether a line is a MOTChallenge label: flag, class and visibility follow the box."""
    try:
        flag, kind, visibility = (float(field) for field in fields[6:9])
    except ValueError:
        return False
    return (
        len(fields) == LABEL_COLUMNS and flag in (0, 1, -1) and kind >= 1 and kind == int(kind) and 0 <= visibility <= 1
    )


def _box(box: Sequence[Any], score: Any) -> tuple[list[float], float]:
    values = [float(value) for value in box]
    score = 1.0 if score is None or float(score) == NO_SCORE else float(score)
    if len(values) != 4 or not np.isfinite([*values, score]).all() or min(values[2:]) <= 0:
        raise ValueError(f'box {values} with score {score}: expected four finite numbers, positive size, and a score')
    return values, score
