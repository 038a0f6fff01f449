"""What a 2D keypoint detector would have made of exact projections."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import NamedTuple

import numpy as np
from scipy.signal import lfilter

from posediff.skeletons import Skeleton

# Detectors place these less (> 1) or more (< 1) precisely than the average joint; the root lies between two hips.
_DIFFICULTY = {'wrist': 1.5, 'foot': 1.3, 'elbow': 1.2, 'hand': 1.5, 'ankle': 1.3, 'root': 0.7, 'spine': 0.8, 'thorax': 0.7}


@dataclass(frozen=True)
class DetectorNoise:
    """Strength of each fault. At the default values the mean error of an H36M-like view is about that of a fine-tuned CPN.

    Lengths are mm at the person's distance, since a detector works on a crop scaled to the person.

    Attributes:
        jitter_mm: Standard deviation of an average joint per coordinate, before tails and speed.
        jitter_px: Added in quadrature: the limit of image resolution. In mm it grows with depth.
        speed_gain: Added to the standard deviation, per px that the joint moves between frames (blur).
        behind_gain: Joints behind the root by 300 mm or more (self-occluded) jitter ``1 + behind_gain`` times as much.
        memory: Share of the jitter's variance that persists over frames.
        decay: How much of the persisting part carries over to the next frame, 0 to 1.
        tail: Degrees of freedom of Student's t; lower means heavier tails. Drawn per joint and ten frames.
        swap_rate: Left-right swaps of both arms, both legs or all, begun per frame.
        outlier_rate: Gross errors (about 150 mm), begun per joint and frame.
        drop_rate: Losses of a joint, begun per joint and frame.
        run_length: Mean duration of a swap, an outlier and a loss, frames.
        confidence_mm: Error at which the confidence has fallen to 0.6.
    """

    jitter_mm: float = 9.0
    jitter_px: float = 1.0
    speed_gain: float = 0.12
    behind_gain: float = 0.5
    memory: float = 0.7
    decay: float = 0.85
    tail: float = 4.0
    swap_rate: float = 0.001
    outlier_rate: float = 0.0007
    drop_rate: float = 0.001
    run_length: float = 4.0
    confidence_mm: float = 60.0

    @classmethod
    def of_severity(cls, severity: float, **overrides: float) -> DetectorNoise:
        """Scale the size of the jitter and the rate of the faults by ``severity`` >= 0; 0 is an exact detector.

        Raises:
            ValueError: ``severity`` is negative, or an override is not a parameter.
        """
        if severity < 0:
            raise ValueError(f'detector noise severity must not be negative, got {severity}')
        unknown = overrides.keys() - {field.name for field in fields(cls)}
        if unknown:
            raise ValueError(f'unknown detector noise parameters: {", ".join(sorted(unknown))}')
        base = cls(**overrides)
        scaled = ('jitter_mm', 'jitter_px', 'speed_gain', 'swap_rate', 'outlier_rate', 'drop_rate')
        return replace(base, **{name: severity * getattr(base, name) for name in scaled})


class Detections(NamedTuple):
    """(T, K, 2) px, (T, K) confidence in [0, 1], (T, K) 1 = detected, 0 = lost; float32. Lost keypoints lie at (0, 0)."""

    keypoints: np.ndarray
    scores: np.ndarray
    mask: np.ndarray


def _difficulty(skeleton: Skeleton) -> np.ndarray:
    factors = [next((f for part, f in _DIFFICULTY.items() if part in name), 1.0) for name in skeleton.joint_names]
    return np.array(factors, dtype=np.float32)


def _runs(num_frames: int, columns: int, rate: float, length: float, rng: np.random.Generator) -> list[tuple]:
    """Events as (first frame, end, column); runs that began before the first frame reach into it."""
    lead = int(4 * length)
    count = rng.poisson(rate * columns * (num_frames + lead))
    if not count:
        return []
    starts = rng.integers(-lead, num_frames, count)
    ends = starts + rng.geometric(1.0 / length, count)
    wheres = rng.integers(0, columns, count)
    return [(max(s, 0), e, c) for s, e, c in zip(starts, ends, wheres, strict=True) if e > 0]


def _jitter(shape: tuple[int, int], noise: DetectorNoise, rng: np.random.Generator) -> np.ndarray:
    """(T, K, 2) of about unit variance but for the tails: one persisting part, one fresh in every frame."""
    frames, joints = shape
    draws = rng.standard_normal((2, frames, joints * 2), dtype=np.float32)
    innovation = np.sqrt(1 - noise.decay**2)
    draws[0, 0] /= innovation  # so that the process is stationary from its first frame
    persisting = lfilter([innovation], [1, -noise.decay], draws[0], axis=0)
    unit = np.sqrt(noise.memory) * persisting + np.sqrt(1 - noise.memory) * draws[1]
    blocks = -(-frames // 10)
    chi_square = rng.standard_gamma(noise.tail / 2, (blocks, joints), dtype=np.float32) * 2
    spread = np.sqrt(noise.tail / np.maximum(chi_square, 0.05))
    return unit.reshape(frames, joints, 2) * np.repeat(spread, 10, axis=0)[:frames, :, None]


def _swap_sides(
    keypoints: np.ndarray, skeleton: Skeleton, noise: DetectorNoise, rng: np.random.Generator
) -> None:
    pairs = np.array([skeleton.left, skeleton.right])
    half = pairs.shape[1] // 2
    groups = (pairs[:, :half], pairs[:, half:], pairs)
    for start, end, group in _runs(len(keypoints), 3, noise.swap_rate / 3, noise.run_length, rng):
        left, right = groups[group]
        keypoints[start:end, np.r_[left, right]] = keypoints[start:end, np.r_[right, left]]


def simulate_detections(
    keypoints_2d: np.ndarray,
    depth: np.ndarray,
    focal: float,
    img_shape: tuple[int, int],
    skeleton: Skeleton,
    noise: DetectorNoise,
    rng: np.random.Generator,
) -> Detections:
    """Draw the detections of one clip or window.

    Args:
        keypoints_2d: (T, K, 2) exact projections, px.
        depth: (T, K) mm along the optical axis.
        focal: px.
        img_shape: (h, w) px. A joint outside the image is lost.
        skeleton: Of the K joints.
        noise: Strength of the faults.
        rng: Source of the draws.
    """
    frames, joints = depth.shape
    px_per_mm = focal / depth[:, skeleton.root, None]
    speed = np.zeros((frames, joints), dtype=np.float32)
    if frames > 1:
        step = keypoints_2d[1:] - keypoints_2d[:-1]
        speed[1:] = np.sqrt((step * step).sum(-1))
        speed[0] = speed[1]
    behind = np.clip((depth - depth[:, skeleton.root, None]) / 300.0, 0.0, 1.0)
    sigma = np.sqrt((noise.jitter_mm * px_per_mm) ** 2 + noise.jitter_px**2) * _difficulty(skeleton)
    sigma = sigma * (1 + noise.behind_gain * behind) + noise.speed_gain * speed
    found = keypoints_2d + _jitter((frames, joints), noise, rng) * sigma[..., None]
    for start, end, joint in _runs(frames, joints, noise.outlier_rate, noise.run_length, rng):
        found[start:end, joint] += rng.standard_normal(2) * 120.0 * px_per_mm[start:end]

    offset = found - keypoints_2d
    error_mm = np.sqrt((offset * offset).sum(-1)) / px_per_mm
    doubt = rng.random((frames, joints), dtype=np.float32)
    # A detector's confidence follows its error only loosely, and it is as sure of a swapped limb as of any other.
    scores = np.exp(-0.5 * (error_mm / noise.confidence_mm) ** 2) * (1 - 0.15 * doubt * min(noise.jitter_mm, 1.0))
    _swap_sides(found, skeleton, noise, rng)

    height, width = img_shape
    mask = np.ones((frames, joints), dtype=np.float32)
    for start, end, joint in _runs(frames, joints, noise.drop_rate, noise.run_length, rng):
        mask[start:end, joint] = 0
    x, y = keypoints_2d[..., 0], keypoints_2d[..., 1]
    mask[(x < 0) | (x >= width) | (y < 0) | (y >= height)] = 0
    found = np.where(mask[..., None] > 0, found, 0.0)
    scores = np.where(mask > 0, scores, 0.1 * doubt)
    return Detections(found.astype(np.float32), scores.astype(np.float32), mask)
