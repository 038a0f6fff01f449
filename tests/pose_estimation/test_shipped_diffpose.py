"""The DiffPose that ships finds the joints of real and rendered people that are not in its training set."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip('mmpose')

import posediff  # noqa: E402
from posediff.assets import DIFFPOSE_CHECKPOINT, DIFFPOSE_CONFIG  # noqa: E402
from posediff.engine.config import load_config  # noqa: E402
from posediff.engine.evaluation import (  # noqa: E402
    build_test_dataset,
    build_test_metric,
    evaluate_model,
    set_sampling,
)
from posediff.pose_estimation import DiffPoseEstimator  # noqa: E402
from posediff.pose_estimation.base import BasePoseEstimator, FrameWindow  # noqa: E402
from posediff.pose_estimation.topdown import LEAST_PROBABILITY, around_joints  # noqa: E402
from posediff.structures.person_boxes import PersonBoxes  # noqa: E402
from posediff.structures.video_frame import VideoFrame  # noqa: E402
from posediff.synthetic.generate import VideoSet, generate_videos  # noqa: E402
from posediff.synthetic.scene import ClipSettings  # noqa: E402

MODEL = 'configs/video_2d_heatmap/diffpose/diffpose_vit-t_synthetic-128x96.py'


def test_a_second_pass_crops_the_joints_of_the_first():
    generator = np.random.default_rng(0)
    image = generator.integers(0, 256, (90, 120, 3), np.uint8)
    frames = tuple(VideoFrame(index, index / 30, image) for index in range(5))
    people = PersonBoxes(np.float32([[10, 10, 60, 80], [0, 0, 119, 89]]), np.float32([0.9, 0.8]))
    window = FrameWindow(frames, people)
    once, twice = (DiffPoseEstimator(DIFFPOSE_CONFIG, DIFFPOSE_CHECKPOINT, num_passes=number) for number in (1, 2))
    (first,) = once([window])
    closer = around_joints(window, first)
    np.testing.assert_allclose(closer.people.boxes[:, :2], first.keypoints_2d.min(1))
    np.testing.assert_allclose(closer.people.boxes[:, 2:], first.keypoints_2d.max(1))
    (expected,), (found,) = once([closer]), twice([window])
    assert np.array_equal(found.keypoints_2d, expected.keypoints_2d)
    assert np.array_equal(found.keypoint_scores, expected.keypoint_scores)
    assert np.array_equal(found.boxes, people.boxes)
    empty = FrameWindow(frames, PersonBoxes.empty())
    assert len(twice([empty])[0].boxes) == 0
    with pytest.raises(ValueError, match='num_passes must be'):
        DiffPoseEstimator(DIFFPOSE_CONFIG, DIFFPOSE_CHECKPOINT, num_passes=0)


def test_its_scores_are_probabilities_and_have_their_own_threshold():
    """At MediaPipe's, no keypoint would ever be too uncertain for the lifter."""
    estimator = DiffPoseEstimator(DIFFPOSE_CONFIG, DIFFPOSE_CHECKPOINT)
    assert estimator.score_threshold == LEAST_PROBABILITY
    assert BasePoseEstimator.score_threshold == 0.3
    assert estimator.model.head.scores.knots[0, 1] < LEAST_PROBABILITY < estimator.model.head.scores.knots[-1, 1]
    uncalibrated = DiffPoseEstimator('diffpose_movenet-lightning_jhmdb-128x96', 'random')
    assert uncalibrated.score_threshold == BasePoseEstimator.score_threshold


def test_joints_in_one_place_keep_the_box():
    window = FrameWindow(
        (VideoFrame(0, 0.0, np.zeros((9, 9, 3), np.uint8)),), PersonBoxes(np.float32([[1, 2, 7, 8]]), np.ones(1))
    )
    poses = window.poses(np.full((1, 15, 2), 4, np.float32), np.ones((1, 15), np.float32))
    assert around_joints(window, poses).people.boxes.tolist() == [[1, 2, 7, 8]]


def test_it_finds_the_joints_of_rendered_people(repository: Path, tmp_path: Path):
    folder = tmp_path / 'synthetic'
    generate_videos(folder, VideoSet(ClipSettings(seed=5, frames=4), {'train': 1, 'val': 3}))
    cfg = load_config(repository / MODEL)
    cfg.test_dataloader.dataset.source.data_root = f'{folder}/'
    cfg.test_evaluator.gt_folder = f'{folder}/annotations/val'
    model = posediff.init_model(DIFFPOSE_CONFIG, DIFFPOSE_CHECKPOINT)
    set_sampling(model, 2, 1)
    found = evaluate_model(model, build_test_dataset(cfg), build_test_metric(cfg), 8)
    assert found['AP'] > 20
    assert found['Head AP'] > 50


def test_it_finds_the_joints_of_real_people(repository: Path, real_jhmdb):
    """A test clip of each action; docs/benchmarks.md has the figures of all."""
    cfg = load_config(repository / 'configs/video_2d_heatmap/diffpose/diffpose_movenet-lightning_mixed-128x96.py')
    cfg.test_dataloader.dataset.source.data_root = str(real_jhmdb[0])
    cfg.test_dataloader.dataset.max_items = 48
    model = posediff.init_model(DIFFPOSE_CONFIG, DIFFPOSE_CHECKPOINT)
    found = evaluate_model(model, build_test_dataset(cfg), build_test_metric(cfg), 16)
    assert found['PCK@0.2'] > 85
    assert found['PCK@0.1'] > 70
