"""The files of a run, read back by other readers."""

from __future__ import annotations

import json

import numpy as np
import pytest

from posediff.pipeline import pose_writer
from posediff.pipeline.pose_writer import PosesHeader, PoseWriter
from posediff.structures.results import FrameResult, PersonPose
from posediff.structures.skeletons import CMU17, COCO17


def header() -> PosesHeader:
    return PosesHeader(COCO17, CMU17, 29.97, (480, 640), {'camera': {'focal': [640.0, 640.0], 'source': 'assumed'}})


def person(track: int, frame: int, observed: bool = True) -> PersonPose:
    rng = np.random.default_rng((track, frame))
    keypoints = rng.uniform(0, 600, (17, 2)).astype(np.float32)
    return PersonPose(
        track, observed,
        np.float32([1, 2, 3, 4]) if observed else np.full(4, np.nan, np.float32),
        keypoints if observed else np.full((17, 2), np.nan, np.float32),
        rng.random(17).astype(np.float32) * observed,
        rng.normal(0, 500, (17, 3)).astype(np.float32), rng.random(17).astype(np.float32),
        rng.normal(0, 3000, 3).astype(np.float32), (rng.random(17) < 0.6) & observed, observed and frame % 4 > 0,
    )  # fmt: skip


def results(frames: int) -> list[FrameResult]:
    return [
        FrameResult(frame, frame / 29.97, tuple(person(track, frame, track != 1) for track in range(frame % 3)))
        for frame in range(frames)
    ]


@pytest.mark.parametrize('part_rows', [1, 4, 1000])
def test_both_files_hold_every_row(tmp_path, monkeypatch, part_rows):
    monkeypatch.setattr(pose_writer, 'PART_ROWS', part_rows)
    writer = PoseWriter(tmp_path, header())
    people = [(result, one) for result in results(12) for one in result.people]
    for result in results(12):
        writer.add(result)
    npz, text = writer.finish()
    assert sorted(path.name for path in tmp_path.iterdir()) == ['poses.json', 'poses.npz']
    document = json.loads(text.read_text())
    assert document['num_rows'] == len(document['rows']) == len(people) == 12
    assert (document['num_frames'], document['schema'], document['schema_version']) == (12, 'posediff-people-3d', 1)
    assert document['camera']['source'] == 'assumed'
    with np.load(npz, allow_pickle=False) as arrays:
        assert arrays['joint_names'].tolist() == list(CMU17.joint_names)
        assert arrays['fps'] == 29.97
        assert json.loads(str(arrays['camera'])) == document['camera']
        for number, (result, one) in enumerate(people):
            row = document['rows'][number]
            assert arrays['frame_index'][number] == row['frame_index'] == result.frame_index
            assert arrays['track_id'][number] == row['track_id'] == one.track_id
            assert arrays['observed'][number] == row['observed'] == one.observed
            np.testing.assert_array_equal(arrays['joints_3d'][number], one.joints_3d)
            np.testing.assert_array_equal(arrays['keypoints_2d'][number], one.keypoints_2d)
            np.testing.assert_allclose(row['joints_3d'], one.joints_3d, atol=0.06)
            assert (row['keypoints_2d'][0] == [None, None]) == (not one.observed)


def test_nobody_makes_empty_files_of_the_right_shapes(tmp_path):
    writer = PoseWriter(tmp_path, header())
    writer.add(FrameResult(0, 0.0, ()))
    npz, text = writer.finish()
    assert json.loads(text.read_text())['rows'] == []
    with np.load(npz) as arrays:
        assert arrays['joints_3d'].shape == (0, 17, 3)
        assert arrays['keypoints_2d'].shape == (0, 17, 2)


def test_what_an_earlier_run_left_is_not_mixed_in(tmp_path):
    first = PoseWriter(tmp_path, header())
    first.add(results(3)[2])
    first._write_part()
    writer = PoseWriter(tmp_path, header())
    writer.finish()
    with np.load(tmp_path / 'poses.npz') as arrays:
        assert len(arrays['frame_index']) == 0
