"""Lift a whole clip: overlapping windows, one noise, blended."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np
import torch
from torch import Tensor

from posediff.diffusion.hypotheses import draw_noise
from posediff.geometry import Camera
from posediff.models.data_preprocessor import normalize_keypoints_2d
from posediff.models.estimator import PoseDiffusionEstimator, seeded_generator
from posediff.resampling import frame_positions, resample
from posediff.structures import PoseDataSample


def lift_keypoints(
    model: PoseDiffusionEstimator,
    keypoints_2d: np.ndarray,
    keypoint_scores: np.ndarray | None = None,
    *,
    img_shape: tuple[int, int],
    fps: float | None = None,
    camera: Camera | None = None,
    num_hypotheses: int | None = None,
    num_inference_steps: int | None = None,
    seed: int = 0,
    stride: int | None = None,
    score_threshold: float = 0.0,
    batch_size: int = 16,
    progress: Callable[[list[list[int]]], Iterable[list[int]]] = iter,
) -> dict[str, np.ndarray]:
    """Lift one person's 2D keypoints of a clip of any length.

    Windows overlap, see the future as well as the past, and are blended with weights that fall towards their borders.
    The noise belongs to the frame, not to the window, so that windows agree where they overlap.

    Args:
        model: From :func:`posediff.init_model`.
        keypoints_2d: (F, K, 2) px in the lifter's skeleton; finite where the score is above 0.
        keypoint_scores: (F, K) confidences in [0, 1], 0 = not seen; None: every point was seen.
        img_shape: (h, w) of the image in px.
        fps: Rate of the clip. Where it differs from the ``fps`` of the model's config, the keypoints are resampled to
            that, and the poses back. None takes the frames as they are.
        camera: For an aggregator that needs one.
        num_hypotheses: M; None: the config's.
        num_inference_steps: Denoiser calls per hypothesis; None: the config's.
        seed: Decides the noise.
        stride: Frames from window to window, at most the window length; None: a third of it.
        score_threshold: Points scored below, or 0, are treated as omitted.
        batch_size: Windows at a time.
        progress: Wraps the list of batches, e.g. :func:`tqdm.tqdm`.

    Returns:
        ``joints_3d`` (F, K, 3) root-relative mm in the camera frame (x right, y down, z forward);
        ``hypotheses`` (M, F, K, 3); ``joints_3d_std`` (F, K) mm, root of the variances over M summed over the axes;
        ``observed`` (F, K) bool. A clip shorter than the window is padded by repeating its last frame; the padding is
        cut off again.

    Raises:
        ValueError: Wrong shapes, an empty clip, no usable point at all, an option out of range.
    """
    points, observed = _check_clip(keypoints_2d, keypoint_scores, score_threshold)
    for name, value in {
        'num_hypotheses': num_hypotheses,
        'num_inference_steps': num_inference_steps,
        'batch_size': batch_size,
    }.items():
        if value is not None and value < 1:
            raise ValueError(f'{name} must be at least 1, got {value}')
    if len(img_shape) != 2 or not all(np.isfinite(side) and side > 0 for side in img_shape):
        raise ValueError(f'img_shape must be a positive (h, w) in px, got {img_shape}')
    window = window_length(model)
    hop = max(window // 3, 1) if stride is None else stride
    if not 1 <= hop <= window:
        raise ValueError(f'stride must be in 1..{window}, the window of the model, got {hop}')
    model_fps = model.cfg.get('fps', fps)
    rates = (1.0, 1.0) if fps is None else (fps, model_fps)
    grid, back = frame_positions(len(points), *rates)
    mask = resample(observed, grid)
    inputs = _network_inputs(model, resample(points, grid), mask, img_shape)
    windows = progress(list(_batches(max(len(inputs), window), window, hop, batch_size)))
    drawn = _lift_windows(model, _pad(inputs, window), windows, window, num_hypotheses, num_inference_steps, seed)[
        : len(inputs)
    ]
    hypotheses = torch.from_numpy(resample(drawn.numpy(), back)).transpose(0, 1)
    joints_3d = _aggregate(model, hypotheses, points, observed, img_shape, camera)
    return {
        'joints_3d': joints_3d.numpy(),
        'hypotheses': hypotheses.numpy(),
        'joints_3d_std': hypotheses.var(dim=0, unbiased=False).sum(-1).sqrt().numpy(),
        'observed': observed,
    }


def _network_inputs(
    model: PoseDiffusionEstimator, points: np.ndarray, observed: np.ndarray, img_shape: tuple[int, int]
) -> Tensor:
    """Normalised keypoints (F, K, 2), omitted ones at 0, with the mask appended where the model wants it."""
    mask = torch.from_numpy(observed.astype(np.float32))[..., None]
    shape = torch.tensor([img_shape], dtype=torch.float32)
    inputs = normalize_keypoints_2d(torch.from_numpy(points)[None], shape)[0] * mask
    with_mask = getattr(model.data_preprocessor, 'input_mask', False)
    return torch.cat([inputs, mask], dim=-1) if with_mask else inputs


@torch.no_grad()
def _lift_windows(
    model: PoseDiffusionEstimator,
    inputs: Tensor,
    windows: Iterable[list[int]],
    window: int,
    num_hypotheses: int | None,
    num_inference_steps: int | None,
    seed: int,
) -> Tensor:
    """Lift batches of windows of (F, K, ·) and blend them: (F, M, K, 3) mm."""
    device = next(model.parameters()).device
    num_hypotheses = model.test_cfg.num_hypotheses if num_hypotheses is None else num_hypotheses
    frames, joints = inputs.shape[:2]
    inputs = inputs.to(device)
    noise = _frame_noise(model, num_hypotheses, num_inference_steps, (frames, joints, 3), seed, device)
    total = torch.zeros(frames, num_hypotheses, joints, 3)
    weights = torch.zeros(frames, 1, 1, 1)
    ramp = torch.minimum(torch.arange(1, window + 1), torch.arange(window, 0, -1)).float().reshape(-1, 1, 1, 1)
    for starts in windows:
        batch = torch.stack([inputs[s : s + window] for s in starts])
        drawn = None if noise is None else torch.stack([noise[:, :, s : s + window] for s in starts], dim=1)
        poses = model.head.decode(model.sample_inputs(batch, num_hypotheses, num_inference_steps, noise=drawn).float())
        for start, pose in zip(starts, poses.cpu(), strict=True):
            total[start : start + window] += pose.transpose(0, 1) * ramp
            weights[start : start + window] += ramp
    return total / weights


def _aggregate(
    model: PoseDiffusionEstimator,
    hypotheses: Tensor,
    points: np.ndarray,
    observed: np.ndarray,
    img_shape: tuple[int, int],
    camera: Camera | None,
) -> Tensor:
    """One pose (F, K, 3) of (M, F, K, 3)."""
    sample = PoseDataSample(metainfo={'sample_id': 'clip', 'img_shape': img_shape, 'camera': camera})
    sample.set_metainfo({'skeleton': model.head.skeleton.name})
    sample.input_keypoints_2d = torch.from_numpy(points)
    sample.input_keypoint_mask = torch.from_numpy(observed.astype(np.float32))
    return model.aggregator(hypotheses[None], [sample])[0]


def window_length(model: torch.nn.Module) -> int:
    """Frames that the networks of a lifting model were built for."""
    found = (getattr(module, 'num_frames', None) for module in model.modules())
    lengths = {length for length in found if isinstance(length, int)}
    if len(lengths) != 1:
        raise ValueError(f'the parts of the model name {sorted(lengths) or "no"} window lengths; expected exactly one')
    return lengths.pop()


def _check_clip(
    keypoints_2d: np.ndarray, scores: np.ndarray | None, score_threshold: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return finite points (F, K, 2) float32 and which were observed (F, K), or say what is wrong."""
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


def _frame_noise(
    model: PoseDiffusionEstimator,
    num_hypotheses: int,
    num_inference_steps: int | None,
    state: tuple[int, ...],
    seed: int,
    device: torch.device,
) -> Tensor | None:
    """Noise (draws, M, F, K, 3) of every frame, or None without diffusion."""
    if model.denoiser is None:
        return None
    draws = model.sampler.num_draws(model.noise_scheduler, model.inference_steps(num_inference_steps))
    return draw_noise(draws, 1, num_hypotheses, state, device, seeded_generator(seed, 'clip'))[:, 0]


def _pad(inputs: Tensor, window: int) -> Tensor:
    missing = window - len(inputs)
    return inputs if missing <= 0 else torch.cat([inputs, inputs[-1:].expand(missing, *inputs.shape[1:])])


def _batches(frames: int, window: int, hop: int, batch_size: int) -> Iterator[list[int]]:
    """Window starts that cover every frame, the last one right-aligned, in batches."""
    starts = [*range(0, frames - window, hop), frames - window]
    for first in range(0, len(starts), batch_size):
        yield starts[first : first + batch_size]
