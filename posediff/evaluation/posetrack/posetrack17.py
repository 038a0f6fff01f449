"""PoseTrack17's form: a list of frames under ``annolist``, and every number in a list of its own."""

from __future__ import annotations

from array import array
from typing import Any

import numpy as np

from posediff.evaluation.posetrack.entries import MISSING_SCORE, Entry, check_track_id, check_unique, head_size
from posediff.evaluation.posetrack.joints import NUM_JOINTS
from posediff.evaluation.posetrack.sequence import Persons, Region, Sequence, track_id_array

HEAD_BOX = ('x1', 'y1', 'x2', 'y2')


def read_posetrack17(document: dict[str, Any], entry: Entry, truth: bool, wanted: np.ndarray | None = None) -> Sequence:
    """Read one sequence.

    A frame counts if it has any rectangle; rectangles without a list of points are then left out. A joint is there if
    it is listed, and the first of its points is taken.

    Args:
        document: The file's content.
        entry: Names the file in errors.
        truth: Whether it is ground truth: head boxes and ignore regions are read of that only, and only predictions
            need different track ids in a frame.
        wanted: (F,) bool, frames whose persons are read; None reads those of frames that count.

    Raises:
        ValueError: Something is missing or malformed; the message names file and entry.
    """
    names, counts, regions = [], [], {}
    frames: list[int] = []
    rectangles: list[dict[str, Any]] = []
    values = array('d')
    with entry:
        for position, image in enumerate(document['annolist']):
            entry.place = ('annolist', position)
            name = _name(image, position)
            several = image['annorect']
            track_ids = [rectangle['track_id'][0] for rectangle in several if 'track_id' in rectangle]
            for track_id in track_ids:
                check_track_id(track_id)
            if not truth:
                check_unique(track_ids, name)
            names.append(name)
            counts.append(len(several) > 0)
            is_wanted = counts[-1] if wanted is None or position >= len(wanted) else wanted[position]
            if not is_wanted:
                continue
            if truth and 'ignore_regions' in image:
                regions[position] = [_region(region['point']) for region in image['ignore_regions']]
            for rectangle in several:
                if _has_points(rectangle):
                    values.fromlist(_joints(rectangle['annopoints'][0]['point'], truth))
                    frames.append(position)
                    rectangles.append(rectangle)
        entry.place = None
        table = np.array(values).reshape(-1, NUM_JOINTS, 4)
        sizes, lacks = _head_sizes(rectangles, truth)
    persons = Persons(
        frame=np.array(frames, dtype=np.int64),
        points=table[..., :2],
        exists=table[..., 3] != 0,
        scores=table[..., 2],
        head_sizes=sizes,
        lacks_head=lacks,
        track_ids=track_id_array(
            [rectangle['track_id'][0] if 'track_id' in rectangle else None for rectangle in rectangles]
        ),
    )
    return Sequence(names, persons, np.array(counts, dtype=bool), regions=regions)


def _name(image: dict[str, Any], position: int) -> str:
    """For messages; not every file has it."""
    try:
        return str(image['image'][0]['name'])
    except (KeyError, IndexError, TypeError):
        return str(position)


def _has_points(rectangle: dict[str, Any]) -> bool:
    return 'point' in (rectangle.get('annopoints') or [{}])[0]


def _region(points: list[dict[str, Any]]) -> Region:
    return [point['x'][0] for point in points], [point['y'][0] for point in points]


_NOBODY = [float('nan'), float('nan'), MISSING_SCORE, 0.0] * NUM_JOINTS
_START = {joint: 4 * joint for joint in range(NUM_JOINTS)}


def _joints(points: list[dict[str, Any]], truth: bool) -> list[float]:
    """x, y, score, and 1 of each evaluated joint; 0 for 1 where it is not listed."""
    joints = _NOBODY.copy()
    for point in points:
        joint_id = point['id']
        start = None if joint_id is None else _START.get(joint_id[0])
        if start is None or joints[start + 3]:
            continue
        joints[start], joints[start + 1], joints[start + 3] = point['x'][0], point['y'][0], 1.0
        if not truth and 'score' in point:
            score = point['score'][0]
            joints[start + 2] = float('nan') if score is None else score
    return joints


def _head_sizes(rectangles: list[dict[str, Any]], truth: bool) -> tuple[np.ndarray, np.ndarray]:
    """Size of each head and whether it is unknown."""
    lacks = np.array([not truth or any(key not in box for key in HEAD_BOX) for box in rectangles], dtype=bool)
    corners = [[box[key][0] for key in HEAD_BOX] for box, lack in zip(rectangles, lacks, strict=True) if not lack]
    sizes = np.full(len(rectangles), np.nan)
    sizes[~lacks] = head_size(*np.array(corners, dtype=np.float64).reshape(-1, 4).T)
    return sizes, lacks
