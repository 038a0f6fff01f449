"""What the camera did not see is marked: joints outside the picture or scored low, and places that cannot be."""

from __future__ import annotations

import numpy as np
import pytest

import posediff
from posediff.geometry import Camera, fit_root_position
from posediff.lifting import LiftingStream
from posediff.pipeline.intrinsics import Intrinsics
from posediff.pipeline.lifting_stage import LiftingStage
from posediff.smoothing import GaussianSmoother
from posediff.structures.frame_poses import FramePoses
from posediff.structures.skeletons import get_skeleton

FPS, SHAPE = 25.0, (480, 640)
LEGS = ['left_knee', 'right_knee', 'left_ankle', 'right_ankle']


@pytest.fixture(scope='module')
def model(tiny_lifter):
    return posediff.init_model(tiny_lifter)


def observations(points: np.ndarray, scores: np.ndarray, missed: tuple[int, ...] = ()) -> list[FramePoses]:
    """Of one person in every frame but those ``missed``: (F, K, 2) px and (F, K)."""
    found = []
    for frame, (keypoints, sure) in enumerate(zip(points.astype(np.float32), scores.astype(np.float32), strict=True)):
        rows = slice(0, 0 if frame in missed else 1)
        box = np.concatenate([keypoints.min(0), keypoints.max(0)])[None]
        found.append(
            FramePoses(
                frame, frame / FPS, box[rows], np.ones(1, np.float32)[rows], keypoints[None][rows], sure[None][rows],
                np.zeros(1, np.int64)[rows],
            )
        )  # fmt: skip
    return found


def lift(model, seen, source='coco17', causal=False, **options):
    stream = LiftingStream(model, SHAPE, skeleton='cmu17', fps=FPS, batch_size=1 if causal else 4, causal=causal)
    stage = LiftingStage(
        stream, get_skeleton(source), model.head.skeleton, Intrinsics.from_focal(SHAPE), FPS, **options
    )
    return [result.people[0] if result.people else None for result in stage(iter(seen))]


def standing(frames: int) -> np.ndarray:
    """(F, 17, 2) px of COCO's joints, all in the picture."""
    rng = np.random.default_rng(0)
    return np.tile(rng.uniform([200, 100], [400, 400], (17, 2)), (frames, 1, 1)) + rng.normal(0, 1, (frames, 17, 2))


def places(skeleton: str, names: list[str]) -> list[int]:
    return [get_skeleton(skeleton).joint_names.index(name) for name in names]


def test_joints_are_observed_that_the_lifter_gets(model):
    scores = np.ones((20, 17))
    scores[:, places('coco17', LEGS)] = 0.1
    scores[5, places('coco17', ['left_wrist'])] = 0.2
    people = lift(model, observations(standing(20), scores))
    names = np.array(model.head.skeleton.joint_names)
    legs = {'left_knee', 'right_knee', 'left_foot', 'right_foot'}
    for frame, person in enumerate(people):
        unseen = legs | ({'left_wrist'} if frame == 5 else set())
        assert set(names[~person.joint_observed]) == unseen
        assert np.isfinite(person.joints_3d).all()  # what the lifter takes for likely


@pytest.mark.parametrize('place', [(300, 480.5), (300, 900), (-1, 200), (640.5, 200), (300, -0.5), (-1e6, 1e6)])
def test_points_outside_the_picture_are_used_as_before_but_not_observed(model, place):
    points = standing(12)
    knee = places('coco17', ['left_knee'])[0]
    points[:, knee] = place
    people = lift(model, observations(points, np.ones((12, 17))))
    expected = [name != 'left_knee' for name in model.head.skeleton.joint_names]
    for person in people:
        np.testing.assert_array_equal(person.joint_observed, expected)
    at_the_edge = np.clip(points, 0, [640, 480])
    for person in lift(model, observations(at_the_edge, np.ones((12, 17)))):
        assert person.joint_observed.all()


def test_joints_that_are_made_of_others_are_observed_if_those_are(model):
    scores = np.ones((12, 17))
    scores[:, places('coco17', ['left_hip'])] = 0.0
    person = lift(model, observations(standing(12), scores))[6]
    unseen = {
        name
        for name, seen in zip(model.head.skeleton.joint_names, person.joint_observed.tolist(), strict=True)
        if not seen
    }
    assert unseen == {'root', 'left_hip', 'spine', 'thorax'}


@pytest.mark.parametrize('causal', [False, True])
def test_frames_that_are_filled_in_observe_nothing(model, causal):
    seen = observations(standing(20), np.ones((20, 17)), missed=(9, 10))
    people = lift(model, seen, causal=causal, fill=True)
    for frame, person in enumerate(people):
        assert person.observed == (frame not in (9, 10))
        assert person.joint_observed.all() == person.observed
        assert person.joint_observed.any() == person.observed
        if not person.observed:
            assert not person.root_observed
            assert np.isfinite(person.root_position).all()


@pytest.fixture
def lift_walk(model, camera_walk, monkeypatch):
    """Lift keypoints of a rigid body 7 m away by a lifter that knows its pose; gives the people."""
    pose = camera_walk[0] - camera_walk[0, :1]

    def work(change, frames=60, causal=False, missed=(), **options):
        length = float(max(SHAPE))
        camera = Camera(
            focal=np.array([length, length]), center=np.array([320.0, 240.0]), img_shape=SHAPE, R=np.eye(3),
            t=np.zeros(3),
        )  # fmt: skip
        roots = np.stack([np.linspace(-500, 500, frames), np.zeros(frames), np.linspace(6800, 7200, frames)], axis=-1)
        points = np.stack([camera.project(pose + root) for root in roots])
        change(points)
        monkeypatch.setattr(
            'posediff.pipeline.lifting_stage.fit_root_position',
            lambda joints, *rest: fit_root_position(pose, *rest),
        )
        seen = observations(points, np.ones(points.shape[:2]), missed)
        return roots, lift(model, seen, 'cmu17', causal, **options)

    return work


def scaled(frame: int):
    def change(points: np.ndarray) -> None:
        middle = points[frame].mean(0)
        points[frame] = middle + (points[frame] - middle) * 7 / 12

    return change


def shifted(frame: int):
    def change(points: np.ndarray) -> None:
        points[frame] += [250.0, 0.0]

    return change


def somebody_elses(frame: int):
    def change(points: np.ndarray) -> None:
        points[frame] = points[frame] * 0.5 + [-60.0, 200.0]

    return change


CHANGES = [scaled, shifted, somebody_elses]


@pytest.mark.parametrize('change', CHANGES)
@pytest.mark.parametrize('frame', [0, 1, 30, 58, 59])
def test_one_bad_frame_does_not_throw_anybody_away(lift_walk, change, frame):
    roots, people = lift_walk(change(frame))
    assert [number for number, person in enumerate(people) if not person.root_observed] == [frame]
    found = np.stack([person.root_position for person in people])
    np.testing.assert_allclose(found, roots, atol=60)
    assert all(person.observed for person in people)


@pytest.mark.parametrize('change', CHANGES)
def test_several_in_a_row_and_in_a_gap(lift_walk, change):
    def four(points: np.ndarray) -> None:
        for frame in range(30, 34):
            change(frame)(points)

    roots, people = lift_walk(four, missed=(34, 35), fill=True)
    assert [number for number, person in enumerate(people) if not person.root_observed] == [*range(30, 36)]
    np.testing.assert_allclose(np.stack([person.root_position for person in people]), roots, atol=60)


def test_live_stays_where_the_person_was(lift_walk):
    _, people = lift_walk(scaled(30), causal=True)
    assert [number for number, person in enumerate(people) if not person.root_observed] == [30]
    np.testing.assert_allclose(people[30].root_position, people[29].root_position, atol=0.01)


def test_a_smoother_gets_the_places_without_the_bad_one(lift_walk):
    roots, people = lift_walk(scaled(30), smoother=GaussianSmoother(0.05))
    assert [number for number, person in enumerate(people) if not person.root_observed] == [30]
    np.testing.assert_allclose(np.stack([person.root_position for person in people]), roots, atol=60)


def test_where_nothing_is_wrong_every_bit_is_as_without_the_filter(lift_walk, monkeypatch):
    rng = np.random.default_rng(0)

    def tremble(points: np.ndarray) -> None:
        points += rng.normal(0, 1, points.shape)

    _, people = lift_walk(tremble)
    rng = np.random.default_rng(0)
    monkeypatch.setattr('posediff.pipeline.root_filter.RootFilter._is_plausible', lambda *_: True)
    _, unfiltered = lift_walk(tremble)
    for person, other in zip(people, unfiltered, strict=True):
        assert person.root_observed
        np.testing.assert_array_equal(person.root_position, other.root_position)
