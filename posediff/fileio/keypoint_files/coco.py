"""COCO results and annotations, and AlphaPose results, which are similar."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any

import numpy as np

from posediff.fileio.image_ids import ImageIds
from posediff.fileio.keypoint_files.contents import Contents, RawPerson
from posediff.fileio.keypoint_files.documents import Source
from posediff.fileio.keypoint_files.formats import KeypointFormat, register_format
from posediff.fileio.keypoint_files.frame_numbers import frame_numbers, frame_of
from posediff.fileio.keypoint_files.joint_names import columns_of, plain_name
from posediff.structures.skeletons import get_skeleton

FRAME_KEYS = ('frame_index', 'image_id', 'frame_id')
ALPHAPOSE_COUNTS = {17: 'coco17', 26: 'halpe26', 133: 'coco17', 136: 'halpe26'}  # skeleton by number of keypoints
ALPHAPOSE_MAX = 6.0
"""AlphaPose's documentation states scores "in the range [0,1] for MPII dataset and range [0,6] for COCO dataset"."""


def is_alphapose_row(row: Any) -> bool:
    """Return whether a result is from AlphaPose: it has ``box`` or ``idx``, or an image name as ``image_id``."""
    if not isinstance(row, dict) or not isinstance(row.get('keypoints'), list):
        return False
    name = row.get('image_id')
    named = isinstance(name, str) and not name.strip().replace('.', '', 1).isdigit()
    return 'idx' in row or 'box' in row or named


def _flat_rows(document: Any) -> list[Any] | None:
    """Return the rows of a list of results with flat keypoints; None for other documents."""
    if not isinstance(document, list) or not document or not isinstance(document[0], dict):
        return None
    keypoints = document[0].get('keypoints')
    flat = isinstance(keypoints, list) and not any(isinstance(value, list | dict) for value in keypoints)
    return document if flat else None


def _matches_coco(source: Source) -> bool:
    if source.kind != 'json':
        return False
    rows = _flat_rows(source.document)
    return (rows is not None and not is_alphapose_row(rows[0])) or _is_annotations(source.document)


def _is_annotations(document: Any) -> bool:
    return isinstance(document, dict) and {'images', 'annotations'} <= document.keys()


def _read_coco(source: Source, skeleton: str | None) -> Contents:
    if source.kind == 'json' and _is_annotations(source.document):
        return _annotations(source, skeleton)
    rows = _flat_rows(source.document) if source.kind == 'json' else None
    if rows is None:
        raise ValueError(f'{source.path} is not a list of COCO results with flat keypoints')
    return Contents(flat_people(source, rows))


def _read_alphapose(source: Source, skeleton: str | None) -> Contents:
    rows = _flat_rows(source.document) if source.kind == 'json' else None
    if rows is None:
        return _alphapose_by_image(source)
    people = without_constant_ids(list(flat_people(source, rows)))
    return Contents(people, by_count=ALPHAPOSE_COUNTS, max_score=ALPHAPOSE_MAX)


def _matches_alphapose(source: Source) -> bool:
    if source.kind != 'json':
        return False
    rows = _flat_rows(source.document)
    if rows is not None:
        return is_alphapose_row(rows[0])
    return _by_image(source.document) is not None


def _by_image(document: Any) -> dict[str, list[Any]] | None:
    """Return the persons by image of AlphaPose's other formats: tracking results, and --format cmu and open."""
    if not isinstance(document, dict) or not document or _is_annotations(document):
        return None
    if {'people', 'bodies'} & document.keys():  # one image in OpenPose's format
        return None
    found = {}
    for name, held in document.items():
        people = held.get('people', held.get('bodies')) if isinstance(held, dict) else held
        if not isinstance(people, list) or not all(isinstance(one, dict) for one in people):
            return None
        found[name] = people
    keys = {key for people in found.values() for one in people for key in one}
    return found if keys & {'keypoints', 'pose_keypoints_2d', 'joints'} else None


def _alphapose_by_image(source: Source) -> Contents:
    images = _by_image(source.document) if source.kind == 'json' else None
    if images is None:
        raise ValueError(f'{source.path} is not a file of results by AlphaPose')
    people = []
    for name, held in images.items():
        for number, one in enumerate(held):
            where = f'{source.path}: {name}: person {number}'
            values = next((one[key] for key in ('pose_keypoints_2d', 'joints', 'keypoints') if key in one), None)
            points, scores = triples(where, values)
            people.append(RawPerson(where, name, points, scores, one.get('idx')))
    counts = {**ALPHAPOSE_COUNTS, 18: 'openpose18', 15: 'mpi15'}
    return Contents(without_constant_ids(people), by_count=counts, max_score=ALPHAPOSE_MAX)


def without_constant_ids(people: list[RawPerson]) -> list[RawPerson]:
    """Remove the ids of a run without tracking, in which AlphaPose gives all persons the same id."""
    if len({str(one.track) for one in people}) > 1:
        return people
    frames = [one.frame for one in people]
    if len(set(map(str, frames))) == len(frames):
        return people
    return [RawPerson(one.where, one.frame, one.points, one.scores) for one in people]


def flat_people(source: Source, rows: list[Any]) -> Iterator[RawPerson]:
    """Yield the persons of rows ``{frame, "keypoints": [x, y, score, …]}``."""
    flags = all_flags(row.get('keypoints') for row in rows if isinstance(row, dict))
    for number, row in enumerate(rows):
        where = f'{source.path}: entry {number}'
        if not isinstance(row, dict) or 'keypoints' not in row:
            raise ValueError(f'{where}: expected an object with keypoints, got {str(row)[:60]}')
        frame = frame_of(row, *FRAME_KEYS)
        if frame is None and not any(name in row for name in FRAME_KEYS):
            raise ValueError(f'{where}: it names no frame ({", ".join(FRAME_KEYS)})')
        points, scores = triples(where, row['keypoints'])
        yield RawPerson(where, frame, points, np.minimum(scores, 1) if flags else scores, _track(row))


def _track(row: dict[str, Any]) -> Any:
    return next((row[name] for name in ('track_id', 'idx') if name in row), None)


def triples(where: str, values: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return points (K, 2) and scores (K,) of a flat list x, y, score, …

    Raises:
        ValueError: It is not a list of numbers, or its length is not a multiple of three.
    """
    try:
        flat = np.array(values, np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(f'{where}: keypoints must be numbers: {error}') from error
    if flat.ndim != 1 or len(flat) % 3:
        raise ValueError(f'{where}: keypoints must be a flat list x, y, score, …, got {flat.shape} values')
    return flat.reshape(-1, 3)[:, :2], flat.reshape(-1, 3)[:, 2]


def all_flags(lists: Any) -> bool:
    """Return whether the third values are COCO's visibility: 0 not labelled, 1 labelled but occluded, 2 visible."""
    values: set[Any] = set()
    for one in lists:
        if isinstance(one, list):
            values.update(value for value in one[2::3] if not isinstance(value, list | dict))
        if not values <= {0, 1, 2}:
            return False
    return 2 in values


def _annotations(source: Source, skeleton: str | None) -> Contents:
    """Read annotated persons; labelled but occluded keypoints get score 1.

    Joints are found by the names in ``categories``, in whatever order they are.
    """
    document = source.document
    images = {}
    for number, image in enumerate(document['images']):
        if not isinstance(image, dict) or 'id' not in image:
            raise ValueError(f'{source.path}: image {number} has no id')
        images[image['id']] = image.get('frame_id', image.get('file_name', image['id']))
    ids = ImageIds(document['images'])
    people = []
    for number, row in enumerate(document['annotations']):
        where = f'{source.path}: annotation {number}'
        if not isinstance(row, dict) or 'image_id' not in row:
            raise ValueError(f'{where} has no image_id')
        try:
            frame = images[ids.find(row['image_id'])]
        except ValueError as error:
            raise ValueError(f'{where}: {error}') from error
        if not row.get('keypoints') or row.get('iscrowd'):
            continue
        points, flags = triples(where, row['keypoints'])
        people.append(RawPerson(where, frame, points, np.minimum(flags, 1), row.get('track_id')))
    names = next((one['keypoints'] for one in document.get('categories', []) if one.get('keypoints')), None)
    name, columns = None, None
    if names:
        name, columns = _joints(source, names, skeleton)
        people = people if columns is None else [_selected(one, columns, len(names)) for one in people]
    return Contents(
        people,
        skeleton=name,
        states_skeleton=columns is not None,
        img_shape=_size_of(document['images']),
        all_frames=_numbered(source, images, people),
    )


def _joints(source: Source, names: list[str], skeleton: str | None) -> tuple[str, list[int | None] | None]:
    """Return the skeleton of named keypoints, and the index of each of its joints among them; see ``columns_of``.

    The list is None if no name is a joint of the skeleton that the user states ("1", "kp_2"). The keypoints are then
    taken to be in the order of that skeleton.
    """
    if skeleton is None:
        return columns_of(str(source.path), names, None)
    plain = [plain_name(name) for name in names]
    if not set(plain) & set(get_skeleton(skeleton).joint_names):
        return skeleton, None
    found, columns = columns_of(str(source.path), names, skeleton)
    if None in columns:
        with suppress(ValueError):
            return columns_of(str(source.path), names, None)  # all joints of another skeleton: a contradiction
    return found, columns


def _selected(person: RawPerson, columns: list[int | None], number: int) -> RawPerson:
    """Return a person with the keypoints in ``columns``; missing ones are NaN with score 0."""
    if len(person.points) != number:
        raise ValueError(f'{person.where}: {len(person.points)} keypoints, its category names {number}')
    missing = np.array([column is None for column in columns])
    rows = [column or 0 for column in columns]
    points = np.where(missing[:, None], np.nan, person.points[rows])
    return replace(person, points=points, scores=np.where(missing, 0, person.scores[rows]))


def _size_of(images: list[Any]) -> tuple[int, int] | None:
    """Return the common size (h, w) px of the images; None if it is not stated or not the same everywhere."""
    sizes = {(image.get('height'), image.get('width')) for image in images}
    height, width = next(iter(sizes)) if len(sizes) == 1 else (None, None)
    if not isinstance(height, int | float) or not isinstance(width, int | float) or min(height, width) <= 0:
        return None
    return int(height), int(width)


def _numbered(source: Source, images: dict[Any, Any], people: list[RawPerson]) -> list[Any]:
    """Return the frames of all images, or an empty list if some have no index (:func:`frame_numbers` fails)."""
    listed = [(str(source.path), frame) for frame in images.values()]
    try:
        frame_numbers([(one.where, one.frame) for one in people] + listed)
    except ValueError:
        return []
    return list(images.values())


COCO = register_format(
    KeypointFormat('coco', "COCO's results and annotations, JSON", _matches_coco, _read_coco),
)
ALPHAPOSE = register_format(
    KeypointFormat('alphapose', 'AlphaPose, JSON in its own, cmu or open form', _matches_alphapose, _read_alphapose)
)
