"""Simulated errors of a 2D keypoint detector on exact projections."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields, replace
from functools import cache
from numbers import Real
from typing import NamedTuple

import numpy as np

from posediff.structures.skeletons import Skeleton

# Factor of the jitter, relative to an average joint, by part of the joint's name; 1 for other joints.
_DIFFICULTY = {
    'wrist': 1.5,
    'foot': 1.3,
    'elbow': 1.2,
    'root': 0.7,
    'spine': 0.8,
    'thorax': 0.7,
}

OUTLIER_MM = 120.0  # standard deviation of a gross error per coordinate

# Ranges other than [0, inf). A stationary process needs decay < 1.
_RANGES = {
    'memory': (0.0, 1.0),
    'decay': (0.0, 0.9999),
    'tail': (0.1, math.inf),
    'run_length': (1.0, math.inf),
    'confidence_mm': (1e-3, math.inf),
}


@dataclass(frozen=True)
class DetectorNoise:
    """Parameters of the noise. The defaults give about the mean error of a fine-tuned CPN on an H36M-like view.

    Lengths are mm at the person's distance, because a detector works on a crop scaled to the person.

    Attributes:
        jitter_mm: Standard deviation per coordinate of an average joint, before tails and speed.
        jitter_px: Added in quadrature: the limit of image resolution. In mm it grows with depth.
        speed_gain: Increase of the standard deviation, in px, per px of joint motion between frames (motion blur).
        behind_gain: Jitter of joints 300 mm or more behind the root (self-occluded) is ``1 + behind_gain`` times as
            large.
        memory: Fraction of the jitter's variance that is correlated over frames.
        decay: Frame-to-frame correlation of that fraction, 0 to 1.
        tail: Degrees of freedom of Student's t; lower means heavier tails. Drawn per joint and ten frames.
        swap_rate: Onsets per frame of a left-right swap of both arms, both legs or all.
        outlier_rate: Onsets per joint and frame of a gross error (about 150 mm).
        drop_rate: Onsets per joint and frame of a missing joint.
        run_length: Mean duration of a swap, an outlier and a missing joint, frames.
        confidence_mm: Error at which the confidence has dropped to about 0.6.
    """

    jitter_mm: float = 11.0
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

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            least, most = _RANGES.get(name, (0.0, math.inf))
            if not (isinstance(value, Real) and math.isfinite(value) and least <= float(value) <= most):
                limits = f'at least {least:g}' if most == math.inf else f'between {least:g} and {most:g}'
                raise ValueError(f'detector noise {name} must be {limits}, got {value!r}')

    @classmethod
    def of_severity(cls, severity: float, **overrides: float) -> DetectorNoise:
        """Return the default parameters with jitter and error rates multiplied by ``severity``; 0 is an exact detector.

        Args:
            severity: Factor, at least 0.
            overrides: Parameters that replace the defaults before they are multiplied.

        Raises:
            ValueError: ``severity`` is negative or not finite, or an override is not a parameter or out of range.
        """
        if not (isinstance(severity, Real) and math.isfinite(severity) and severity >= 0):
            raise ValueError(f'detector noise severity must be finite and must not be negative, got {severity!r}')
        unknown = overrides.keys() - {field.name for field in fields(cls)}
        if unknown:
            raise ValueError(f'unknown detector noise parameters: {", ".join(sorted(unknown))}')
        base = cls(**overrides)
        scaled = ('jitter_mm', 'jitter_px', 'speed_gain', 'swap_rate', 'outlier_rate', 'drop_rate')
        return replace(base, **{name: severity * getattr(base, name) for name in scaled})


class SimulatedDetections(NamedTuple):
    """Keypoints (T, K, 2) px, scores (T, K) in [0, 1], mask (T, K) 1 = detected. Missing joints are at (0, 0)."""

    keypoints: np.ndarray
    scores: np.ndarray
    mask: np.ndarray


@cache
def _difficulty(skeleton: Skeleton) -> np.ndarray:
    factors = [next((f for part, f in _DIFFICULTY.items() if part in name), 1.0) for name in skeleton.joint_names]
    return np.array(factors, dtype=np.float32)


def _runs(num_frames: int, columns: int, rate: float, length: float, rng: np.random.Generator) -> list[tuple]:
    """Sample events as (first frame, end, column), including events that began before the first frame.

    Args:
        num_frames: Number of frames.
        columns: Number of columns, e.g. joints.
        rate: Onsets per column and frame.
        length: Mean duration, frames.
        rng: Random generator.
    """
    lead = int(4 * length)
    count = rng.poisson(rate * columns * (num_frames + lead))
    if not count:
        return []
    starts = rng.integers(-lead, num_frames, count)
    ends = starts + rng.geometric(1.0 / length, count)
    wheres = rng.integers(0, columns, count)
    return [(max(s, 0), e, c) for s, e, c in zip(starts, ends, wheres, strict=True) if e > 0]


def _jitter(shape: tuple[int, int], noise: DetectorNoise, rng: np.random.Generator) -> np.ndarray:
    """Return noise (T, K, 2) of about unit variance except for the tails: one correlated part, one white part."""
    frames, joints = shape
    draws = rng.standard_normal((2, frames, joints * 2), dtype=np.float32)
    innovation = math.sqrt(1 - noise.decay**2)
    draws[0, 0] /= innovation  # makes the process stationary from its first frame
    coefficients = np.array([[innovation, 0.0], [1.0, -noise.decay]], dtype=np.float32)
    from scipy.signal import lfilter  # here: it takes half a second to import

    unit = lfilter(*coefficients, draws[0], axis=0)
    unit *= math.sqrt(noise.memory)
    unit += draws[1] * math.sqrt(1 - noise.memory)
    blocks = -(-frames // 10)
    chi_square = rng.standard_gamma(noise.tail / 2, (blocks, joints), dtype=np.float32) * 2
    spread = np.sqrt(noise.tail / np.maximum(chi_square, 0.05))
    return unit.reshape(frames, joints, 2) * np.repeat(spread, 10, axis=0)[:frames, :, None]


def _swap_sides(keypoints: np.ndarray, skeleton: Skeleton, noise: DetectorNoise, rng: np.random.Generator) -> None:
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
) -> SimulatedDetections:
    """Simulate the detections of one clip or window.

    Args:
        keypoints_2d: (T, K, 2) exact projections, px.
        depth: (T, K) mm along the optical axis.
        focal: Focal length, px.
        img_shape: (h, w) px. Joints outside the image are missing.
        skeleton: Skeleton of the K joints.
        noise: Parameters of the noise.
        rng: Random generator.
    """
    frames, joints = depth.shape
    exact = keypoints_2d.astype(np.float32)
    depth = depth.astype(np.float32)
    root_depth = depth[:, skeleton.root, None]
    px_per_mm = np.float32(focal) / root_depth
    sigma = np.sqrt((noise.jitter_mm * px_per_mm) ** 2 + noise.jitter_px**2) * _difficulty(skeleton)
    sigma *= 1 + noise.behind_gain * np.clip((depth - root_depth) / 300, 0, 1)
    if frames > 1:
        speed = noise.speed_gain * _length(exact[1:] - exact[:-1])
        sigma[1:] += speed
        sigma[0] += speed[0]
    offset = _jitter((frames, joints), noise, rng)
    offset *= sigma[..., None]
    for start, end, joint in _runs(frames, joints, noise.outlier_rate, noise.run_length, rng):
        offset[start:end, joint] += rng.standard_normal(2) * OUTLIER_MM * px_per_mm[start:end]

    # Confidence correlates weakly with the error and does not drop for swapped limbs.
    doubt = rng.random((frames, joints), dtype=np.float32)
    felt_mm = _length(offset) / px_per_mm * (0.4 + 1.2 * doubt)
    scores = np.exp(-0.5 * (felt_mm / noise.confidence_mm) ** 2) * (1 - 0.2 * doubt)
    found = exact + offset
    _swap_sides(found, skeleton, noise, rng)

    limits = np.array([img_shape[1], img_shape[0]], dtype=np.float32)
    seen: np.ndarray = np.all((exact >= 0) & (exact < limits), axis=-1)
    for start, end, joint in _runs(frames, joints, noise.drop_rate, noise.run_length, rng):
        seen[start:end, joint] = False
    lost = ~seen
    if lost.any():
        found[lost] = 0
        scores[lost] = 0.1 * doubt[lost]
    return SimulatedDetections(found, scores, seen.astype(np.float32))


def _length(vectors: np.ndarray) -> np.ndarray:
    return np.sqrt(np.einsum('...d,...d->...', vectors, vectors))
