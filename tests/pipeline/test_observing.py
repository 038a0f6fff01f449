"""Detection, pose estimation and tracking of the persons in a stream of frames."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from posediff.detection import BaseDetector, PersonBoxes
from posediff.pipeline.observing import Observer
from posediff.pose_estimation import BasePoseEstimator
from posediff.structures.skeletons import COCO17
from posediff.structures.video_frame import VideoFrame
from posediff.tracking import PoseTracker

FPS = 25.0


class MarkDetector(BaseDetector):
    """Finds one person at the brightest pixel of a frame, nobody in a black one."""

    def __call__(self, frames):
        found = []
        for frame in frames:
            top, left = np.unravel_index(frame.image[..., 0].argmax(), frame.image.shape[:2])
            box = np.float32([[left - 10, top - 20, left + 10, top + 20]])
            there = frame.image.max() > 0
            found.append(PersonBoxes(box, np.ones(1, np.float32)) if there else PersonBoxes.empty())
        return found


class WindowEstimator(BasePoseEstimator):
    """Keypoints in the box; the first two say which frames were seen: its own and the sum of the window's."""

    skeleton = COCO17

    def __init__(self, around: int) -> None:
        self.frames_around = around

    def __call__(self, windows):
        found = []
        for window in windows:
            assert len(window.frames) == 2 * self.frames_around + 1
            grid = np.linspace(0, 1, 17)[:, None]
            keypoints = (
                np.stack([box[:2] + grid * (box[2:] - box[:2]) for box in window.people.boxes])
                if len(window.people)
                else np.zeros((0, 17, 2))
            )
            scores = np.full((len(keypoints), 17), 0.9)
            scores[:, 0] = 0.5 + window.key.index / 1000
            scores[:, 1] = sum(frame.index for frame in window.frames) / 1000
            found.append(window.poses(keypoints.astype(np.float32), scores.astype(np.float32)))
        return found


def frames(count: int, dark: set[int] = frozenset(), repeated: set[int] = frozenset()) -> list[VideoFrame]:
    made = []
    for index in range(count):
        image = np.zeros((80, 200, 3), np.uint8)
        if index not in dark:
            image[40, 30 + 2 * index] = 255
        made.append(VideoFrame(index, index / FPS, image, repeated=index in repeated))
    return made


@settings(max_examples=30, deadline=None)
@given(count=st.integers(0, 20), around=st.integers(0, 3), batch_size=st.integers(1, 7))
def test_every_frame_comes_once_with_the_frames_around_it(count, around, batch_size):
    observer = Observer(MarkDetector(), WindowEstimator(around), PoseTracker(min_hits=1), batch_size)
    found = list(observer(frames(count), FPS))
    assert [one.frame_index for one in found] == list(range(count))
    for index, one in enumerate(found):
        assert one.track_ids.tolist() == [0]
        window = np.clip(np.arange(index - around, index + around + 1), 0, count - 1)
        np.testing.assert_allclose(one.keypoint_scores[0, :2], [0.5 + index / 1000, window.sum() / 1000], atol=1e-6)
        np.testing.assert_allclose(one.boxes[0, 0], 20 + 2 * index)


def test_empty_and_repeated_frames():
    observer = Observer(MarkDetector(), WindowEstimator(0), PoseTracker(min_hits=1), 4)
    found = list(observer(frames(12, dark={4, 5}, repeated={8}), FPS))
    assert [len(one.track_ids) for one in found] == [1, 1, 1, 1, 0, 0, 1, 1, 1, 1, 1, 1]
    np.testing.assert_array_equal(found[8].boxes, found[7].boxes)  # nobody was looked for: it is the same picture


class BlinkingDetector(MarkDetector):
    """Sees people in some frames only."""

    def __init__(self, missed: set[int]) -> None:
        self.missed = missed

    def __call__(self, frames):
        return [
            PersonBoxes.empty() if frame.index in self.missed else found
            for frame, found in zip(frames, super().__call__(frames), strict=True)
        ]


class MarkEstimator(WindowEstimator):
    """Keypoints around the brightest pixel in a box, which may be the wrong one; scores of 0 where all is black."""

    sees_absence = True

    def __call__(self, windows):
        found = []
        shape = np.random.default_rng(0).uniform(-10, 10, (17, 2))
        for window in windows:
            keypoints, scores = np.zeros((len(window.people), 17, 2)), np.zeros((len(window.people), 17))
            for row, (left, top, right, bottom) in enumerate(window.people.boxes.astype(int).clip(0)):
                part = window.key.image[top:bottom, left:right, 0]
                if part.any():
                    y, x = np.unravel_index(part.argmax(), part.shape)
                    keypoints[row], scores[row] = shape + [left + x, top + y], 0.9
            boxes = np.concatenate([keypoints.min(1) - 10, keypoints.max(1) + 10], -1)
            found.append(window.poses(*(values.astype(np.float32) for values in (keypoints, scores, boxes))))
        return found


@settings(max_examples=30, deadline=None)
@given(missed=st.sets(st.integers(1, 19)), dark=st.sets(st.integers(0, 19)), batch_size=st.integers(1, 7))
def test_whom_the_detector_misses_is_followed_for_as_long_as_somebody_is_there(missed, dark, batch_size):
    observer = Observer(BlinkingDetector(missed), MarkEstimator(0), PoseTracker(min_hits=1), batch_size)
    seen = list(observer.estimate(frames(20, dark)))
    there = False
    for index, one in enumerate(seen):
        there = index not in dark and (there or index not in missed)
        assert len(one.boxes) == there
        if there:
            np.testing.assert_allclose(one.boxes.mean(), (30 + 2 * index + 40) / 2, atol=2)
    # a run that goes on sees what one that was never broken sees
    again = list(observer.estimate(frames(20, dark)[7:], 7, seen[6]))
    for one, other in zip(again, seen[7:], strict=True):
        np.testing.assert_array_equal(one.keypoints_2d, other.keypoints_2d)
        np.testing.assert_array_equal(one.box_scores, other.box_scores)


def test_nobody_is_followed_by_an_estimator_that_finds_people_everywhere():
    observer = Observer(BlinkingDetector({3, 4}), WindowEstimator(0), PoseTracker(min_hits=1), 4)
    assert [len(one.boxes) for one in observer.estimate(frames(8))] == [1, 1, 1, 0, 0, 1, 1, 1]


def test_who_is_followed_into_somebody_else_is_not_seen_twice():
    class TwoMarks(MarkDetector):
        """The second person is seen in the first frame only, and walks into the first."""

        def __call__(self, frames):
            boxes = np.float32([[20, 20, 40, 60], [44, 20, 64, 60]])
            return [PersonBoxes(boxes[: 1 + (frame.index == 0)], np.ones(1 + (frame.index == 0))) for frame in frames]

    images = np.zeros((3, 80, 200, 3), np.uint8)
    images[:, 40, 30] = 255
    images[0, 40, 54], images[1, 40, 50] = 255, 255  # gone in the third frame
    video = [VideoFrame(index, index / FPS, image) for index, image in enumerate(images)]
    observer = Observer(TwoMarks(), MarkEstimator(0), PoseTracker(min_hits=1), 2)
    assert [len(one.boxes) for one in observer.estimate(video)] == [2, 2, 1]


def test_a_part_of_somebody_is_not_followed_as_a_person_of_its_own():
    """In the second frame the detector sees the whole body, of which it saw a foot before."""

    class Growing(MarkDetector):
        def __call__(self, frames):
            boxes = {0: [60, 60, 80, 70], 1: [20, 0, 90, 75]}
            return [PersonBoxes(np.float32([boxes[frame.index]]), np.ones(1, np.float32)) for frame in frames]

    class Filling(WindowEstimator):
        sees_absence = True

    found = list(Observer(Growing(), Filling(0), PoseTracker(min_hits=1), 2).estimate(frames(2)))
    assert [one.boxes.tolist() for one in found] == [[[60, 60, 80, 70]], [[20, 0, 90, 75]]]


@pytest.mark.parametrize('around', [0, 2])
def test_results_come_as_soon_as_the_frames_around_are_there(around):
    pulled = []

    def watched():
        for frame in frames(20):
            pulled.append(frame.index)
            yield frame

    observer = Observer(MarkDetector(), WindowEstimator(around), PoseTracker(min_hits=1), 1)
    for one in observer(watched(), FPS):
        assert len(pulled) <= one.frame_index + around + 1
