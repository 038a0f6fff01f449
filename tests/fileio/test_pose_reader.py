"""Rows are read in parts as they were written."""

from __future__ import annotations

import numpy as np
import pytest

from posediff.fileio import pose_reader
from posediff.fileio.pose_reader import count_rows, read_results, read_rows
from posediff.fileio.shown_joints import sample_joints
from posediff.pipeline.pose_writer import PosesHeader, PoseWriter
from posediff.structures.results import FrameResult, PersonPose
from posediff.structures.skeletons import CMU17, COCO17


def person(track: int, frame: int) -> PersonPose:
    rng = np.random.default_rng((track, frame))
    shapes = [(4,), (17, 2), (17,), (17, 3), (17,), (3,)]
    values = [rng.normal(0, 500, shape).astype(np.float32) for shape in shapes]
    radius = rng.uniform(0, 300, 17).astype(np.float32)
    return PersonPose(track, track != 1, *values, rng.random(17) < 0.7, bool(frame % 2), joints_3d_radius_90=radius)


RESULTS = [
    FrameResult(frame, frame / 29.97, tuple(person(track, frame) for track in range(frame % 3))) for frame in range(12)
]


@pytest.fixture(params=[1, 2, 5, 12, 1000])
def path(request, tmp_path, monkeypatch):
    monkeypatch.setattr(pose_reader, 'PART_ROWS', request.param)
    writer = PoseWriter(tmp_path, PosesHeader(COCO17, CMU17, 29.97, (480, 640), {}))
    for result in RESULTS:
        writer.add(result)
    return writer.finish()[0]


def test_results_are_those_that_were_written(path):
    found = list(read_results(path))
    written = [result for result in RESULTS if result.people]
    assert [(one.frame_index, one.time_s) for one in found] == [(one.frame_index, one.time_s) for one in written]
    for one, other in zip(found, written, strict=True):
        for got, expected in zip(one.people, other.people, strict=True):
            for name in PersonPose.__dataclass_fields__:
                np.testing.assert_array_equal(getattr(got, name), getattr(expected, name))


@pytest.mark.parametrize('every', [1, 2, 3, 7, 50])
def test_parts_are_small_and_whole(path, every):
    with np.load(path) as arrays:
        expected = {name: arrays[name][::every] for name in ('track_id', 'joints_3d')}
        assert count_rows(path) == len(arrays['track_id']) == 12
    parts = list(read_rows(path, ['track_id', 'joints_3d'], every))
    assert max(len(part['track_id']) for part in parts) <= pose_reader.PART_ROWS
    for name, values in expected.items():
        np.testing.assert_array_equal(np.concatenate([part[name] for part in parts]), values)
    assert len(sample_joints(path, 5)) == 4  # every third row


def test_a_file_of_numpy_is_read_too(tmp_path):
    np.savez(tmp_path / 'poses.npz', frame_index=np.arange(3), track_id=np.arange(3))
    assert count_rows(tmp_path / 'poses.npz') == 3
    (part,) = read_rows(tmp_path / 'poses.npz', ['track_id'])
    assert part['track_id'].tolist() == [0, 1, 2]
