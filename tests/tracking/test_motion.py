"""The filters against the general Kalman filter, and against motion that is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from posediff.tracking.motion import (
    ACCELERATION_STD,
    LIMB_MEASUREMENT_STD,
    LIMB_SPEED_S,
    LIMB_SPEED_STD,
    MEASUREMENT_STD,
    SPEED_STD,
    ConstantVelocity,
    LimbMotion,
)

STEPS = st.lists(
    st.tuples(st.floats(0.01, 1.0), st.one_of(st.none(), st.tuples(st.floats(-50, 50), st.floats(-50, 50)))),
    min_size=1,
    max_size=8,
)


@given(STEPS)
def test_it_is_the_general_kalman_filter(steps):
    """Matrices as in any textbook; x and y apart, a time step and a measured place (or none) at a time."""
    motion = ConstantVelocity()
    place = np.zeros(2)
    state, covariance = np.zeros((2, 2)), np.diag([MEASUREMENT_STD**2, SPEED_STD**2])  # (place, velocity) by (x, y)
    observe = np.array([[1.0, 0.0]])
    for seconds, measured in steps:
        advance = np.array([[1, seconds], [0, 1]])
        noise = ACCELERATION_STD**2 * np.array([[seconds**3 / 3, seconds**2 / 2], [seconds**2 / 2, seconds]])
        state, covariance = advance @ state, advance @ covariance @ advance.T + noise
        place = place + motion.predict(seconds)
        if measured is not None:
            gain = covariance @ observe.T / (observe @ covariance @ observe.T + MEASUREMENT_STD**2)
            state = state + gain @ (np.array([measured]) - observe @ state)
            covariance = (np.eye(2) - gain @ observe) @ covariance
            place = place + motion.correct(np.array(measured) - place)
        np.testing.assert_allclose([place, motion.velocity], state, rtol=1e-9, atol=1e-9)
        (a, b), (_, d) = covariance
        np.testing.assert_allclose(motion.covariance, (a, b, d), rtol=1e-9)
        assert motion.variance == motion.covariance[0] > 0


def test_constant_velocity_is_learnt_and_goes_on():
    motion, place = ConstantVelocity(), np.zeros(2)
    for frame in range(1, 101):
        place = place + motion.predict(0.04)
        place = place + motion.correct(np.array([100.0, -50.0]) * 0.04 * frame - place)
    np.testing.assert_allclose(motion.velocity, [100, -50], rtol=1e-6)
    np.testing.assert_allclose(place + motion.predict(1.0), [500, -250], rtol=1e-6)


def test_one_long_step_is_many_short_ones():
    one, many = ConstantVelocity(), ConstantVelocity()
    one.predict(0.5)
    for _ in range(10):
        many.predict(0.05)
    assert many.covariance == pytest.approx(one.covariance)
    assert one.variance == pytest.approx(MEASUREMENT_STD**2 + SPEED_STD**2 * 0.25 + ACCELERATION_STD**2 * 0.125 / 3)


def test_limbs_that_move_evenly_are_expected_where_they_go():
    """Gains of the filter settle at the root of its Riccati equation; what it expects falls short by what decays."""
    seconds, way = 0.04, np.array([[3.0, -2.0]])
    limbs = LimbMotion(1)
    for _ in range(200):
        limbs.predict(seconds)
        limbs.correct(way, np.array([True]), 100.0)
    kept = np.exp(-seconds / LIMB_SPEED_S)
    noise = 2 * LIMB_MEASUREMENT_STD**2 / seconds**2
    before = kept**2 * limbs.variance.item() + (1 - kept**2) * LIMB_SPEED_STD**2
    gain = before / (before + noise)
    assert limbs.variance.item() == pytest.approx((1 - gain) * before)
    np.testing.assert_allclose(limbs.velocity, gain / (1 - (1 - gain) * kept) * way / seconds, rtol=1e-9)
    limbs.predict(1e6)  # the limb comes to rest
    np.testing.assert_allclose(limbs.velocity, 0.0)
    assert limbs.variance.item() == pytest.approx(LIMB_SPEED_STD**2)
    assert np.linalg.norm(limbs.step) <= LIMB_SPEED_S * np.linalg.norm(way) / seconds


def test_one_long_step_of_limbs_is_many_short_ones():
    one, many = LimbMotion(2), LimbMotion(2)
    for limbs in (one, many):
        limbs.predict(0.1)
        limbs.correct(np.array([[5.0, 1.0], [9.0, 9.0]]), np.array([True, False]), 100.0)
    one.predict(0.5)
    for _ in range(10):
        many.predict(0.05)
    np.testing.assert_allclose(many.step, one.step)
    np.testing.assert_allclose(many.velocity, one.velocity)
    np.testing.assert_allclose(many.variance, one.variance)
    np.testing.assert_array_equal(one.step[1], 0.0)  # of a limb that was not seen nothing is known


def test_a_limb_that_swings_is_expected_nearer_than_one_that_rests():
    limbs, expected, rested = LimbMotion(1), [], []
    places = 40 * np.sin(2 * np.pi * 0.9 * 0.04 * np.arange(100))[:, None, None] * [1.0, 0.2]
    for before, place in zip(places[:-1], places[1:], strict=True):
        limbs.predict(0.04)
        expected.append(np.linalg.norm(before + limbs.step - place))
        rested.append(np.linalg.norm(before - place))
        limbs.correct(place - before, np.array([True]), 140.0)
    assert np.mean(expected[10:]) < 0.5 * np.mean(rested[10:])


def test_a_keypoint_that_jumps_has_no_speed():
    """As where a detector takes the left foot for the right one."""
    limbs = LimbMotion(2)
    for moved in ([[4.0, 0.0], [4.0, 0.0]], [[4.0, 0.0], [60.0, 0.0]]):
        limbs.predict(0.04)
        limbs.correct(np.array(moved), np.array([True, True]), 140.0)
    limbs.predict(0.04)
    assert limbs.step[0, 0] > 1
    np.testing.assert_array_equal(limbs.step[1], 0)
