"""Reader of PoseTrack18's format as in PoseTrack21's code: stricter, and by position instead of by name."""

from __future__ import annotations

from typing import Any

import numpy as np

from posediff.evaluation.posetrack.entries import MISSING_SCORE, Entry, flat, head_size, number_table
from posediff.evaluation.posetrack.sequence import Persons, PoseTrackSequence, Region, track_id_array
from posediff.fileio.image_ids import ImageIds
from posediff.structures.posetrack_joints import EVALUATED_KEYPOINTS, NUM_JOINTS, POSETRACK18_KEYPOINTS

NUM_KEYPOINTS = len(POSETRACK18_KEYPOINTS)
COLUMNS = [POSETRACK18_KEYPOINTS.index(name) for name in EVALUATED_KEYPOINTS]


def read_posetrack21(
    document: dict[str, Any], entry: Entry, truth: bool, num_frames: int | None = None
) -> PoseTrackSequence:
    """Read one sequence.

    * A person has 17 keypoints in PoseTrack18's order, regardless of ``categories``.
    * A joint exists if both of its coordinates are above 0.
    * A frame is valid if ``is_labeled`` is set.
    * If all predicted keypoint values of a frame are written as integers, its scores are truncated to integers.

    Args:
        document: Content of the file.
        entry: Position in the file, for errors.
        truth: Whether it is ground truth, which needs ``is_labeled``, ignore regions and head boxes for all frames.
        num_frames: Maximum number of images to read.

    Raises:
        ValueError: An entry is missing or malformed; the message names file and entry.
    """
    with entry:
        images, annotations = document['images'], document['annotations']
        frame_of: dict[Any, int] = {}
        regions: dict[int, list[Region]] = {}
        counts, names = [], []
        for position, image in enumerate(images):
            entry.place = ('images', position)
            if image['id'] in frame_of:
                if truth:
                    raise ValueError(f'the id {image["id"]} occurs twice')
                continue  # duplicates count as one image; the number is checked later
            frame_of[image['id']] = len(frame_of)
            names.append(str(image.get('file_name', image['id'])))
            counts.append(truth and bool(image['is_labeled']))
            if truth:
                several_x, several_y = image['ignore_regions_x'], image['ignore_regions_y']
                regions[position] = _regions(several_x, several_y) if counts[-1] else []
        entry.place = None
        ids = ImageIds(images)
        present: list[list[int]] = [[] for _ in frame_of]
        for index, annotation in enumerate(annotations):
            entry.place = ('annotations', index)
            present[frame_of[ids.find(annotation['image_id'])]].append(index)
        entry.place = None
        persons = _read_persons(annotations, present[:num_frames], entry, truth)
    frames = slice(num_frames)
    return PoseTrackSequence(
        names[frames], persons, np.array(counts[frames], dtype=bool), list(frame_of)[frames], regions
    )


def _regions(several_x: list[list[float]], several_y: list[list[float]]) -> list[Region]:
    regions = []
    for number, xs in enumerate(several_x):
        ys = several_y[number]
        if len(ys) < len(xs):
            raise ValueError(f'ignore region {number} has {len(xs)} x and {len(ys)} y')
        regions.append((xs, ys[: len(xs)]))
    return regions


def _read_persons(annotations: list[dict[str, Any]], present: list[list[int]], entry: Entry, truth: bool) -> Persons:
    indices = [index for several in present for index in several]
    frames = np.repeat(np.arange(len(present)), [len(several) for several in present])
    chosen = [annotations[index] for index in indices]
    track_ids = []
    for annotation, index in zip(chosen, indices, strict=True):
        entry.place = ('annotations', index)
        track_ids.append(annotation['track_id'])
    table = number_table(annotations, indices, 'keypoints', 3 * NUM_KEYPOINTS, entry)
    points = table.reshape(-1, NUM_KEYPOINTS, 3)[:, COLUMNS, :2]
    scores, sizes = np.full((len(chosen), NUM_JOINTS), MISSING_SCORE), np.full(len(chosen), np.nan)
    if truth:
        x, y, w, h = number_table(annotations, indices, 'bbox_head', 4, entry).T
        sizes = head_size(x, y, x + w, y + h)
    else:
        scored = [row for row, annotation in enumerate(chosen) if 'scores' in annotation]
        of_scored = [indices[row] for row in scored]
        listed = number_table(annotations, of_scored, 'scores', NUM_KEYPOINTS, entry, null=True)
        scores[scored] = listed[:, COLUMNS]
        whole = np.array([_all_integers(annotations, several) for several in present], dtype=bool)[frames]
        with np.errstate(invalid='ignore'):
            scores[whole] = scores[whole].astype(np.int64)  # towards 0; NaN becomes the least integer
    return Persons(
        frame=frames,
        points=points,
        exists=np.all(points > 0, axis=-1),
        scores=scores,
        head_sizes=sizes,
        lacks_head=np.full(len(chosen), not truth),
        track_ids=track_id_array(track_ids),
    )


def _all_integers(annotations: list[dict[str, Any]], indices: list[int]) -> bool:
    """Return whether all keypoint values of a frame's persons are written as integers in JSON."""
    return all(isinstance(value, int) for index in indices for value in flat(annotations[index]['keypoints']))
