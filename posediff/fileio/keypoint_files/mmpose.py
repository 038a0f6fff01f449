"""JSON of MMPose's inferencers and demo scripts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from posediff.fileio.keypoint_files.contents import Contents, RawPerson
from posediff.fileio.keypoint_files.documents import Source
from posediff.fileio.keypoint_files.formats import KeypointFormat, register_format
from posediff.fileio.keypoint_files.frame_numbers import frame_of
from posediff.structures.skeletons import match_skeleton

MAX_PEAK = 10.0
"""Maximum score. Peaks of SimCC heads are unbounded: 1.12 for RTMPose, 5 and more for its larger models. Scores above
10 are more likely percentages."""

_FRAME_KEYS = ('frame_id', 'frame_index', 'image_id')
_WHOLE_BODY = {133: 'coco17', 136: 'halpe26'}
_DATASETS = {'coco': 'coco17', 'coco_wholebody': 'coco17', 'halpe26': 'halpe26', 'posetrack18': None, 'h36m': 'h36m17'}


def _matches(source: Source) -> bool:
    if source.kind == 'folder of json':
        return any(_is_instances(document) for _, document in source.documents)
    document = source.document if source.kind == 'json' else None
    if isinstance(document, dict):
        return isinstance(document.get('instance_info'), list)
    return isinstance(document, list) and bool(document) and (_is_frame(document[0]) or _is_instances(document))


def _is_frame(entry: Any) -> bool:
    return isinstance(entry, dict) and isinstance(entry.get('instances'), list)


def _is_instances(document: Any) -> bool:
    """Return whether a document is the persons of one image."""
    return (
        isinstance(document, list)
        and bool(document)
        and all(isinstance(one, dict) and {'keypoints', 'keypoint_scores'} <= one.keys() for one in document)
    )


def _read(source: Source, skeleton: str | None) -> Contents:
    options: dict[str, Any] = {'by_count': _WHOLE_BODY, 'max_score': MAX_PEAK, 'min_score': -MAX_PEAK}
    if source.kind == 'folder of json':
        held = [one for name, entry in source.documents for one in _instances(f'{source.path / name}', name, entry)]
        return _with_skeleton(Contents(held, all_frames=source.names, **options), None)
    document = source.document if source.kind == 'json' else None
    if isinstance(document, dict) and isinstance(document.get('instance_info'), list):
        rows, info = document['instance_info'], document.get('meta_info')
        # demo scripts increment the index before writing: their first frame is 1; bare instances are one image
        if rows and not _is_frame(rows[0]):
            return _with_skeleton(Contents(_instances(str(source.path), 0, rows), first_frame=0, **options), info)
        listed = _listed(rows)
        return _with_skeleton(
            Contents(_frames(source, rows), first_frame=0 if _begins_at_0(listed) else 1, all_frames=listed, **options),
            info,
        )
    if isinstance(document, list) and _is_instances(document):
        numbered = any('frame_id' in one for one in document)
        entries = _numbered(source, document) if numbered else _instances(str(source.path), 0, document)
        return _with_skeleton(Contents(entries, first_frame=None if numbered else 0, **options), None)
    if not isinstance(document, list):
        raise ValueError(f'{source.path} is neither a list of frames with instances nor a file of a demo script')
    # the inferencers list every frame from 0 on, with or without persons
    listed = _listed(document)
    people = _frames(source, document)
    return _with_skeleton(
        Contents(people, first_frame=0 if _begins_at_0(listed) else None, all_frames=listed, **options), None
    )


def _listed(rows: list[Any]) -> list[Any]:
    """Return the frames of all rows that state one."""
    named = [frame_of(row, *_FRAME_KEYS) for row in rows if isinstance(row, dict)]
    return [frame for frame in named if frame is not None]


def _begins_at_0(frames: list[Any]) -> bool:
    return any(str(frame).strip().rstrip('0') in ('', '.', '0.') for frame in frames)


def _frames(source: Source, rows: list[Any]) -> Iterator[RawPerson]:
    for number, row in enumerate(rows):
        where = f'{source.path}: row {number}'
        if not _is_frame(row):
            raise ValueError(f'{where}: expected a frame with instances, got {str(row)[:60]}')
        frame = frame_of(row, *_FRAME_KEYS)
        if frame is None:
            raise ValueError(f'{where}: it names no frame (frame_id)')
        yield from _instances(where, frame, row['instances'])


def _numbered(source: Source, rows: list[Any]) -> Iterator[RawPerson]:
    for number, row in enumerate(rows):
        if 'frame_id' not in row:
            raise ValueError(f'{source.path}: row {number}: it names no frame (frame_id)')
        yield from _instances(f'{source.path}: row {number}', row['frame_id'], [row])


def _instances(where: str, frame: Any, instances: Any) -> Iterator[RawPerson]:
    if not isinstance(instances, list):
        raise ValueError(f'{where}: expected a list of instances, got {type(instances).__name__}')
    for number, one in enumerate(instances):
        place = where if len(instances) == 1 else f'{where}: instance {number}'
        if not isinstance(one, dict) or not {'keypoints', 'keypoint_scores'} <= one.keys():
            raise ValueError(f'{place}: expected keypoints and keypoint_scores, got {str(one)[:60]}')
        yield RawPerson(place, frame, one['keypoints'], one['keypoint_scores'], one.get('track_id'))


def _with_skeleton(contents: Contents, info: Any) -> Contents:
    """Set the skeleton of the contents from the file's ``meta_info``, if it states a known one, and return them."""
    contents.people = people = list(contents.people)
    name = None
    if isinstance(info, dict):
        named = info.get('keypoint_id2name')
        if isinstance(named, dict) and named:
            names = [named.get(str(number), named.get(number)) for number in range(len(named))]
            name = _matched(names)
        else:
            name = _DATASETS.get(str(info.get('dataset_name')))
    if name is not None:
        contents.skeleton, contents.states_skeleton = name, True
    if people and name is None and hasattr(people[0].points, '__len__'):
        # 17 keypoints may be COCO or Human3.6M; only longer lists are unambiguous
        count = len(people[0].points)
        contents.by_count = _WHOLE_BODY if count in _WHOLE_BODY else {26: 'halpe26'} if count == 26 else {}
    return contents


def _matched(names: list[Any]) -> str | None:
    """Return the skeleton that a list of names equals or starts with; None if there is none."""
    try:
        found, columns = match_skeleton([str(name) for name in names])
    except ValueError:
        return None
    return found.name if columns == list(range(found.num_joints)) else None


MMPOSE = register_format(
    KeypointFormat('mmpose', "MMPose's inferencers and demo scripts, JSON", _matches, _read),
)
