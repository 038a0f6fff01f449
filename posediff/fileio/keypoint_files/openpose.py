"""OpenPose's JSON: a file for each frame; also what others write in its form (rtmlib's users, Sports2D, AlphaPose)."""

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
_FAR = 0.25  # of the trunk's length, between the middle of the hips and where the file has it


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
        if len(points):  # hands or a face alone
            yield RawPerson(where, frame, points, scores, person.get('person_id'))


def _check_order(source: Source, people: list[RawPerson]) -> None:
    """25 keypoints are BODY_25, in the middle of whose hips is the ninth; BODY_25B has the same number."""
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
            f'{source.path}: 25 keypoints are taken for BODY_25, but the ninth is not between the tenth and the '
            'thirteenth as there: say which they are with --skeleton (body25, body25b)'
        )


OPENPOSE = register_format(
    KeypointFormat('openpose', 'OpenPose, folder of JSON with a file for each frame', _matches, _read)
)
