"""Reader of PoseTrack18's format as in poseval: ``images``, ``annotations`` and ``categories``, as in COCO."""

from __future__ import annotations

import os.path
from typing import Any

import numpy as np

from posediff.evaluation.posetrack.entries import (
    MISSING_SCORE,
    Entry,
    check_track_id,
    check_unique,
    head_size,
    number_table,
)
from posediff.evaluation.posetrack.sequence import Persons, PoseTrackSequence, Region, track_id_array
from posediff.fileio.image_ids import ImageIds
from posediff.structures.posetrack_joints import EVALUATED_KEYPOINTS, NUM_JOINTS

SOURCES = ('mpii', 'bonn', 'mpiinew')


def read_posetrack18(document: dict[str, Any], entry: Entry, truth: bool) -> PoseTrackSequence:
    """Read one sequence.

    * A person belongs to the image of its ``image_id``, compared by value: '7' equals 7. A person without an image is
      an error; poseval omits it.
    * The frames are ``images``. Only frames of the first video are read, identified by the leading number of the
      image's folder name.
    * A joint exists unless x, y and visibility are all 0.
    * A frame is valid if it has an annotation, regardless of ``is_labeled``.

    Args:
        document: Content of the file.
        entry: Position in the file, for errors.
        truth: Whether it is ground truth. Head boxes and ignore regions are read from ground truth only; unique track
            ids within a frame are required of predictions only.

    Raises:
        ValueError: An entry is missing or malformed; the message names file and entry.
    """
    with entry:
        entry.place = 'categories'
        columns, num_keypoints = _joint_columns(document['categories'])
        entry.place = None
        images, annotations = document['images'], document['annotations']
        if not images:
            raise ValueError('images is empty')
        by_id: dict[Any, dict[str, Any]] = {}
        persons_of: dict[Any, list[int]] = {}
        for position, image in enumerate(images):
            entry.place = ('images', position)
            by_id.setdefault(image['id'], image)  # duplicate ids: the first image is used
        ids = ImageIds(images)
        for index, annotation in enumerate(annotations):
            entry.place = ('annotations', index)
            persons_of.setdefault(ids.find(annotation['image_id']), []).append(index)
        names: list[str] = []
        counts, frames, indices, image_ids = [], [], [], []
        regions: dict[int, list[Region]] = {}
        first_video = None
        for position, listed in enumerate(images):
            entry.place = ('images', position)
            image = by_id[listed['id']]
            name = image['file_name']
            video = _check_file_name(name)
            first_video = video if first_video is None else first_video
            present = persons_of.get(image['id'], [])
            indices += present
            frames += [len(names) if video == first_video else -1] * len(present)
            if video != first_video:
                continue
            for index in present:
                entry.place = ('annotations', index)
                check_track_id(annotations[index]['track_id'])
            entry.place = ('images', position)
            if not truth:
                check_unique([annotations[index]['track_id'] for index in present], name)
            elif 'ignore_regions_x' in image and 'ignore_regions_y' in image:
                regions[len(names)] = _regions(image)
            counts.append(bool(present))
            names.append(name)
            image_ids.append(image['id'])
        persons = _read_persons(annotations, indices, np.array(frames, dtype=np.int64), columns, num_keypoints, entry)
        if truth:
            persons.head_sizes, persons.lacks_head = _head_sizes(annotations, indices, entry)
        entry.place = None
    persons = persons.take(persons.frame >= 0)
    return PoseTrackSequence(names, persons, np.array(counts, dtype=bool), image_ids, regions)


def _joint_columns(categories: Any) -> tuple[list[int], int]:
    """Return the column of each evaluated joint among a person's keypoints, and the number of keypoints."""
    if len(categories) != 1 or categories[0]['name'] != 'person':
        raise ValueError("there has to be one category, called 'person'")
    names = categories[0]['keypoints']
    if len(names) not in (15, 17):
        raise ValueError(f'a person has 15 or 17 keypoints, not {len(names)}')
    missing = [name for name in EVALUATED_KEYPOINTS if name not in names]
    if missing:
        raise ValueError(f'the keypoints {", ".join(missing)} are missing')
    return [names.index(name) for name in EVALUATED_KEYPOINTS], len(names)


def _check_file_name(name: str) -> str:
    """Return the video number, as text, in ``…/<number>_<source>…/<frame>.jpg``."""
    words = os.path.basename(os.path.dirname(name)).split('_')
    try:
        int(words[0])
        frame = int(os.path.basename(name).split('.')[0])
        known = words[1] in SOURCES and 0 <= frame < 10000
    except (ValueError, IndexError):
        known = False
    if not known:
        raise ValueError(
            f'file_name {name!r} is not of the form <number>_<{"|".join(SOURCES)}>…/<frame below 10000>.jpg'
        )
    return words[0]


def _regions(image: dict[str, Any]) -> list[Region]:
    several = zip(image['ignore_regions_x'], image['ignore_regions_y'], strict=False)
    return [(xs[: len(ys)], ys[: len(xs)]) for xs, ys in several]  # surplus x or y are dropped


def _read_persons(
    annotations: list[dict[str, Any]],
    indices: list[int],
    frames: np.ndarray,
    columns: list[int],
    num_keypoints: int,
    entry: Entry,
) -> Persons:
    """Read the annotations at ``indices`` (sorted by frame), without head sizes."""
    chosen = [annotations[index] for index in indices]
    track_ids = []
    for annotation, index in zip(chosen, indices, strict=True):
        entry.place = ('annotations', index)
        track_ids.append(annotation['track_id'])
    keypoints = number_table(annotations, indices, 'keypoints', 3 * num_keypoints, entry)
    keypoints = keypoints.reshape(-1, num_keypoints, 3)[:, columns]
    scores = np.full((len(chosen), NUM_JOINTS), MISSING_SCORE)
    enough = 1 + max(columns)
    scored = [row for row, annotation in enumerate(chosen) if annotation.get('scores')]
    of_scored = [indices[row] for row in scored]
    table = number_table(annotations, of_scored, 'scores', enough, entry, longer=True, null=True)
    scores[scored] = table[:, columns]
    return Persons(
        frame=frames,
        points=keypoints[..., :2],
        exists=(keypoints != 0).any(-1),
        scores=scores,
        head_sizes=np.full(len(chosen), np.nan),
        lacks_head=np.ones(len(chosen), dtype=bool),
        track_ids=track_id_array(track_ids),
    )


def _head_sizes(annotations: list[dict[str, Any]], indices: list[int], entry: Entry) -> tuple[np.ndarray, np.ndarray]:
    """Return the size of each head and whether it is unknown."""
    lacks = np.array(['bbox_head' not in annotations[index] for index in indices], dtype=bool)
    given = [index for index in indices if 'bbox_head' in annotations[index]]
    x, y, w, h = number_table(annotations, given, 'bbox_head', 4, entry, longer=True).T
    sizes = np.full(len(indices), np.nan)
    sizes[~lacks] = head_size(x, y, x + w, y + h)
    return sizes, lacks
