"""OpenPose JSON with one file per frame; also written by others (rtmlib's users, Sports2D, AlphaPose)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from posediff.fileio.keypoint_files.coco import triples
from posediff.fileio.keypoint_files.contents import Contents, RawPerson
from posediff.fileio.keypoint_files.documents import Source
from posediff.fileio.keypoint_files.formats import KeypointFormat, register_format
from posediff.fileio.keypoint_files.mmpose import MAX_PEAK
from posediff.structures.skeletons import get_skeleton

COUNTS = {
    25: 'body25', 18: 'openpose18', 15: 'mpi15', 17: 'coco17', 26: 'halpe26', 133: 'coco17', 134: 'openpose18',
    135: 'body25', 136: 'halpe26',
}  # fmt: skip
_KEYS = ('pose_keypoints_2d', 'pose_keypoints', 'joints')
_FAR = 0.25  # maximum distance of mid_hip from the hip centre, relative to the trunk length


def _people(document: Any) -> list[Any] | None:
    if not isinstance(document, dict):
        return None
    held = document.get('people', document.get('bodies'))
    return held if isinstance(held, list) else None


def _matches(source: Source) -> bool:
    if source.kind == 'folder of json':
        return all(_people(document) is not None for _, document in source.documents)
    return source.kind == 'json' and _people(source.document) is not None


def _read(source: Source, skeleton: str | None) -> Contents:
    if source.kind == 'folder of json':
        people = [one for name, held in source.documents for one in _frame(source, name, name, held)]
    elif source.kind == 'json':
        people = list(_frame(source, source.path.name, 0, source.document))
    else:
        raise ValueError(f'{source.path} is neither JSON nor a folder of it')
    if skeleton is None and people and len(people[0].points) == 25:
        _check_order(source, people)
    return Contents(
        people,
        by_count=COUNTS,
        max_score=MAX_PEAK,
        min_score=-MAX_PEAK,
        first_frame=0 if source.kind == 'json' else None,
        all_frames=source.names,
    )


def _frame(source: Source, name: str, frame: Any, document: Any) -> Iterator[RawPerson]:
    held = _people(document)
    origin = source.path if source.kind == 'json' else source.path / name
    if held is None:
        raise ValueError(f'{origin}: expected an object with people, got {type(document).__name__}')
    for number, person in enumerate(held):
        where = f'{origin}: person {number}'
        if not isinstance(person, dict):
            raise ValueError(f'{where}: expected an object, got {type(person).__name__}')
        values = next((person[key] for key in _KEYS if key in person), None)
        if values is None:
            raise ValueError(f'{where}: it has no pose_keypoints_2d')
        points, scores = triples(where, values)
        if len(points):  # skip persons with hands or a face only
            yield RawPerson(where, frame, points, scores, person.get('person_id'))


def _check_order(source: Source, people: list[RawPerson]) -> None:
    """Check that 25 keypoints are BODY_25, where the ninth is the hip centre; BODY_25B also has 25 keypoints."""
    names = get_skeleton('body25').joint_names
    hip, left, right, neck = (names.index(name) for name in ('mid_hip', 'left_hip', 'right_hip', 'neck'))
    far = []
    for one in people:
        points, scores = np.asarray(one.points), np.asarray(one.scores)
        if len(points) == 25 and (scores[[hip, left, right, neck]] > 0).all():
            middle = (points[left] + points[right]) / 2
            far.append(np.linalg.norm(points[hip] - middle) > _FAR * np.linalg.norm(points[neck] - middle))
    if far and np.mean(far) > 0.5:
        raise ValueError(
            f'{source.path}: 25 keypoints are read as BODY_25, but the ninth is not between the tenth and the '
            'thirteenth as in BODY_25: state the skeleton with --skeleton (body25, body25b)'
        )


OPENPOSE = register_format(
    KeypointFormat('openpose', 'OpenPose, folder of JSON with a file for each frame', _matches, _read)
)
