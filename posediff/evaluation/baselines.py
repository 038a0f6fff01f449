"""Baselines for lifting networks: the mean pose, and ridge regression from the same window of 2D keypoints."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from posediff.datasets.pose_windows import PoseWindowDataset, centred_window
from posediff.evaluation.joints_3d import mpjpe, p_mpjpe
from posediff.models.data_preprocessor import LiftingPreprocessor

ALPHAS = tuple(10.0**exponent for exponent in range(-2, 7))


@dataclass(frozen=True)
class LiftingArrays:
    """Inputs and targets of N windows as float32 arrays.

    Attributes:
        inputs: (N, T, K, 2), normalised as for the networks; 0 for missing keypoints.
        observed: (N, T, K), 1 for observed keypoints, else 0.
        target: (N, T, K, 3) mm, relative to the root.
        frame_mask: (N, T) bool, True for the frames to evaluate.
        subjects: (N,) names of the subjects.
    """

    inputs: np.ndarray
    observed: np.ndarray
    target: np.ndarray
    frame_mask: np.ndarray
    subjects: np.ndarray

    def __len__(self) -> int:
        return len(self.inputs)


def collect(items: Iterable[dict]) -> LiftingArrays:
    """Preprocess dataset items as for the networks and stack them."""
    preprocess = LiftingPreprocessor(input_mask=True)
    inputs, target, mask, subjects = [], [], [], []
    for item in items:
        sample = item['data_samples']
        inputs.append(preprocess([item])['inputs'][0].numpy())
        target.append(sample.gt_instances.lifting_target.numpy())
        mask.append(sample.frame_mask)
        subjects.append(sample.subject)
    stacked = np.stack(inputs)
    return LiftingArrays(stacked[..., :2], stacked[..., 2], np.stack(target), np.stack(mask), np.array(subjects))


def centred_items(dataset: PoseWindowDataset, stride: int = 1) -> Iterable[dict]:
    """Yield one item per ``stride``-th frame of every track: the window centred on the frame, the only unmasked one."""
    for index, track in enumerate(dataset.tracks):
        for center in range(0, track.num_frames, stride):
            yield dataset.read_window(centred_window(index, center, track.num_frames, dataset.window_size))


def features_of(arrays: LiftingArrays, kind: str) -> np.ndarray:
    """Return the inputs of a regression, (N, T * K * 2).

    Args:
        arrays: N windows.
        kind: ``'raw'`` for the normalised keypoints; ``'centred'`` to subtract the root's mean over the window and
            divide by the RMS size, which a linear model cannot do. Missing keypoints are 0 in both.
    """
    if kind == 'raw':
        return arrays.inputs.reshape(len(arrays), -1)
    if kind != 'centred':
        raise ValueError(f"features must be 'raw' or 'centred', got {kind!r}")
    observed = arrays.observed[..., None]
    root_seen = np.maximum(observed[:, :, :1].sum(1, keepdims=True), 1)
    root = (arrays.inputs[:, :, :1] * observed[:, :, :1]).sum(1, keepdims=True) / root_seen
    moved = (arrays.inputs - root) * observed
    size = np.sqrt((moved**2).sum((1, 2, 3)) / np.maximum(arrays.observed.sum((1, 2)), 1))
    return (moved / np.maximum(size, 1e-6)[:, None, None, None]).reshape(len(arrays), -1)


class RidgeRegression:
    """Linear regression with standardised inputs, an intercept and an L2 penalty.

    The eigendecomposition of the covariance is computed once; predictions with any penalty use it.

    Args:
        features: (N, P).
        targets: (N, Q).
    """

    def __init__(self, features: np.ndarray, targets: np.ndarray) -> None:
        x = features.astype(np.float64)
        self._mean = x.mean(0)
        self._scale = np.maximum(x.std(0), 1e-9)
        x = (x - self._mean) / self._scale
        self._intercept = targets.mean(0, dtype=np.float64)
        self._values, self._vectors = np.linalg.eigh(x.T @ x / len(x))
        self._projected = self._vectors.T @ (x.T @ (targets - self._intercept)) / len(x)

    def predict(self, features: np.ndarray, alpha: float) -> np.ndarray:
        """Return predictions (N, Q).

        Args:
            features: (N, P).
            alpha: Penalty; ``alpha`` times 1e-4 is added to the eigenvalues of the covariance of the standardised
                features.
        """
        weights = self._vectors @ (self._projected / (np.maximum(self._values, 0) + alpha * 1e-4)[:, None])
        return (features - self._mean) / self._scale @ weights + self._intercept


def errors_of(prediction: np.ndarray, target: np.ndarray, frame_mask: np.ndarray) -> dict[str, float]:
    """Return MPJPE and P-MPJPE in mm over the masked frames of poses (N, T, K, 3) in mm."""
    chosen = torch.from_numpy(prediction[frame_mask]).double(), torch.from_numpy(target[frame_mask]).double()
    return {'mpjpe': float(mpjpe(*chosen).mean()), 'p_mpjpe': float(p_mpjpe(*chosen).mean())}


def tune_alpha(arrays: LiftingArrays, kind: str, frames: slice, num_folds: int = 4) -> float:
    """Return the penalty with the lowest MPJPE in cross-validation over training subjects.

    Args:
        arrays: Training windows.
        kind: See :func:`features_of`.
        frames: Frames of the window to predict.
        num_folds: Maximum number of folds. Each subject belongs to one fold.

    Raises:
        ValueError: There is only one subject.
    """
    names, counts = np.unique(arrays.subjects, return_counts=True)
    if len(names) < 2:
        raise ValueError(f'tuning holds out subjects and needs at least two, got {names.tolist()}')
    fold_of: dict[str, int] = {}
    load = np.zeros(min(num_folds, len(names)))
    for index in np.argsort(-counts):  # the largest first, each to the smallest fold
        fold_of[names[index]] = int(load.argmin())
        load[load.argmin()] += counts[index]
    fold = np.array([fold_of[name] for name in arrays.subjects])
    features = features_of(arrays, kind)
    target = arrays.target[:, frames]
    total = np.zeros(len(ALPHAS))
    for held_out in range(len(load)):
        fit, check = fold != held_out, fold == held_out
        model = RidgeRegression(features[fit], target[fit].reshape(fit.sum(), -1))
        for index, alpha in enumerate(ALPHAS):
            found = model.predict(features[check], alpha).reshape(target[check].shape)
            total[index] += np.linalg.norm(found - target[check], axis=-1).sum()
    return ALPHAS[int(total.argmin())]


def evaluate_baselines(train: LiftingArrays, windows: LiftingArrays, centred: LiftingArrays | None) -> list[dict]:
    """Evaluate the mean pose and ridge regressions, tuned and fitted on ``train``.

    Args:
        train: Training windows.
        windows: Test windows; all frames are predicted at once.
        centred: Test windows of which only the centre frame is predicted, or None.

    Returns:
        One row per baseline with name, alpha, mpjpe and p_mpjpe (mm).
    """
    mean = train.target.mean((0, 1), dtype=np.float64)
    rows: list[dict] = [
        {'name': 'mean pose', 'alpha': None}
        | errors_of(np.broadcast_to(mean, windows.target.shape).copy(), windows.target, windows.frame_mask)
    ]
    num_frames = train.target.shape[1]
    middle = slice(num_frames // 2, num_frames // 2 + 1)
    tests: Sequence[tuple[str, slice, LiftingArrays | None]] = (
        ('window', slice(None), windows),
        ('centre frame', middle, centred),
    )
    for label, frames, test in tests:
        if test is None:
            continue
        for kind in ('raw', 'centred'):
            alpha = tune_alpha(train, kind, frames)
            target = train.target[:, frames]
            model = RidgeRegression(features_of(train, kind), target.reshape(len(train), -1))
            wanted = test.target[:, frames]
            found = model.predict(features_of(test, kind), alpha).reshape(wanted.shape)
            name = f'ridge, {kind} input, {label}'
            rows.append({'name': name, 'alpha': alpha} | errors_of(found, wanted, test.frame_mask[:, frames]))
    return rows
