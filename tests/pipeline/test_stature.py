"""Heights, and files that were scaled to one."""

from __future__ import annotations

import json

import numpy as np
import pytest

from posediff.pipeline import pose_writer
from posediff.pipeline.pose_writer import PosesHeader, PoseWriter
from posediff.pipeline.stature import statures
from posediff.structures.results import FrameResult, PersonPose
from posediff.structures.skeletons import CMU17, COCO17


def test_stature_is_that_of_the_skeleton_in_any_posture(walker):
    standing = walker(3) * 1000
    height = statures(standing, CMU17)
    assert height.shape == (3,)
    assert ((height > 1600) & (height < 1900)).all()
    sitting = standing.copy()
    shin = [CMU17.joint_names.index(name) for name in ('left_foot', 'right_foot')]
    knees = [CMU17.joint_names.index(name) for name in ('left_knee', 'right_knee')]
    lengths = np.linalg.norm(standing[:, shin] - standing[:, knees], axis=-1)
    sitting[:, shin] = sitting[:, knees] + lengths[..., None] * [1, 0, 0]
    np.testing.assert_allclose(statures(sitting, CMU17), height, rtol=1e-6)


@pytest.mark.parametrize('part_rows', [1, 3, 100])
def test_everybody_becomes_as_tall_as_given_and_stays_in_the_picture(walker, tmp_path, monkeypatch, part_rows):
    monkeypatch.setattr(pose_writer, 'PART_ROWS', part_rows)
    header = PosesHeader(COCO17, CMU17, 25.0, (480, 640), {})
    body, root = (walker(8) * 1000).astype(np.float32), np.float32([200, 100, 4000])
    writer = PoseWriter(tmp_path, header, height_m=1.5)
    for frame, pose in enumerate(body):
        people = tuple(
            PersonPose(
                track, True, np.zeros(4, np.float32), np.ones((17, 2), np.float32), np.ones(17, np.float32),
                pose * np.float32(size), np.full(17, 10, np.float32), root * np.float32(size), np.ones(17, bool), True,
            )
            for track, size in ((0, 1.0), (3, 0.7))
        )  # fmt: skip
        writer.add(FrameResult(frame, frame / 25, people))
    npz, text = writer.finish()
    with np.load(npz, allow_pickle=False) as arrays:
        for track, size in ((0, 1.0), (3, 0.7)):
            own = arrays['track_id'] == track
            scaled = arrays['joints_3d'][own]
            assert np.median(statures(scaled, CMU17)) == pytest.approx(1500, rel=1e-4)
            factor = scaled[0, 3, 1] / (body[0, 3, 1] * size)
            np.testing.assert_allclose(arrays['root_position'][own], np.tile(root * size * factor, (8, 1)), rtol=1e-4)
            np.testing.assert_allclose(arrays['joints_3d_std'][own], 10 * factor, rtol=1e-4)
            document = json.loads(text.read_text())
            assert document['height']['given_m'] == 1.5
            assert document['height']['scale_of_track'][str(track)] == pytest.approx(factor, abs=1e-3)
        assert (arrays['keypoints_2d'] == 1).all()


@pytest.mark.parametrize('height', [175, 0.1, float('nan')])
def test_nobody_is_that_tall(tmp_path, height):
    with pytest.raises(ValueError, match='is not that of a person: state it in metres'):
        PoseWriter(tmp_path / 'out', PosesHeader(COCO17, CMU17, 25.0, (480, 640), {}), height)
    assert not (tmp_path / 'out').exists()
