"""Ridge regression against its closed form, and the baselines on data where they must succeed."""

from __future__ import annotations

import numpy as np
import pytest

from posediff.evaluation.baselines import (
    ALPHAS,
    LiftingArrays,
    RidgeRegression,
    errors_of,
    evaluate_baselines,
    features_of,
    tune_alpha,
)

FRAMES, JOINTS = 5, 17


def linear_world(count: int, seed: int, noise: float = 0.0) -> LiftingArrays:
    """Poses that are a fixed linear function of the keypoints, seen by four subjects."""
    truth = np.random.default_rng(99).normal(0, 40, (FRAMES * JOINTS * 2, FRAMES * JOINTS * 3))
    rng = np.random.default_rng(seed)
    inputs = rng.normal(0, 0.3, (count, FRAMES, JOINTS, 2)).astype(np.float32)
    target = (inputs.reshape(count, -1) @ truth + 7).reshape(count, FRAMES, JOINTS, 3)
    target += rng.normal(0, noise, target.shape) if noise else 0
    return LiftingArrays(
        inputs,
        np.ones((count, FRAMES, JOINTS), dtype=np.float32),
        target.astype(np.float32),
        np.ones((count, FRAMES), dtype=bool),
        np.array([f's{index % 4}' for index in range(count)]),
    )


def test_ridge_solves_the_penalised_normal_equations():
    rng = np.random.default_rng(0)
    x = rng.normal(0, [1.0, 5.0, 0.2], (50, 3)) + 4
    y = rng.normal(0, 1, (50, 2))
    alpha = 100.0
    standard = (x - x.mean(0)) / x.std(0)
    gram = standard.T @ standard / 50 + alpha * 1e-4 * np.eye(3)
    weights = np.linalg.solve(gram, standard.T @ (y - y.mean(0)) / 50)
    np.testing.assert_allclose(RidgeRegression(x, y).predict(x, alpha), standard @ weights + y.mean(0), atol=1e-10)


def test_a_huge_penalty_predicts_the_mean():
    data = linear_world(100, seed=0)
    target = data.target.reshape(100, -1)
    found = RidgeRegression(features_of(data, 'raw'), target).predict(features_of(data, 'raw'), 1e16)
    np.testing.assert_allclose(found, np.broadcast_to(target.mean(0), found.shape), atol=0.1)


def test_linear_poses_are_recovered_and_the_mean_pose_is_not():
    rows = {
        row['name']: row for row in evaluate_baselines(linear_world(400, 0), linear_world(20, 1), linear_world(20, 1))
    }
    assert rows['ridge, raw input, window']['mpjpe'] < 5
    assert rows['ridge, raw input, centre frame']['mpjpe'] < 5
    assert rows['mean pose']['mpjpe'] > 100
    assert set(rows['mean pose']) == {'name', 'alpha', 'mpjpe', 'p_mpjpe'}


def test_tuning_finds_more_penalty_for_noisier_targets():
    clean = tune_alpha(linear_world(400, 0), 'raw', slice(None))
    noisy = tune_alpha(linear_world(400, 0, noise=3000.0), 'raw', slice(None))
    assert clean == ALPHAS[0] < noisy


def test_centred_features_ignore_where_and_how_large_a_person_is():
    data = linear_world(20, 0)
    observed = data.observed.copy()
    observed[:, 2, 5] = 0
    inputs = data.inputs * observed[..., None]
    moved = (3 * data.inputs + [0.4, -0.2]).astype(np.float32) * observed[..., None]
    one, other = (
        features_of(LiftingArrays(points, observed, data.target, data.frame_mask, data.subjects), 'centred')
        for points in (inputs, moved)
    )
    np.testing.assert_allclose(one, other, atol=1e-4)
    assert (one.reshape(20, FRAMES, JOINTS, 2)[:, 2, 5] == 0).all()
    with pytest.raises(ValueError, match="got 'cropped'"):
        features_of(data, 'cropped')


def test_only_frames_of_the_mask_count():
    data = linear_world(4, 0)
    wrong = data.target.copy()
    wrong[:, 0, 3] += 100
    mask = data.frame_mask.copy()
    mask[:, 0] = False
    assert errors_of(wrong, data.target, mask)['mpjpe'] == pytest.approx(0, abs=1e-4)
    assert errors_of(wrong, data.target, data.frame_mask)['mpjpe'] == pytest.approx(
        np.sqrt(3) * 100 / 17 / FRAMES, rel=1e-3
    )


def test_one_subject_cannot_be_held_out():
    data = linear_world(10, 0)
    alone = LiftingArrays(data.inputs, data.observed, data.target, data.frame_mask, np.array(['s0'] * 10))
    with pytest.raises(ValueError, match='needs at least two'):
        tune_alpha(alone, 'raw', slice(None))
