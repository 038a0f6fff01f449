"""Annotated people against those that a pipeline found."""

import numpy as np
import pytest

from posediff.evaluation.annotated_clips import COUNTED_JOINTS, counted_columns, samples_of_frame
from posediff.structures.frame_poses import FramePoses
from posediff.structures.skeletons import CMU17, COCO17, MEDIAPIPE33, POSETRACK15

SHAPE = (240, 320)


def annotated(keypoints, number=0):
    box = np.concatenate([keypoints.min(0), keypoints.max(0)])[None]
    return {
        'id': number, 'frame_path': 'wave/a/00001.png', 'keypoints': keypoints[None],
        'keypoints_visible': np.ones((1, 13)), 'bbox': box,
    }  # fmt: skip


def poses(*people):
    """The people found, whose tested joints are given and whose other joints are far away."""
    keypoints = np.full((len(people), 15, 2), 5000.0, np.float32)
    for row, joints in enumerate(people):
        keypoints[row, counted_columns(POSETRACK15)] = joints
    scores = np.linspace(0, 1, 15 * len(people)).reshape(len(people), 15)
    boxes = np.zeros((len(people), 4))
    return FramePoses(0, 0.0, boxes, np.ones(len(people)), keypoints, scores)


@pytest.fixture
def joints():
    """Two people, (2, 13, 2) px."""
    return np.random.default_rng(0).uniform(20, 120, (2, 13, 2)) + [[[0.0, 0.0]], [[170.0, 0.0]]]


def test_people_are_matched_in_any_order(joints):
    people = [annotated(joints[0]), annotated(joints[1], 1)]
    found = poses(joints[1] + 2, joints[0] + 1)
    first, second = samples_of_frame(people, found, POSETRACK15, SHAPE, 0.3)
    np.testing.assert_allclose(first['pred_instances']['keypoints'][0], joints[0] + 1, rtol=1e-6)
    np.testing.assert_allclose(second['pred_instances']['keypoints'][0], joints[1] + 2, rtol=1e-6)
    np.testing.assert_array_equal(
        first['pred_instances']['keypoint_scores'][0], found.keypoint_scores[1, counted_columns(POSETRACK15)]
    )
    assert first['gt_instances']['keypoints'] is people[0]['keypoints']
    assert second['id'] == 1
    assert second['ori_shape'] == SHAPE


def test_a_person_elsewhere_is_not_a_match(joints):
    (nobody,) = samples_of_frame([annotated(joints[0])], poses(joints[1]), POSETRACK15, SHAPE, 0.3)
    assert nobody['pred_instances'] is None
    (nobody,) = samples_of_frame([annotated(joints[0])], poses(), POSETRACK15, SHAPE, 0.3)
    assert nobody['pred_instances'] is None
    one, other = samples_of_frame(
        [annotated(joints[0]), annotated(joints[0])], poses(joints[0]), POSETRACK15, SHAPE, 0.3
    )
    assert (one['pred_instances'] is None) != (other['pred_instances'] is None)


def test_joints_outside_the_picture_do_not_make_a_box_larger(joints):
    away = joints[0].copy()
    away[-1] = 900, 900
    (found,) = samples_of_frame([annotated(np.clip(joints[0], 0, 319))], poses(joints[0]), POSETRACK15, SHAPE, 0.99)
    assert found['pred_instances'] is not None
    (found,) = samples_of_frame([annotated(np.clip(away, 0, [319, 239]))], poses(away), POSETRACK15, SHAPE, 0.99)
    assert found['pred_instances'] is not None


def test_the_tested_joints_are_those_of_2d_skeletons():
    for skeleton in (COCO17, MEDIAPIPE33, POSETRACK15):
        assert [skeleton.joint_names[column] for column in counted_columns(skeleton)] == list(COUNTED_JOINTS)
    with pytest.raises(ValueError, match='skeleton cmu17 has no nose'):
        counted_columns(CMU17)
