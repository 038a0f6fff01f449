"""Places that cannot be are told from motion, at any speed and rate, at the ends of a track and in live video."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from posediff.pipeline.root_filter import RootFilter


def judge(roots: np.ndarray, fps: float, causal: bool = False, frames: np.ndarray | None = None) -> np.ndarray:
    """(F,) bool; one frame is judged after another, each once."""
    places, found = RootFilter(fps, causal), []
    for number, root in enumerate(roots):
        frame = number if frames is None else int(frames[number])
        found += places.push(frame, root.astype(np.float32))
        assert len(found) == number + 1 if causal else len(found) <= max(number + 1 - places.reach, 0)
    found += places.finish()
    assert len(found) == len(roots)
    return np.array(found)


def wanderer(frames: int, fps: float, noise: float = 0.0, seed: int = 0) -> np.ndarray:
    """(F, 3) mm: somebody who walks around 7 m away, at 1.5 m/s at most."""
    time = np.arange(frames) / fps
    roots = np.stack([1000 * np.sin(time), np.full(frames, 300.0), 7000 + 1500 * np.sin(0.9 * time)], axis=-1)
    depth = np.exp(np.random.default_rng(seed).normal(0, noise, (frames, 1)))
    return roots * depth


RATES = (10.0, 25.0, 30.0, 60.0)


@pytest.mark.parametrize('causal', [False, True])
@pytest.mark.parametrize('fps', RATES)
def test_one_frame_that_is_12_m_away_is_found(fps, causal):
    roots = wanderer(round(4 * fps), fps, noise=0.01)
    bad = len(roots) // 2
    roots[bad] *= 12 / 7
    assert np.flatnonzero(~judge(roots, fps, causal)).tolist() == [bad]


@settings(max_examples=25, deadline=None)
@given(
    fps=st.sampled_from(RATES),
    start=st.floats(0, 1),
    length_s=st.floats(0.0, 0.2),
    factor=st.sampled_from([0.3, 0.6, 0.75, 1.35, 1.8, 4.0]),
    noise=st.sampled_from([0.0, 0.01, 0.03]),
    seed=st.integers(0, 100),
)
def test_runs_of_wrong_frames_are_found_wherever_they_are(fps, start, length_s, factor, noise, seed):
    # the limit is four standard deviations of the frames around, which a few frames tell within a factor of three
    assume(abs(np.log(factor)) > 12 * noise)
    roots = wanderer(round(3 * fps), fps, noise, seed)
    length = max(round(length_s * fps), 1)
    first = round(start * (len(roots) - length))
    if min(first, len(roots) - length - first) < 0.6 * fps:  # an end is near
        length = max(length // 2, 1)
    # of the place without noise: noise of 8 % would make of a frame that is off by a quarter one that may be right
    roots[first : first + length] = factor * wanderer(len(roots), fps)[first : first + length]
    assert np.flatnonzero(~judge(roots, fps)).tolist() == [*range(first, first + length)]


@pytest.mark.parametrize('causal', [False, True])
def test_a_frame_of_somebody_else_at_the_same_distance_is_found(causal):
    roots = wanderer(90, 30.0)
    roots[50] += [2500.0, 0.0, 0.0]
    assert np.flatnonzero(~judge(roots, 30.0, causal)).tolist() == [50]


@settings(max_examples=25, deadline=None)
@given(
    fps=st.sampled_from(RATES),
    speed=st.floats(-9000, 9000),
    side=st.floats(-9000, 9000),
    noise=st.sampled_from([0.0, 0.02]),
    seed=st.integers(0, 100),
)
def test_whoever_runs_as_fast_as_people_do_is_left_alone(fps, speed, side, noise, seed):
    time = np.arange(round(1.5 * fps))[:, None] / fps
    begin = np.array([-0.75 * side, 0.0, 4000 + max(-1.5 * speed, 0)])
    roots = begin + time * [side, 0.0, speed]
    roots *= np.exp(np.random.default_rng(seed).normal(0, noise, (len(roots), 1)))
    assert judge(roots, fps).all()


@pytest.mark.parametrize('fps', RATES)
def test_jumps_flips_and_turns_are_left_alone(fps):
    time = np.arange(round(4 * fps)) / fps
    roots = np.tile([0.0, 0.0, 4000.0], (len(time), 1))
    phase = np.clip((time - 2) / 0.6, -0.5, 0.5)
    roots[:, 1] -= 700 * np.cos(np.pi * phase)  # a flip: the root rises by 70 cm and falls
    roots[:, 2] += 1200 * phase  # while it flies 1.2 m away
    assert judge(roots, fps).all()
    roots[:, 1], roots[:, 2] = 0, 4000 + 3000 * np.abs(time - 2)  # runs to the camera and back
    assert judge(roots, fps).all()


@pytest.mark.parametrize('causal', [False, True])
def test_somebody_who_is_elsewhere_from_then_on_is_believed(causal):
    """A track that goes on with another person, a camera that was moved."""
    roots = wanderer(120, 30.0)
    roots[60:] *= 1.7
    can_be = judge(roots, 30.0, causal)
    assert can_be[:60].all()
    assert can_be[60 + 10 :].all()
    assert can_be.all() == (not causal)


def test_noise_of_a_third_is_no_wrong_frame():
    """Where every frame is off, none is more so than the others."""
    can_be = judge(wanderer(200, 30.0, noise=0.3), 30.0)
    assert can_be.mean() > 0.97


@pytest.mark.parametrize('causal', [False, True])
def test_frames_without_a_place_cannot_be_and_change_nothing_else(causal):
    roots = wanderer(60, 30.0, noise=0.01)
    roots[[0, 20, 21, 22, 59]] = np.nan
    roots[40] *= 2
    assert np.flatnonzero(~judge(roots, 30.0, causal)).tolist() == [0, 20, 21, 22, 40, 59]
    assert not judge(np.full((9, 3), np.nan), 30.0, causal).any()


@pytest.mark.parametrize('count', [1, 2, 3])
def test_of_a_few_frames_nobody_can_tell(count):
    roots = wanderer(count, 30.0)
    roots[-1] *= 2
    assert judge(roots, 30.0).all()


def test_one_wrong_frame_of_a_short_track_is_found():
    for length in (6, 9):
        for bad in range(length):
            roots = wanderer(length, 30.0)
            roots[bad] *= 12 / 7
            assert np.flatnonzero(~judge(roots, 30.0)).tolist() == [bad]


def test_live_frames_that_were_left_out_are_no_gap():
    frames = np.flatnonzero(np.random.default_rng(0).random(120) < 0.5)
    roots = wanderer(120, 30.0)[frames]
    roots[30] *= 1.8
    assert np.flatnonzero(~judge(roots, 30.0, True, frames)).tolist() == [30]


def test_what_is_kept_does_not_grow_with_the_track():
    places = RootFilter(30.0)
    for frame, root in enumerate(wanderer(500, 30.0)):
        places.push(frame, root)
        assert len(places._places) <= 2 * places.reach + 1
