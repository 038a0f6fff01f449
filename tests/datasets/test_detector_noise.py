"""The simulated detector has the specified errors."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from posediff.datasets.detector_noise import DetectorNoise, simulate_detections
from posediff.structures.skeletons import H36M17

FOCAL = 1145.0
SHAPE = (1000, 1000)
QUIET = DetectorNoise.of_severity(0.0)


def scene(frames: int, depth: float = 5000.0, step: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Create a static figure, or one that moves by ``step`` px per frame, in the middle of the image."""
    rng = np.random.default_rng(7)
    keypoints = rng.uniform(300, 700, (1, 17, 2)) + step * (np.arange(frames) % 2)[:, None, None]
    return np.broadcast_to(keypoints, (frames, 17, 2)).copy(), np.full((frames, 17), depth)


def detect(noise: DetectorNoise, frames: int = 2000, seed: int = 0, **where):
    keypoints, depth = scene(frames, **where)
    return keypoints, simulate_detections(keypoints, depth, FOCAL, SHAPE, H36M17, noise, np.random.default_rng(seed))


def errors(noise: DetectorNoise, **where) -> np.ndarray:
    exact, found = detect(noise, **where)
    return np.linalg.norm(found.keypoints - exact, axis=-1)


def test_severity_zero_is_exact():
    exact, found = detect(QUIET)
    np.testing.assert_allclose(found.keypoints, exact, atol=1e-4)
    assert found.mask.all()
    assert found.scores.min() > 0.75


def test_errors_are_of_the_size_of_a_fine_tuned_detector():
    assert 4.5 < errors(DetectorNoise()).mean() < 8


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 2**32 - 1), st.floats(0, 5), st.integers(1, 60))
def test_outputs_are_finite_and_in_range(seed, severity, frames):
    keypoints, depth = scene(frames)
    rng = np.random.default_rng(seed)
    found = simulate_detections(keypoints, depth, FOCAL, SHAPE, H36M17, DetectorNoise.of_severity(severity), rng)
    assert found.keypoints.dtype == found.scores.dtype == found.mask.dtype == np.float32
    assert np.isfinite(found.keypoints).all()
    assert ((found.scores >= 0) & (found.scores <= 1)).all()
    assert np.isin(found.mask, (0, 1)).all()
    assert (found.keypoints[found.mask == 0] == 0).all()


def test_the_same_generator_gives_the_same_detections():
    _, one = detect(DetectorNoise(), seed=3)
    _, same = detect(DetectorNoise(), seed=3)
    _, other = detect(DetectorNoise(), seed=4)
    np.testing.assert_array_equal(one.keypoints, same.keypoints)
    assert not np.array_equal(one.keypoints, other.keypoints)


def test_the_error_in_mm_grows_with_depth_and_with_speed():
    noise = replace(DetectorNoise(), swap_rate=0.0, outlier_rate=0.0, drop_rate=0.0)
    near, far = (errors(noise, depth=depth).mean() * depth / FOCAL for depth in (2000.0, 12000.0))
    assert far > 1.1 * near
    still, moving = (errors(noise, step=step).mean() for step in (0.0, 30.0))
    assert moving > 1.5 * still


def test_tails_are_heavier_than_a_gaussian():
    error = errors(replace(DetectorNoise(), swap_rate=0.0, drop_rate=0.0, outlier_rate=0.0), frames=20000)[:, 9]
    gaussian = np.sqrt(-2 * np.log(1e-3) / (-2 * np.log(0.5)))  # ratio of 99.9th percentile to median, Rayleigh
    assert np.quantile(error, 0.999) / np.median(error) > 1.5 * gaussian


def test_errors_persist_over_frames():
    exact, found = detect(replace(QUIET, jitter_px=5.0), frames=20000)
    offset = (found.keypoints - exact)[:, 9, 0]
    neighbours = np.corrcoef(offset[:-1], offset[1:])[0, 1]
    distant = np.corrcoef(offset[:-60], offset[60:])[0, 1]
    assert 0.45 < neighbours < 0.75  # memory 0.7 times decay 0.85
    assert abs(distant) < 0.1


def test_a_window_starts_in_the_middle_of_the_process():
    noise = replace(QUIET, jitter_px=5.0, tail=1e6)
    spread = np.zeros(27)
    for seed in range(200):
        exact, found = detect(noise, frames=27, seed=seed)
        spread += ((found.keypoints - exact) ** 2).mean((1, 2))
    assert spread[0] == pytest.approx(spread[-1], rel=0.12)


def test_swaps_exchange_left_and_right_for_a_few_frames():
    exact, found = detect(replace(QUIET, swap_rate=0.02), frames=3000)
    swapped = np.linalg.norm(found.keypoints - exact, axis=-1) > 1
    assert 0.02 < swapped.any(1).mean() < 0.2
    center = [H36M17.root, 7, 8, 9, 10]
    assert not swapped[:, center].any()
    frame = int(swapped.any(1).argmax())
    order = np.where(swapped[frame], H36M17.flip_indices, np.arange(17))
    np.testing.assert_allclose(found.keypoints[frame], exact[frame, order], atol=1e-3)


def test_joints_are_lost_in_runs():
    _, found = detect(replace(QUIET, drop_rate=0.002), frames=20000)
    share = 1 - found.mask.mean()
    assert share == pytest.approx(0.002 * 4, rel=0.25)
    starts = (np.diff(found.mask, axis=0) < 0).sum()
    assert (found.mask == 0).sum() / starts == pytest.approx(4, rel=0.25)
    assert found.scores[found.mask == 0].max() <= 0.1


def test_joints_outside_the_image_are_lost():
    keypoints, depth = scene(10)
    keypoints[:, 3] = [-5, 500]
    keypoints[:, 4] = [500, 1000]
    found = simulate_detections(keypoints, depth, FOCAL, SHAPE, H36M17, QUIET, np.random.default_rng(0))
    assert (found.mask[:, [3, 4]] == 0).all()
    assert found.mask.sum() == 10 * 15


def test_confidence_follows_the_error():
    exact, found = detect(replace(DetectorNoise(), swap_rate=0.0), frames=5000)
    seen = found.mask > 0
    error = np.linalg.norm(found.keypoints - exact, axis=-1)[seen]
    score = found.scores[seen]
    assert score[error > 20].mean() < 0.6 < 0.85 < score[error < 5].mean()
    assert -0.95 < np.corrcoef(np.minimum(error, 50), score)[0, 1] < -0.4


def test_bad_parameters_are_named():
    with pytest.raises(ValueError, match=r'must not be negative, got -1'):
        DetectorNoise.of_severity(-1)
    with pytest.raises(ValueError, match=r'unknown detector noise parameters: jiter'):
        DetectorNoise.of_severity(1.0, jiter=3)
    for severity in (float('nan'), 'high', None):
        with pytest.raises(ValueError, match=f'severity must be finite and must not be negative, got {severity!r}'):
            DetectorNoise.of_severity(severity)
    for name, value, limits in (
        ('jitter_mm', -1.0, 'at least 0'),
        ('jitter_px', float('inf'), 'at least 0'),
        ('memory', 1.1, 'between 0 and 1'),
        ('decay', 1.0, 'between 0 and 0.9999'),
        ('run_length', 0.5, 'at least 1'),
        ('confidence_mm', 0.0, 'at least 0.001'),
    ):
        with pytest.raises(ValueError, match=f'detector noise {name} must be {limits}, got {value}'):
            DetectorNoise.of_severity(1.0, **{name: value})
