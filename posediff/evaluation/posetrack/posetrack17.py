"""Reader of PoseTrack17's format: frames under ``annolist``, each number in a list of its own."""

from __future__ import annotations

from array import array
from typing import Any

import numpy as np

from posediff.evaluation.posetrack.entries import MISSING_SCORE, Entry, check_track_id, check_unique, head_size
from posediff.evaluation.posetrack.sequence import Persons, PoseTrackSequence, Region, track_id_array
from posediff.fileio import annolist
from posediff.structures.posetrack_joints import NUM_JOINTS


def read_posetrack17(
    document: dict[str, Any], entry: Entry, truth: bool, wanted: np.ndarray | None = None
) -> PoseTrackSequence:
    """Read one sequence.

    A frame is valid if it has a rectangle; rectangles without a list of points are omitted. A joint exists if it is
    listed; the first of its points is used.

    Args:
        document: Content of the file.
        entry: Position in the file, for errors.
        truth: Whether it is ground truth. Head boxes and ignore regions are read from ground truth only; unique track
            ids within a frame are required of predictions only.
        wanted: (F,) bool, frames whose persons are read; None reads the valid frames.

    Raises:
        ValueError: An entry is missing or malformed; the message names file and entry.
    """
    names: list[str] = []
    counts: list[bool] = []
    regions: dict[int, list[Region]] = {}
    frames: list[int] = []
    rectangles: list[dict[str, Any]] = []
    values = array('d')
    with entry:
        for position, image in enumerate(document['annolist']):
            entry.place = ('annolist', position)
            name = _name(image, position)
            several = image['annorect']
            track_ids = [annolist.track_id(rectangle) for rectangle in several if 'track_id' in rectangle]
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
                regions[position] = annolist.ignore_regions(image)
            for rectangle in several:
                points = annolist.points_of(rectangle)
                if points is not None:
                    values.fromlist(_joints(points, truth))
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
        track_ids=track_id_array([annolist.track_id(rectangle) for rectangle in rectangles]),
    )
    return PoseTrackSequence(names, persons, np.array(counts, dtype=bool), regions=regions)


def _name(image: dict[str, Any], position: int) -> str:
    """Return the frame's name for messages, or its position if the file has none."""
    try:
        return annolist.image_name(image)
    except (KeyError, IndexError, TypeError):
        return str(position)


_NO_JOINTS = [float('nan'), float('nan'), MISSING_SCORE, 0.0] * NUM_JOINTS
_START = {joint: 4 * joint for joint in range(NUM_JOINTS)}


def _joints(points: list[dict[str, Any]], truth: bool) -> list[float]:
    """Return x, y, score and an existence flag (1 or 0) of each evaluated joint."""
    joints = _NO_JOINTS.copy()
    for point in points:
        start = _START.get(annolist.joint_id(point))
        if start is None or joints[start + 3]:
            continue
        joints[start], joints[start + 1] = annolist.place(point)
        joints[start + 3] = 1.0
        if not truth and 'score' in point:
            score = annolist.only(point['score'])
            joints[start + 2] = float('nan') if score is None else score
    return joints


def _head_sizes(rectangles: list[dict[str, Any]], truth: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return the size of each head and whether it is unknown."""
    boxes = [annolist.head_corners(rectangle) if truth else None for rectangle in rectangles]
    lacks = np.array([box is None for box in boxes], dtype=bool)
    sizes = np.full(len(rectangles), np.nan)
    corners = np.array([box for box in boxes if box is not None], dtype=np.float64)
    sizes[~lacks] = head_size(*corners.reshape(-1, 4).T)
    return sizes, lacks
