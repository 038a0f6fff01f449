"""People are searched around the joints of the previous frame if the detector confirms them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from posediff.detection import BaseDetector, PersonBoxes
from posediff.pipeline.following import MIN_INSIDE, covered, same_people, with_known_joints
from posediff.pipeline.observing import Observer
from posediff.pose_estimation import BasePoseEstimator, FrameWindow
from posediff.structures.skeletons import COCO17
from posediff.structures.video_frame import VideoFrame
from posediff.tracking import PoseTracker

FPS = 25.0


class Following(BasePoseEstimator):
    """Joints at the centre of the box that is searched, in half of its size; keeps what it was given."""

    skeleton = COCO17
    follows = True

    def __init__(self, around: int = 0, sees_absence: bool = False) -> None:
        self.frames_around, self.sees_absence = around, sees_absence
        self.given: list[tuple[int, PersonBoxes]] = []

    def __call__(self, windows):
        found = []
        shape = np.random.default_rng(0).uniform(-0.25, 0.25, (17, 2))
        for window in windows:
            people = window.people
            self.given.append((window.key.index, people))
            close = np.full_like(people.boxes, np.nan) if people.close is None else people.close
            boxes = np.where(np.isfinite(close), close, people.boxes)
            # bright pixels pull the joints, so that a search elsewhere gives other joints
            centres = (boxes[:, :2] + boxes[:, 2:]) / 2 + window.key.image.mean() / 100
            keypoints = centres[:, None] + shape * (people.boxes[:, 2:] - people.boxes[:, :2])[:, None]
            found.append(window.poses(keypoints.astype(np.float32), np.full((len(boxes), 17), 0.9, np.float32)))
        return found

    def where_next(self, people, keypoints):
        return replace(people, close=np.concatenate([keypoints.min(1), keypoints.max(1)], axis=1))


class Given(BaseDetector):
    def __init__(self, boxes: list[list[list[float]]]) -> None:
        self.boxes = boxes

    def __call__(self, frames):
        found = [np.float32(self.boxes[frame.index]).reshape(-1, 4) for frame in frames]
        return [PersonBoxes(boxes, np.ones(len(boxes), np.float32)) for boxes in found]


def frames(count: int, cuts: tuple[int, ...] = ()) -> list[VideoFrame]:
    rng = np.random.default_rng(1)
    images = rng.integers(0, 60, (count, 1, 1, 1), np.uint8).repeat(80, 1).repeat(200, 2).repeat(3, 3)
    return [VideoFrame(index, index / FPS, image, after_cut=index in cuts) for index, image in enumerate(images)]


def known(estimator: Following) -> list[list[bool]]:
    """For each frame, whether the joints of its persons were known."""
    return [
        [False] * len(people) if people.close is None else np.isfinite(people.close).all(-1).tolist()
        for _, people in estimator.given
    ]


def observe(estimator: BasePoseEstimator, boxes, video, batch_size: int = 3, **options):
    observer = Observer(Given(boxes), estimator, PoseTracker(min_hits=1), batch_size)
    return list(observer.estimate(video, **options))


WALKS = [[10, 10, 50, 70]], [[10, 10, 50, 70], [100, 10, 140, 70]]


def test_who_was_there_is_searched_around_the_joints_and_who_is_new_in_the_box():
    boxes = [WALKS[0], WALKS[0], WALKS[1], WALKS[1], WALKS[0], WALKS[1]]
    estimator = Following()
    found = observe(estimator, boxes, frames(6))
    assert known(estimator) == [[False], [True], [True, False], [True, True], [True], [True, False]]
    for (_, people), poses, before in zip(estimator.given[1:2], found[1:], found, strict=False):
        joints = before.keypoints_2d[0]
        np.testing.assert_allclose(people.close[0], [*joints.min(0), *joints.max(0)])
        np.testing.assert_array_equal(poses.boxes, WALKS[0])  # those of the detector, for the tracker


def test_whom_the_detector_loses_is_not_followed_without_it():
    estimator = Following()
    found = observe(estimator, [WALKS[0], [], WALKS[0]], frames(3))
    assert [len(poses) for poses in found] == [1, 0, 1]
    assert known(estimator) == [[False], [], [False]]


def test_whom_the_detector_loses_is_followed_if_absence_is_seen():
    estimator = Following(sees_absence=True)
    found = observe(estimator, [WALKS[0], [], WALKS[0]], frames(3))
    assert [len(poses) for poses in found] == [1, 1, 1]
    assert known(estimator) == [[False], [], [True], [True]]  # the second frame is searched twice


class Absent(Following):
    """Finds nobody in boxes that no detection supports, and everybody in those of the detector."""

    def search(self, windows):
        return [replace(poses, keypoint_scores=0 * poses.keypoint_scores) for poses in self(windows)]


def test_a_person_that_the_search_does_not_find_is_lost():
    estimator = Absent(sees_absence=True)
    found = observe(estimator, [WALKS[0], [], [], WALKS[0]], frames(4))
    assert [len(poses) for poses in found] == [1, 0, 0, 1]
    assert known(estimator) == [[False], [], [True], [], [False]]  # searched once, not again after that


def test_crops_of_the_previous_frame_reach_the_estimator():
    class Cropping(Following):
        def __call__(self, windows):
            return [replace(poses, crops=poses.boxes + 1) for poses in super().__call__(windows)]

        def where_next(self, people, keypoints):
            self.before = people.close
            return super().where_next(people, keypoints)

    estimator = Cropping()
    observe(estimator, [WALKS[0]] * 2, frames(2))
    np.testing.assert_array_equal(estimator.before, np.float32(WALKS[0]) + 1)


def test_nobody_is_followed_over_a_cut():
    estimator = Following()
    observe(estimator, [WALKS[1]] * 4, frames(4, cuts=(2,)))
    assert known(estimator) == [[False] * 2, [True] * 2, [False] * 2, [True] * 2]


def test_joints_outside_the_box_of_the_detector_are_not_followed():
    poses = Following()([FrameWindow((frames(1)[0],), PersonBoxes(np.float32(WALKS[0]), np.ones(1, np.float32)))])[0]
    away = replace(poses, keypoints_2d=poses.keypoints_2d + np.float32([25, 0]))
    window = FrameWindow((frames(2)[1],), PersonBoxes(np.float32(WALKS[0]), np.ones(1, np.float32)))
    estimator = Following()
    near = estimator.where_next(window.people, away.keypoints_2d).close
    assert covered(near, window.people.boxes)[0, 0] < MIN_INSIDE
    assert not np.isfinite(with_known_joints(window, away, estimator).close).any()
    assert np.isfinite(with_known_joints(window, poses, estimator).close).all()
    assert with_known_joints(window, None, estimator).close is None


@settings(max_examples=20, deadline=None)
@given(
    present=st.lists(st.integers(0, 2), min_size=8, max_size=8),
    batch_size=st.integers(1, 5),
    around=st.integers(0, 2),
    first=st.integers(1, 7),
)
def test_results_depend_neither_on_batches_nor_on_a_pause(present, batch_size, around, first):
    boxes = [[[], *WALKS][count] for count in present]
    video = frames(8, cuts=(3,))
    expected = observe(Following(around), boxes, video, 1)
    whole = observe(Following(around), boxes, video, batch_size)
    rest = observe(
        Following(around), boxes, video[max(first - around, 0) :], batch_size, first=first, previous=expected[first - 1]
    )
    for found, other in zip([*whole, *rest], [*expected, *expected[first:]], strict=True):
        assert found.frame_index == other.frame_index
        np.testing.assert_array_equal(found.keypoints_2d, other.keypoints_2d)
        np.testing.assert_array_equal(found.boxes, other.boxes)


def test_the_same_people_overlap():
    before, now = np.float32([[0, 0, 10, 10], [50, 0, 60, 10]]), np.float32([[52, 0, 62, 10], [90, 0, 99, 10]])
    rows, columns = same_people(before, now)
    assert (rows.tolist(), columns.tolist()) == ([1], [0])
    assert same_people(before, now[:0])[0].tolist() == []


@pytest.mark.parametrize(('box', 'part'), [([0, 0, 10, 10], 1), ([5, 0, 15, 10], 0.5), ([20, 0, 30, 10], 0)])
def test_the_part_of_a_box_in_another(box, part):
    assert covered(np.float32([box]), np.float32([[0, 0, 10, 10]]))[0, 0] == pytest.approx(part)
