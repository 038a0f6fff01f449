"""Files in every format, written as the program writes them, are read as the same people."""

from __future__ import annotations

import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from posediff.fileio.keypoint_files import FORMATS, KeypointRecord, read_keypoint_file

sys.path.insert(0, str(Path(__file__).parent))
import writers  # noqa: E402
from writers import SIZE, WRITERS, People, Writer, draw  # noqa: E402

sys.path.pop(0)

CASES = [
    pytest.param(writer, name, skeleton, said, ids, id=f'{writer.__name__}-{skeleton}')
    for writer, name, skeletons, said, ids in WRITERS
    for skeleton in skeletons
]


def assert_same(record: KeypointRecord, people: People, ids: bool, scores: bool = True, atol: float = 0.01) -> None:
    """Check frames and keypoints of every person; the order within a frame and unknown ids are ignored."""
    assert record.skeleton.name == people.skeleton
    assert {frame: len(held) for frame, held in record.people.items()} == {
        frame: len(rows) for frame, rows in people.by_frame().items()
    }
    for frame, rows in people.by_frame().items():
        for row in rows:
            near = min(record.people[frame], key=lambda one: np.abs(one.keypoints - people.points[row]).max())
            np.testing.assert_allclose(near.keypoints, people.points[row], atol=atol)
            if scores:
                np.testing.assert_allclose(near.scores, people.scores[row], atol=1e-5)
            if ids:
                assert near.track_id is not None
                assert record.track_names.get(near.track_id, str(near.track_id)).endswith(str(people.tracks[row]))
            else:
                assert near.track_id is None


@pytest.mark.parametrize(('writer', 'name', 'skeleton', 'said', 'ids'), CASES)
def test_people_come_back(writer: Writer, name: str, skeleton: str, said: bool, ids: bool, tmp_path: Path) -> None:
    people = draw(skeleton, two=writer is not writers.mediapipe_js)
    path = writer(tmp_path, people)
    if said:
        with pytest.raises(ValueError, match='does not state its skeleton: use --skeleton'):
            read_keypoint_file(path, img_shape=SIZE)
    record = read_keypoint_file(path, skeleton if said else None, img_shape=SIZE)
    assert record.format == name
    scores = writer is not writers.coco_annotations
    assert_same(record, people, ids, scores)
    named = read_keypoint_file(path, skeleton, format=name, img_shape=SIZE)
    assert_same(named, people, ids, scores)
    assert not read_keypoint_file(path, skeleton, img_shape=SIZE, keep_track_ids=False).has_track_ids


@settings(max_examples=8, deadline=None)
@given(st.data())
@pytest.mark.parametrize(('writer', 'name', 'skeleton', 'said', 'ids'), CASES)
def test_whatever_was_not_seen_stays_unseen(
    writer: Writer, name: str, skeleton: str, said: bool, ids: bool, data: st.DataObject
) -> None:
    """Some keypoints at (0, 0) with a nonzero score are undetected; the others are unchanged."""
    people = draw(skeleton, seed=data.draw(st.integers(0, 99)), frames=4, two=writer is not writers.mediapipe_js)
    count = people.points.shape[1]
    unseen = np.array(
        [data.draw(st.lists(st.booleans(), min_size=count, max_size=count)) for _ in range(len(people.points))]
    )
    unseen[:, -3:] = False  # at least one person
    people = replace(people, points=np.where(unseen[..., None], 0.0, people.points))
    with tempfile.TemporaryDirectory() as folder:
        record = read_keypoint_file(writer(Path(folder), people), skeleton, format=name, img_shape=SIZE)
    expected = replace(people, scores=np.where(unseen, 0.0, people.scores))
    assert_same(record, expected, ids, writer is not writers.coco_annotations)


def test_an_unknown_format_is_refused_with_those_that_are_read(tmp_path: Path) -> None:
    (tmp_path / 'a.json').write_text('{"a": 1}')
    with pytest.raises(ValueError, match=r'a\.json: the format is not recognised; keypoints are read from') as caught:
        read_keypoint_file(tmp_path / 'a.json')
    assert all(f'{name} (' in str(caught.value) for name in FORMATS)
    with pytest.raises(ValueError, match=r'--format detectron is unknown; keypoints are read from: alphapose'):
        read_keypoint_file(tmp_path / 'a.json', format='detectron')
    with pytest.raises(FileNotFoundError, match='does not exist'):
        read_keypoint_file(tmp_path / 'nowhere.json')
    (tmp_path / 'none.json').write_text('[]')
    with pytest.raises(ValueError, match=r'none\.json holds no poses'):
        read_keypoint_file(tmp_path / 'none.json')
    (tmp_path / 'empty').mkdir()
    with pytest.raises(ValueError, match='empty is a folder without .json or .txt files'):
        read_keypoint_file(tmp_path / 'empty')


@pytest.mark.parametrize('name', sorted(FORMATS))
def test_a_format_that_it_is_not_is_refused(name: str, tmp_path: Path) -> None:
    other = writers.mmpose if name != 'mmpose' else writers.openpose
    path = other(tmp_path, draw('coco17'))
    with pytest.raises((ValueError, ImportError)) as caught:
        read_keypoint_file(path, 'coco17', format=name, img_shape=SIZE)
    assert str(path) in str(caught.value)
