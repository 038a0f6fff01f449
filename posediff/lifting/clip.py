"""Lift a whole clip in overlapping windows with shared noise, blended."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from posediff.geometry.cameras import Camera
from posediff.lifting.stream import LiftedFrames, LiftingStream
from posediff.models.estimator import PoseDiffusionEstimator


def lift_keypoints(
    model: PoseDiffusionEstimator,
    keypoints_2d: np.ndarray,
    keypoint_scores: np.ndarray | None = None,
    *,
    skeleton: str | None = None,
    img_shape: tuple[int, int],
    fps: float | None = None,
    camera: Camera | None = None,
    num_hypotheses: int | None = None,
    num_inference_steps: int | None = None,
    seed: int = 0,
    stride: int | None = None,
    score_threshold: float = 0.0,
    batch_size: int = 16,
    progress: Callable[[Iterable[int]], Iterable[int]] = iter,
) -> dict[str, np.ndarray]:
    """Lift one person's 2D keypoints of a clip of any length.

    Overlapping windows cover frames before and after, and are blended with weights that decrease towards their borders.
    Noise is drawn per frame, not per window, so that windows agree where they overlap.

    Args:
        model: From :func:`posediff.init_model`.
        keypoints_2d: (F, K, 2) px in the lifter's skeleton; finite if the score is above 0.
        keypoint_scores: (F, K) confidences in [0, 1], 0 = not observed; None: all points are observed.
        skeleton: Skeleton of the keypoints, e.g. ``'coco17'``. Required; it must be the lifter's
            (``model.head.skeleton.name``).
            :func:`posediff.structures.skeleton_conversion.convert_joints` converts other skeletons.
        img_shape: (h, w) of the image in px.
        fps: Frame rate of the clip. If it differs from the ``fps`` of the model's config, the keypoints are resampled
            to that rate, and the poses back. None: no resampling.
        camera: Camera, for aggregators that need one.
        num_hypotheses: M; None: that of the model's ``test_cfg``.
        num_inference_steps: Denoiser calls per hypothesis; None: that of the model's ``test_cfg``.
        seed: Seed of the noise.
        stride: Frames between the starts of two windows, at the model's rate, at most the window length; None: a third
            of the window length.
        score_threshold: Points with a lower score, or with score 0, are treated as not observed.
        batch_size: Windows per batch.
        progress: Wrapper of the iterable of frame indices, e.g. :func:`tqdm.tqdm`.

    Returns:
        ``joints_3d`` (F, K, 3) root-relative mm in the camera frame (x right, y down, z forward);
        ``hypotheses`` (M, F, K, 3); ``joints_3d_std`` (F, K) mm, square root of the sum over x, y and z of the
        variances over M; ``joints_3d_radius_90`` (F, K) mm, radius around the pose that holds 90 % of the hypotheses
        (:func:`posediff.evaluation.radius.radius_90`); ``observed`` (F, K) bool. A clip shorter than the window is
        padded by repeating its last frame; the padding is removed from the results.

    Raises:
        ValueError: The skeleton is not given or not the lifter's, a shape is wrong, the clip is empty, no point is
            observed, or an option is out of range.
    """
    points, observed = _check_clip(keypoints_2d, keypoint_scores, score_threshold)
    stream = LiftingStream(
        model,
        img_shape,
        skeleton=skeleton,
        fps=fps,
        camera=camera,
        num_hypotheses=num_hypotheses,
        num_inference_steps=num_inference_steps,
        seed=seed,
        stride=stride,
        batch_size=batch_size,
    )
    parts: list[LiftedFrames] = []
    for frame in progress(range(len(points))):
        stream.push('clip', points[frame], observed[frame])
        if frame == len(points) - 1:
            stream.end('clip')
            stream.flush()
        parts += stream.ready()
    return {
        'joints_3d': np.concatenate([part.joints_3d for part in parts]),
        'hypotheses': np.concatenate([part.hypotheses for part in parts], axis=1),
        'joints_3d_std': np.concatenate([part.joints_3d_std for part in parts]),
        'joints_3d_radius_90': np.concatenate([part.joints_3d_radius_90 for part in parts]),
        'observed': observed,
    }


def _check_clip(
    keypoints_2d: np.ndarray, scores: np.ndarray | None, score_threshold: float
) -> tuple[np.ndarray, np.ndarray]:
    """Check a clip.

    Returns:
        Points (F, K, 2) float32, 0 if not observed, and whether they are observed (F, K).

    Raises:
        ValueError: A shape or a value is wrong, or no point is observed.
    """
    points = np.asarray(keypoints_2d, dtype=np.float32)
    if points.ndim != 3 or points.shape[-1] != 2:
        raise ValueError(f'keypoints_2d must be (F, K, 2) px, got shape {points.shape}')
    if 0 in points.shape:
        raise ValueError(f'keypoints_2d is empty: shape {points.shape}')
    scores = np.ones(points.shape[:2]) if scores is None else np.asarray(scores, dtype=np.float32)
    if scores.shape != points.shape[:2]:
        raise ValueError(f'keypoint_scores must be {points.shape[:2]} like keypoints_2d, got {scores.shape}')
    for name, wrong in {
        'keypoint_scores outside 0..1': ~((scores >= 0) & (scores <= 1)),
        'a point that is not finite, with a score above 0': ~np.isfinite(points).all(-1) & (scores > 0),
    }.items():
        if wrong.any():
            frame, joint = np.argwhere(wrong)[0].tolist()
            raise ValueError(
                f'frame {frame}, joint {joint}: {name}: {points[frame, joint].tolist()} px, score '
                f'{scores[frame, joint]}; a point that was not seen has score 0'
            )
    observed: np.ndarray = np.asarray((scores > 0) & (scores >= score_threshold))
    if not observed.any():
        raise ValueError(f'no keypoint has a score above 0 and at least {score_threshold}: there is nothing to lift')
    return np.where(observed[..., None], points, np.float32(0)), observed
