"""The DiffPose that ships finds the joints of real and rendered people that are not in its training set."""

from __future__ import annotations

from pathlib import Path

import cv2
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
from posediff.evaluation.annotated_clips import read_jhmdb_clips  # noqa: E402
from posediff.pose_estimation import DiffPoseEstimator  # noqa: E402
from posediff.pose_estimation.base import BasePoseEstimator, FrameWindow  # noqa: E402
from posediff.pose_estimation.diffpose import LEAST_PROBABILITY  # noqa: E402
from posediff.structures.person_boxes import PersonBoxes  # noqa: E402
from posediff.structures.video_frame import VideoFrame  # noqa: E402
from posediff.synthetic.generate import VideoSet, generate_videos  # noqa: E402
from posediff.synthetic.scene import ClipSettings  # noqa: E402

MODEL = 'configs/video_2d_heatmap/diffpose/diffpose_vit-t_synthetic-256x192.py'


def test_its_scores_are_probabilities_and_have_their_own_threshold():
    """At MediaPipe's, no keypoint would ever be too uncertain for the lifter."""
    estimator = DiffPoseEstimator(DIFFPOSE_CONFIG, DIFFPOSE_CHECKPOINT)
    assert estimator.score_threshold == LEAST_PROBABILITY
    assert BasePoseEstimator.score_threshold == 0.3
    assert estimator.model.head.scores.knots[0, 1] < LEAST_PROBABILITY < estimator.model.head.scores.knots[-1, 1]
    uncalibrated = DiffPoseEstimator('diffpose_movenet-lightning_jhmdb-128x96', 'random')
    assert uncalibrated.score_threshold == BasePoseEstimator.score_threshold


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
    cfg = load_config(repository / 'configs/video_2d_heatmap/diffpose/diffpose_movenet-thunder_pseudo-256x192.py')
    cfg.test_dataloader.dataset.source.data_root = str(real_jhmdb[0])
    cfg.test_dataloader.dataset.max_items = 48
    model = posediff.init_model(DIFFPOSE_CONFIG, DIFFPOSE_CHECKPOINT)
    found = evaluate_model(model, build_test_dataset(cfg), build_test_metric(cfg), 16)
    assert found['PCK@0.2'] > 90
    assert found['PCK@0.1'] > 75


def still(image: np.ndarray, boxes: np.ndarray) -> FrameWindow:
    frame = VideoFrame(0, 0.0, np.ascontiguousarray(image))
    return FrameWindow((frame,) * 5, PersonBoxes(np.float32(boxes), np.ones(len(boxes), np.float32)))


def test_nobody_is_found_in_pictures_without_people():
    estimator = DiffPoseEstimator(DIFFPOSE_CONFIG, DIFFPOSE_CHECKPOINT, num_hypotheses=2)
    assert estimator.sees_absence
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (240, 320, 3), np.uint8)
    stripes = np.broadcast_to(np.uint8(127 + 120 * np.sin(np.arange(320) / 9))[None, :, None], (240, 320, 3))
    blobs = cv2.resize(rng.integers(0, 256, (6, 8, 3), np.uint8), (320, 240), interpolation=cv2.INTER_CUBIC)
    for image in (noise, stripes, blobs, np.full((240, 320, 3), 90, np.uint8)):
        (found,) = estimator.search([still(image, [[60, 20, 140, 220]])])
        assert (found.keypoint_scores == 0).all()


def test_people_are_told_from_the_rest_of_real_pictures(real_jhmdb):
    estimator = DiffPoseEstimator(DIFFPOSE_CONFIG, DIFFPOSE_CHECKPOINT, num_hypotheses=2)
    people, elsewhere = [], []
    for clip in read_jhmdb_clips(real_jhmdb[0] / 'annotations/split1_test.json', real_jhmdb[0], 16):
        person = clip.people[0]
        image = cv2.imread(str(real_jhmdb[0] / person['frame_path']))[..., ::-1]
        (box,) = person['bbox']
        width, height = image.shape[1], box[3] - box[1]
        free = [(0, box[0]), (box[2], width)]
        left, right = max(free, key=lambda part: part[1] - part[0])  # the wider part beside the person
        (found,) = estimator.search([still(image, [box, [left, box[1], min(right, left + height / 2), box[3]]])])
        people.append((found.keypoint_scores[0] > 0).any())
        elsewhere.append((found.keypoint_scores[1] > 0).any())
    assert np.mean(people) > 0.9
    assert np.mean(elsewhere) < 0.4
