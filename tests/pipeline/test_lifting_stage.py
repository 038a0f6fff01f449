"""Lifting of tracked 2D poses: order of the results, gaps, root positions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

import posediff
from posediff.geometry import fit_root_position, solve_root_position
from posediff.geometry.calibration import CalibratedCamera
from posediff.lifting import LiftingStream
from posediff.pipeline.intrinsics import Intrinsics
from posediff.pipeline.lifting_stage import LiftingStage
from posediff.smoothing import GaussianSmoother, OneEuroSmoother
from posediff.structures.frame_poses import FramePoses
from posediff.structures.skeletons import get_skeleton

FPS, SHAPE = 25.0, (480, 640)


@pytest.fixture(scope='module')
def model(repository):
    torch.manual_seed(0)
    options = {
        'model.denoiser.num_frames': 9, 'model.denoiser.channels': 8, 'model.denoiser.num_layers': 2,
        'model.denoiser.step_channels': 8, 'model.test_cfg.num_hypotheses': 2, 'model.test_cfg.num_inference_steps': 2,
        'model.sampler.type': 'DDIMSampler',
    }  # fmt: skip
    model = posediff.init_model(repository / 'configs/lifting_3d/diffhpe/diffhpe-2d_27f_cmu.py', cfg_options=options)
    torch.nn.init.normal_(model.denoiser.output_projection.weight, std=0.1)
    return model


def observations(presence: dict[int, list[range]], frames: int, source: str = 'cmu17') -> list[FramePoses]:
    """Trembling people at the frames where they are present."""
    joints = get_skeleton(source).num_joints
    found = []
    for frame in range(frames):
        ids = [track for track, spans in presence.items() if any(frame in span for span in spans)]
        keypoints = np.empty((len(ids), joints, 2), np.float32)
        for row, track in enumerate(ids):
            keypoints[row] = 200 + 60 * track + np.random.default_rng((track, frame)).normal(0, 20, (joints, 2))
        boxes = np.concatenate([keypoints.min(1), keypoints.max(1)], -1)
        ones = np.ones(len(ids), np.float32)
        scores = np.ones((len(ids), joints), np.float32)
        found.append(FramePoses(frame, frame / FPS, boxes, ones, keypoints, scores, np.array(ids, np.int64)))
    return found


def lift(model, seen: list[FramePoses], source: str = 'cmu17', **options):
    stream = LiftingStream(model, SHAPE, skeleton='cmu17', fps=FPS, batch_size=4)
    intrinsics = Intrinsics.from_focal(SHAPE)
    return list(LiftingStage(stream, get_skeleton(source), model.head.skeleton, intrinsics, FPS, **options)(seen))


def present(results, track: int) -> dict[int, bool]:
    return {
        result.frame_index: person.observed
        for result in results
        for person in result.people
        if person.track_id == track
    }


def test_every_frame_comes_once_in_order_with_whoever_is_there(model):
    presence = {0: [range(0, 40)], 1: [range(5, 12), range(30, 50)], 2: [range(49, 50)]}
    results = lift(model, observations(presence, 60))
    assert [result.frame_index for result in results] == list(range(60))
    for track, spans in presence.items():
        assert sorted(present(results, track)) == [frame for span in spans for frame in span]
    for result in results:
        assert [person.track_id for person in result.people] == sorted(person.track_id for person in result.people)
        for person in result.people:
            assert person.joints_3d.shape == (17, 3)
            assert np.isfinite(person.joints_3d).all()
            assert np.isfinite(person.joints_3d_std).all()


def test_short_gaps_are_filled_as_asked_and_marked(model):
    seen = observations({0: [range(0, 10), range(14, 30), range(50, 60)]}, 60)
    left_out, filled = lift(model, seen, max_gap_s=0.2), lift(model, seen, max_gap_s=0.2, fill=True)
    assert all(present(left_out, 0).values())
    assert [frame for frame, observed in present(filled, 0).items() if not observed] == [10, 11, 12, 13]
    assert sorted(present(filled, 0)) == [*range(30), *range(50, 60)]
    by_frame = {result.frame_index: result.people[0] for result in filled if result.people}
    assert np.isnan(by_frame[11].keypoints_2d).all()
    assert not by_frame[11].keypoint_scores.any()
    steps = np.diff([by_frame[frame].root_position for frame in range(9, 15)], axis=0)
    np.testing.assert_allclose(steps, np.tile(steps[:1], (5, 1)), rtol=1e-3, atol=0.1)  # straight across the gap
    for result, other in zip(left_out, filled, strict=True):
        for person in result.people:
            twin = next(one for one in other.people if one.track_id == person.track_id)
            np.testing.assert_array_equal(person.joints_3d, twin.joints_3d)


def test_company_changes_nothing(model):
    both = lift(model, observations({0: [range(3, 30)], 1: [range(0, 40)]}, 40))
    alone = lift(model, observations({1: [range(0, 40)]}, 40))
    for result, other in zip(both, alone, strict=True):
        np.testing.assert_allclose(result.people[-1].joints_3d, other.people[0].joints_3d, atol=0.05)


def test_weak_keypoints_are_not_seen(model):
    seen = observations({0: [range(0, 20)]}, 20)
    for observation in seen:
        observation.keypoint_scores[0, 3] = 0.1
    first = lift(model, seen)
    for observation in seen:
        observation.keypoints_2d[0, 3] = 9999
    for result, other in zip(first, lift(model, seen), strict=True):
        np.testing.assert_array_equal(result.people[0].joints_3d, other.people[0].joints_3d)
        np.testing.assert_array_equal(result.people[0].root_position, other.people[0].root_position)


def test_smoothing_makes_it_smoother_and_loses_no_frame(model):
    seen = observations({0: [range(0, 30), range(45, 60)], 1: [range(10, 11)]}, 60, 'coco17')
    raw, smooth = lift(model, seen, 'coco17'), lift(model, seen, 'coco17', smoother=GaussianSmoother(0.08))
    assert [present(raw, track) for track in (0, 1)] == [present(smooth, track) for track in (0, 1)]

    def roughness(results):
        joints = np.stack([result.people[0].joints_3d for result in results[:30]])
        return np.abs(np.diff(joints, 2, axis=0)).mean()

    assert roughness(smooth) < 0.3 * roughness(raw)


def test_nobody_at_all_is_no_error(model):
    assert [len(result.people) for result in lift(model, observations({}, 5))] == [0] * 5
    assert lift(model, []) == []


def test_a_person_stands_where_the_keypoints_say(walker):
    pose = walker(1)[0] * [1000, 1000, -1000]  # mm, y down would not matter here
    pose = pose[:, [1, 2, 0]]
    pose -= pose[:1]
    intrinsics = Intrinsics.from_focal(SHAPE, focal=700.0)
    assert (intrinsics.source, Intrinsics.from_focal(SHAPE).source) == ('given', 'assumed')
    place = np.array([300.0, -100.0, 4000.0])
    keypoints = intrinsics.camera.project(pose + place)
    weights = np.ones(17)
    weights[5] = 0
    keypoints[5] = np.nan
    np.testing.assert_allclose(fit_root_position(pose, keypoints, weights, intrinsics.camera), place, rtol=1e-4)
    assert np.isnan(fit_root_position(pose, keypoints, np.zeros(17), intrinsics.camera)).all()
    with pytest.raises(ValueError, match='focal must be a positive length in px, got 0'):
        Intrinsics.from_focal(SHAPE, focal=0)
    for focal in (0.9, 26.0):
        with pytest.raises(
            ValueError,
            match=f'a focal length of {focal:g} px means an angle of view of 1[78][0-9] degrees .* in px, not in mm',
        ):
            Intrinsics.from_focal(SHAPE, focal=focal)


@pytest.mark.parametrize('seed', range(5))
def test_a_pose_that_does_not_fit_is_not_drawn_to_the_camera(walker, seed):
    """Limbs lifted wrongly, as long as they were: they explain the size of the person, not where each joint is."""
    rng = np.random.default_rng(seed)
    camera, place = Intrinsics.from_focal(SHAPE, focal=700.0).camera, np.array([300.0, -100.0, 4000.0])
    poses = (walker(40) * 1000)[:, :, [1, 2, 0]]
    poses -= poses[:, :1]
    depths, least_squares = [], []
    for pose in poses:
        wrong = pose.copy()
        wrong[[3, 6, 13, 16]] = pose[[6, 3, 16, 13]]
        wrong += rng.normal(0, 150, wrong.shape)
        keypoints = camera.project(pose + place)
        depths.append(fit_root_position(wrong, keypoints, np.ones(17), camera)[2])
        least_squares.append(solve_root_position(wrong, keypoints, camera.focal, camera.center)[2])
    assert abs(np.median(depths) / 4000 - 1) < 0.2
    assert np.median(depths) > np.median(least_squares)


def test_keypoints_that_say_no_place(walker):
    pose, camera = walker(1)[0] * 1000, Intrinsics.from_focal(SHAPE, focal=700.0).camera
    seen = camera.project(pose + [0, 0, 4000])
    weights = np.ones(17)
    assert np.isnan(fit_root_position(pose, np.full((17, 2), 50.0), weights, camera)).all()
    assert np.isnan(fit_root_position(pose, camera.center * 2 - seen, weights, camera)).all()  # upside down


def test_a_lens_does_not_move_people(walker):
    cv2 = pytest.importorskip('cv2')
    pose, place = walker(1)[0] * 1000, np.array([900.0, 500.0, 3000.0])
    lens = CalibratedCamera(
        'wide', Intrinsics.from_focal(SHAPE, focal=400.0).camera, np.array([-0.25, 0.05, 0.002, -0.001, 0.0])
    )
    intrinsics = Intrinsics.calibrated(lens)
    assert intrinsics.source == 'calibrated'
    bent = cv2.projectPoints(pose + place, np.zeros(3), np.zeros(3), lens.matrix, lens.distortion)[0][:, 0]
    weights = np.ones(len(pose))
    found = fit_root_position(pose, intrinsics.undistort(bent), weights, intrinsics.camera)
    np.testing.assert_allclose(found, place, rtol=1e-3)
    assert np.abs(fit_root_position(pose, bent, weights, intrinsics.camera) - place).max() > 100


def live(model, seen: list[FramePoses], looked: list[int], **options):
    """Results of the frames that were looked at, each with the number of the frame at which it came."""
    stream = LiftingStream(model, SHAPE, skeleton='cmu17', fps=FPS, batch_size=1, causal=True)
    stage = LiftingStage(
        stream, get_skeleton('cmu17'), model.head.skeleton, Intrinsics.from_focal(SHAPE), FPS, **options
    )
    now = []

    def frames():
        for frame in looked:
            now.append(frame)
            yield seen[frame]

    return [(now[-1], result) for result in stage(frames())]


def test_a_causal_stage_waits_for_nobody(model):
    seen = observations({0: [range(0, 30)], 1: [range(3, 8), range(12, 20)]}, 30)
    results = live(model, seen, list(range(30)))
    assert [(now, result.frame_index) for now, result in results] == [(frame, frame) for frame in range(30)]
    people = [result for _, result in results]
    assert sorted(present(people, 1)) == [*range(3, 8), *range(12, 20)]


def test_frames_nobody_looked_at_are_passed_on_the_way(model):
    """Somebody who moves evenly is seen every third frame as in every frame."""
    seen = observations({0: [range(0, 31)]}, 31)
    begin, end = seen[0].keypoints_2d, seen[30].keypoints_2d
    for number, observation in enumerate(seen):
        observation.keypoints_2d[:] = begin + (end - begin) * np.float32(number / 30)
    all_of_them = {result.frame_index: result for _, result in live(model, seen, list(range(31)))}
    some = live(model, seen, list(range(0, 31, 3)))
    assert [result.frame_index for _, result in some] == list(range(0, 31, 3))
    for _, result in some:
        expected = all_of_them[result.frame_index].people[0]
        np.testing.assert_allclose(result.people[0].joints_3d, expected.joints_3d, atol=0.5)


def test_who_was_missed_when_somebody_looked_was_not_there(model):
    """Unlike frames that nobody looked at, and as in any video."""
    presence = {0: [range(0, 9), range(12, 20)]}
    seen = observations(presence, 20)
    missed = {result.frame_index: result for _, result in live(model, seen, list(range(20)))}
    looked = [frame for frame in range(20) if frame not in (9, 10, 11)]
    passed = {result.frame_index: result for _, result in live(model, seen, looked)}
    same = [np.array_equal(missed[f].people[0].joints_3d, passed[f].people[0].joints_3d) for f in (8, 12, 14)]
    assert same == [True, False, False]
    filled = [result for _, result in live(model, seen, list(range(20)), fill=True)]
    assert {frame for frame, there in present(filled, 0).items() if not there} == {9, 10, 11}


def test_motion_begins_anew_behind_a_cut(model):
    seen = observations({0: [range(0, 40)]}, 40)
    cut = [replace(one, after_cut=one.frame_index == 17) for one in seen]
    whole = lift(model, cut, smoother=GaussianSmoother())
    parts = [*lift(model, seen[:17], smoother=GaussianSmoother()), *lift(model, seen[17:], smoother=GaussianSmoother())]
    assert sorted(present(whole, 0)) == list(range(40))
    for result, expected in zip(whole, parts, strict=True):
        assert result.frame_index == expected.frame_index
        np.testing.assert_allclose(result.people[0].joints_3d, expected.people[0].joints_3d, atol=1e-3)


def test_a_live_smoother_knows_the_time_between_frames(model):
    """Each frame is smoothed over the time that passed since the one before, not since a frame of the video."""
    seen = observations({0: [range(0, 40)]}, 40)
    looked = np.array([0, 1, 4, 5, 9, 16, 17, 20, 28, 29, 35, 39])
    plain = [result.people[0] for _, result in live(model, seen, looked.tolist())]
    smooth = [result.people[0] for _, result in live(model, seen, looked.tolist(), smoother=OneEuroSmoother())]
    steps = np.diff(looked, prepend=-1)
    for name in ('joints_3d', 'root_position'):
        values = np.stack([getattr(person, name) for person in plain])
        expected = OneEuroSmoother().stream(FPS).push(values, steps)
        np.testing.assert_allclose([getattr(person, name) for person in smooth], expected, rtol=1e-4, atol=1e-2)
        assert np.abs(expected - OneEuroSmoother()(values, FPS)).max() > 1
