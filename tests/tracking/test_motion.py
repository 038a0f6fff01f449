"""The filter against the general Kalman filter, and against what constant velocity is."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from posediff.tracking.motion import ACCELERATION_STD, MEASUREMENT_STD, SPEED_STD, ConstantVelocity

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
