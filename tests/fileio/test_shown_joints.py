"""A joint is drawn within one lifter window around frames in which it was observed, in new and old files."""

from __future__ import annotations

import numpy as np
import pytest

from posediff.fileio.pose_reader import read_results, read_rows
from posediff.fileio.shown_joints import read_drawn, sample_joints, shown_joints
from posediff.pipeline.pose_writer import PosesHeader, PoseWriter
from posediff.structures.results import FrameResult, PersonPose
from posediff.structures.skeletons import CMU17, COCO17

FPS, FRAMES = 25.0, 60
WRIST, FOOT, HEAD = 13, 3, 10


@pytest.fixture
def path(tmp_path):
    """Two people; of the first, the wrist is missing briefly, the foot is observed once, the head never."""
    writer = PoseWriter(tmp_path, PosesHeader(COCO17, CMU17, FPS, (480, 640), {'lifter_window_s': 0.4}))
    for frame in range(FRAMES):
        people = []
        for track in (0, 1):
            observed = np.ones(17, bool)
            if track == 0:
                observed[[WRIST, FOOT, HEAD]] = frame not in (20, 21, 22), frame == 30, False
            people.append(
                PersonPose(
                    track, True, np.ones(4, np.float32), np.ones((17, 2), np.float32), np.ones(17, np.float32),
                    np.ones((17, 3), np.float32), np.ones(17, np.float32), np.ones(3, np.float32), observed, True,
                )
            )  # fmt: skip
        writer.add(FrameResult(frame, frame / FPS, tuple(people)))
    return writer.finish()[0]


def test_a_joint_is_shown_near_the_frames_that_saw_it(path):
    shown = shown_joints(path).reshape(FRAMES, 2, 17)
    assert shown[:, 1].all()
    first = shown[:, 0]
    assert first[:, WRIST].all()
    assert np.flatnonzero(first[:, FOOT]).tolist() == [*range(20, 41)]  # 0.4 s on either side
    assert not first[:, HEAD].any()
    assert first[:, [joint for joint in range(17) if joint not in (WRIST, FOOT, HEAD)]].all()
    people = [result.people for result in read_drawn(path)]
    np.testing.assert_array_equal([[person.joint_shown for person in both] for both in people], shown)
    np.testing.assert_array_equal(people[21][0].joint_observed[WRIST], False)  # the stored value is exact
    sampled = sample_joints(path, 40)
    np.testing.assert_array_equal(np.isfinite(sampled).all(-1), shown.reshape(-1, 17)[::3])


def test_a_file_that_does_not_say_is_shown_whole(path, tmp_path):
    with np.load(path) as arrays:
        old = {name: arrays[name] for name in arrays.files if not name.endswith(('_observed', 'window_s'))}
    old['observed'] = old['observed'].copy()
    old['observed'][4:6] = False
    old['root_position'][8] = np.nan
    np.savez(tmp_path / 'old.npz', **old)
    people = [person for result in read_results(tmp_path / 'old.npz') for person in result.people]
    assert [number for number, one in enumerate(people) if not one.joint_observed.all()] == [4, 5]
    assert [number for number, one in enumerate(people) if not one.root_observed] == [4, 5, 8]
    assert shown_joints(tmp_path / 'old.npz').all()
    (part,) = read_rows(tmp_path / 'old.npz', ['joint_observed'])
    assert list(part) == ['joint_observed']


def test_nobody_has_no_joints(tmp_path):
    writer = PoseWriter(tmp_path, PosesHeader(COCO17, CMU17, FPS, (480, 640), {}))
    writer.add(FrameResult(0, 0.0, ()))
    assert len(shown_joints(writer.finish()[0])) == 0
    assert list(read_drawn(tmp_path / 'poses.npz')) == []
