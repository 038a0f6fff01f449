"""Crops, passes and shared feature maps of the DiffPose estimator, with a tiny model."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from mmengine.dataset import pseudo_collate

pytest.importorskip('mmpose')
pytest.importorskip('timm')

from posediff.engine.config import load_config  # noqa: E402
from posediff.engine.config_files import packaged_configs  # noqa: E402
from posediff.pose_estimation import DiffPoseEstimator  # noqa: E402
from posediff.pose_estimation.base import FrameWindow  # noqa: E402
from posediff.pose_estimation.diffpose import LEAST_PERSON_SCORE, joint_boxes  # noqa: E402
from posediff.pose_estimation.topdown import PersonCrop, bgr  # noqa: E402
from posediff.structures.person_boxes import PersonBoxes, boxes_around  # noqa: E402
from posediff.structures.video_frame import VideoFrame  # noqa: E402
from posediff.testing.tiny_models import diffpose_config  # noqa: E402

TOLERANCE = {'rtol': 0, 'atol': 0.05}
"""px: the backbone gets batches of other sizes, and a maximum of a random network's heatmap is flat."""


class Counted(DiffPoseEstimator):
    """Counts the crops that the backbone gets."""

    crops = 0

    def _backbone(self, inputs):
        self.crops += len(inputs)
        return super()._backbone(inputs)


@pytest.fixture(scope='module')
def config():
    return diffpose_config()


@pytest.fixture(scope='module')
def weights(config, tmp_path_factory):
    """The weights of one tiny random model, whose maps differ between crops."""
    import posediff

    torch.manual_seed(0)
    model = posediff.init_model(config)
    for name, values in model.named_parameters():
        if 'detection' in name:
            torch.nn.init.normal_(values)
    path = tmp_path_factory.mktemp('weights') / 'tiny.pth'
    torch.save({'state_dict': model.state_dict()}, path)
    return path


def video(frames: int, seed: int = 0, repeated: tuple[int, ...] = ()) -> list[VideoFrame]:
    rng = np.random.default_rng(seed)
    made: list[VideoFrame] = []
    for index in range(frames):
        image = made[-1].image if index in repeated else rng.integers(0, 256, (72, 96, 3), np.uint8)
        made.append(VideoFrame(index, index / 25, image, repeated=index in repeated))
    return made


def window(frames: list[VideoFrame], index: int, boxes: np.ndarray, close: np.ndarray | None = None) -> FrameWindow:
    around = np.clip([index - 1, index, index + 1], 0, len(frames) - 1)
    people = PersonBoxes(np.float32(boxes).reshape(-1, 4), np.ones(len(boxes), np.float32), close=close)
    return FrameWindow(tuple(frames[number] for number in around), people)


def same(found, expected):
    for one, other in zip(found, expected, strict=True):
        assert one.frame_index == other.frame_index
        np.testing.assert_allclose(one.keypoints_2d, other.keypoints_2d, **TOLERANCE)
        np.testing.assert_allclose(one.keypoint_scores, other.keypoint_scores, atol=1e-3)


def test_exact_crops_are_those_of_the_model_itself(config, weights):
    estimator = DiffPoseEstimator(config, weights)
    frames = video(3)
    boxes = np.float32([[10, 10, 40, 60], [30, 5, 90, 70]])
    one = window(frames, 1, boxes)
    items = [
        estimator.item(PersonCrop(one, row, box), [bgr(frame.image) for frame in one.frames])
        for row, box in enumerate(boxes)
    ]
    expected = [sample.pred_instances for sample in estimator.model.test_step(pseudo_collate(items))]
    (found,) = estimator([one])
    for row, sample in enumerate(expected):
        np.testing.assert_allclose(found.keypoints_2d[row], sample.keypoints[0][estimator.columns], **TOLERANCE)
        np.testing.assert_allclose(
            found.keypoint_scores[row], sample.keypoint_scores[0][estimator.columns].clip(0, 1), atol=1e-3
        )


@pytest.fixture(scope='module')
def pair(config, weights):
    options = {'num_passes': 2}
    return Counted(config, weights, **options), Counted(config, weights, memory_bytes=0, batch_size=1, **options)


@settings(max_examples=8, deadline=None)
@given(data=st.data())
def test_results_do_not_depend_on_what_is_kept(pair, data):
    kept, fresh = pair
    frames = video(6, data.draw(st.integers(0, 99)), repeated=data.draw(st.sampled_from([(), (3,), (2, 3)])))
    rng = np.random.default_rng(data.draw(st.integers(0, 999)))
    corners = rng.uniform([0, 0], [40, 20], (6, 2, 2)).cumsum(0) / 3
    boxes = np.concatenate([corners, corners + rng.uniform(20, 50, (6, 2, 2))], axis=-1)
    order = data.draw(st.sampled_from([range(6), [0, 1, 2, 2, 4, 3], [5, 0, 1]]))
    windows = [window(frames, index, boxes[index][: data.draw(st.integers(0, 2))]) for index in order]
    size = data.draw(st.integers(1, 4))
    found = [poses for first in range(0, len(windows), size) for poses in kept(windows[first : first + size])]
    same(found, [poses for one in windows for poses in fresh([one])])


def test_a_crop_of_a_picture_is_seen_once(config, weights):
    estimator = Counted(config, weights)
    frames = video(6)
    for index in range(6):
        estimator([window(frames, index, [[10, 10, 40, 60]])])
        assert estimator.crops == min(index + 2, 6)
    still = video(6, 1, repeated=(1, 2, 3, 4, 5))
    estimator.crops = 0
    estimator([window(still, index, [[10, 10, 40, 60]]) for index in range(6)])
    assert estimator.crops == 1


def test_another_video_with_the_same_numbers_has_its_own_maps(config, weights):
    estimator, fresh = (DiffPoseEstimator(config, weights) for _ in range(2))
    boxes = [[10, 10, 40, 60]]
    first, second = video(3, 0), video(3, 1)
    estimator([window(first, 1, boxes)])
    same(estimator([window(second, 1, boxes)]), fresh([window(second, 1, boxes)]))
    del first, second
    for seed in range(2, 8):  # ids of arrays are used again
        frames = video(3, seed)
        one = window(frames, 1, boxes)
        same(estimator([one]), DiffPoseEstimator(config, weights, memory_bytes=0)([one]))
        del frames, one


def test_maps_of_frames_out_of_reach_are_dropped(config, weights):
    estimator = DiffPoseEstimator(config, weights)
    frames = video(12)
    for index in range(1, 11):
        estimator([window(frames, index, [[10, 10, 40, 60]])])
        frames[index - 1] = None
        assert len(estimator.memory) <= 4 + 10 - index + 2
    assert len(estimator.memory) <= 4


def test_whose_joints_are_known_is_cropped_once_around_them(config, weights):
    boxes = np.float32([[5, 5, 90, 70], [5, 5, 90, 70]])
    near = np.float32([[20, 15, 50, 60], [np.nan] * 4])
    frames = video(3)
    twice = Counted(config, weights, num_passes=2, follow=True)
    once = DiffPoseEstimator(config, weights)
    assert twice.follows
    (found,) = twice([window(frames, 1, boxes, near)])
    (expected,) = once([window(frames, 1, near[:1])])
    np.testing.assert_allclose(found.keypoints_2d[0], expected.keypoints_2d[0], **TOLERANCE)
    (first,) = once([window(frames, 1, boxes[1:])])
    (again,) = once([window(frames, 1, joint_boxes(first.keypoints_2d, boxes[1:]))])
    np.testing.assert_allclose(found.keypoints_2d[1], again.keypoints_2d[0], **TOLERANCE)
    np.testing.assert_array_equal(found.boxes, boxes)
    assert twice.crops == 3 * 3
    people = PersonBoxes(boxes, np.ones(2, np.float32))
    np.testing.assert_allclose(
        twice.where_next(people, found.keypoints_2d).close, joint_boxes(found.keypoints_2d, boxes)
    )


def test_joints_in_one_place_keep_the_box():
    boxes = np.float32([[1, 2, 7, 8]])
    assert joint_boxes(np.full((1, 15, 2), 4, np.float32), boxes).tolist() == boxes.tolist()


def test_bfloat16_is_close_to_float32(config, weights):
    frames = video(3)
    one = window(frames, 1, [[10, 10, 40, 60]])
    (exact,), (half,) = (DiffPoseEstimator(config, weights, precision=name)([one]) for name in ('float32', 'bfloat16'))
    assert np.abs(exact.keypoint_scores - half.keypoint_scores).max() < 0.2
    assert not np.array_equal(exact.keypoint_scores, half.keypoint_scores)


def test_a_flip_test_uses_the_maps_of_mirrored_crops(config, weights):
    flipped = replace_test_cfg(config, flip_test=True)
    frames = video(3)
    one = window(frames, 1, [[10, 10, 40, 60]])
    estimator = DiffPoseEstimator(flipped, weights)
    item = estimator.item(PersonCrop(one, 0, one.people.boxes[0]), [bgr(frame.image) for frame in one.frames])
    (expected,) = estimator.model.test_step(pseudo_collate([item]))
    (found,) = estimator([one])
    np.testing.assert_allclose(
        found.keypoints_2d[0], expected.pred_instances.keypoints[0][estimator.columns], **TOLERANCE
    )


def replace_test_cfg(config, **options):
    changed = type(config)(config.to_dict())
    changed.model.test_cfg.update(options)
    return changed


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        ({'num_passes': 0}, 'num_passes must be'),
        ({'crop_tolerance': -0.1}, 'crop_tolerance must not be negative, got -0.1'),
        ({'crop_tolerance': float('nan')}, 'crop_tolerance must be a finite number'),
        ({'precision': 'float64'}, 'precision must be one of'),
        ({'memory_bytes': -1}, 'memory_bytes must be'),
    ],
)
def test_arguments_out_of_range_are_refused(config, options, message):
    with pytest.raises(ValueError, match=message):
        DiffPoseEstimator(config, 'random', **options)


def test_an_option_that_is_not_true_or_false_is_an_error():
    with pytest.raises(ValueError, match="follow must be True or False, got 'false'"):
        DiffPoseEstimator(diffpose_config(), 'random', follow='false')


def test_a_followed_person_keeps_a_crop_that_fits(config, weights):
    estimator = DiffPoseEstimator(config, weights, follow=True, crop_tolerance=0.2)
    frames = video(3)
    (first,) = estimator([window(frames, 1, [[10, 10, 40, 60]])])
    np.testing.assert_array_equal(first.crops, [[10, 10, 40, 60]])
    people = PersonBoxes(first.boxes, first.box_scores, close=first.crops)
    near = np.float32([[[11, 12], [38, 61]]])  # joints that reach nearly as far as the crop
    np.testing.assert_array_equal(estimator.where_next(people, near).close, first.crops)
    far = near + np.float32([20, 0])
    np.testing.assert_array_equal(estimator.where_next(people, far).close, [[31, 12, 58, 61]])
    exact = DiffPoseEstimator(config, weights, follow=True)
    np.testing.assert_array_equal(exact.where_next(people, near).close, [[11, 12, 38, 61]])
    unknown = replace(people, close=np.full((1, 4), np.nan, np.float32))
    np.testing.assert_array_equal(estimator.where_next(unknown, near).close, [[11, 12, 38, 61]])


@pytest.fixture(scope='module')
def movenet():
    """A model whose backbone finds MoveNet's keypoints, with random weights."""
    torch.manual_seed(0)
    (path,) = (one for one in packaged_configs() if one.stem == 'diffpose_movenet-thunder_jhmdb-128x96')
    cfg = load_config(path, {'num_frames': 3})
    cfg.model.backbone.update(variant='lightning', checkpoint=None)
    return DiffPoseEstimator(cfg, 'random')


@pytest.mark.parametrize('score', [0.0, LEAST_PERSON_SCORE - 0.01, LEAST_PERSON_SCORE + 0.01, 1.0])
def test_only_boxes_without_a_detection_can_be_without_a_person(movenet, monkeypatch, score):
    frames = video(3)
    one = window(frames, 1, [[10, 10, 40, 60], [30, 5, 90, 70]])
    assert movenet.sees_absence
    monkeypatch.setattr(movenet.model.backbone, 'person_scores', lambda maps: torch.full((len(maps),), score))
    (detected,), (searched,) = movenet([one]), movenet.search([one])
    assert (detected.keypoint_scores > 0).any(axis=1).all()
    np.testing.assert_array_equal(detected.keypoints_2d, searched.keypoints_2d)
    np.testing.assert_array_equal(detected.boxes, one.people.boxes)
    np.testing.assert_array_equal(searched.boxes, boxes_around(searched.keypoints_2d))  # they move with the person
    present = score > LEAST_PERSON_SCORE
    np.testing.assert_array_equal(searched.keypoint_scores, detected.keypoint_scores if present else 0)


def test_absence_is_not_seen_without_keypoints_of_the_backbone(config, weights):
    estimator = DiffPoseEstimator(config, weights)
    assert not estimator.sees_absence
    one = window(video(3), 1, [[10, 10, 40, 60]])
    same(estimator.search([one]), estimator([one]))
