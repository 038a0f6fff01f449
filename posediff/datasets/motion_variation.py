"""Random changes of recorded motion for training: proportions of the body, speed, legs of another motion, tilt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from posediff.structures.argument_checks import require_finite
from posediff.structures.skeletons import Skeleton

_GROUPS = ('hip', 'knee', 'foot', 'torso', 'head', 'shoulder', 'elbow', 'wrist')
_GROUP_OF = {'ankle': 'foot', 'spine': 'torso', 'thorax': 'torso', 'neck_base': 'head'}


@dataclass(frozen=True)
class MotionVariation:
    """Random changes of a motion, the same in all frames of a window.

    Recordings have few subjects, and a lifter that is trained on them alone overfits to their bodies and speeds.

    Attributes:
        segment_std: Standard deviation of the logarithm of the factors on the lengths of segments. The segments from
            the root to the hips, thighs, shanks, torso, neck and head, shoulders, upper arms and forearms have a factor
            each, left and right the same one; the whole body has another. 0: bodies as recorded.
        speed: Range of the factor on the speed, whose logarithm is uniform.
        crossover: Probability that trunk, arms and head are those of another recording
            (:func:`posediff.datasets.crossover.crossover`).
        tilt: Probability that the body is rotated in all frames by a uniform angle about a uniform horizontal axis
            through the root, as people are who lie, dive or turn over.

    Raises:
        ValueError: ``segment_std`` is negative, a probability is outside [0, 1], or the range is not one of positive
            numbers.
    """

    segment_std: float = 0.0
    speed: Sequence[float] = (1.0, 1.0)
    crossover: float = 0.0
    tilt: float = 0.0

    def __post_init__(self) -> None:
        owner = type(self).__name__
        require_finite(owner, {'segment_std': self.segment_std})
        if self.segment_std < 0:
            raise ValueError(f'{owner}: segment_std must not be negative, got {self.segment_std}')
        require_finite(owner, {'crossover': self.crossover, 'tilt': self.tilt}, 0, 1)
        if not isinstance(self.speed, Sequence) or len(self.speed) != 2:
            raise ValueError(f'{owner}: speed must be a range of two factors, got {self.speed!r}')
        low, high = self.speed
        require_finite(owner, {'speed[0]': low, 'speed[1]': high})
        if not 0 < low <= high:
            raise ValueError(f'{owner}: speed must be an ascending range of positive factors, got {self.speed!r}')

    def times(self, frame_indices: np.ndarray, num_frames: int, rng: np.random.Generator) -> np.ndarray:
        """Return the times of a window that is played at another speed.

        Args:
            frame_indices: (T,) ascending indices of frames.
            num_frames: F of the recording.
            rng: Random generator.

        Returns:
            (T,) float64, frame numbers between 0 and F - 1. The window begins where it did, or earlier if it would
            reach beyond the end.
        """
        low, high = self.speed
        if low == high == 1:
            return np.asarray(frame_indices, np.float64)
        factor = np.exp(rng.uniform(np.log(low), np.log(high)))
        times = frame_indices[0] + (frame_indices - frame_indices[0]) * factor
        times = times - max(times[-1] - (num_frames - 1), 0)
        return np.clip(times, 0, num_frames - 1)

    def draws_crossover(self, rng: np.random.Generator) -> bool:
        """Draw whether the upper body is that of another recording; without ``crossover``, nothing is drawn."""
        return self.crossover > 0 and bool(rng.uniform() < self.crossover)

    def turn_over(self, joints: np.ndarray, skeleton: Skeleton, rng: np.random.Generator) -> np.ndarray:
        """Return joints (T, K, 3), z up, tilted as drawn; the lowest joint keeps its height."""
        if not (self.tilt > 0 and rng.uniform() < self.tilt):
            return joints
        azimuth, angle = rng.uniform(0, 2 * np.pi, 2)
        axis = angle * np.array([np.cos(azimuth), np.sin(azimuth), 0])
        root = joints[:, [skeleton.root]]
        turned = root + (joints - root) @ Rotation.from_rotvec(axis).as_matrix().T.astype(joints.dtype)
        turned[..., 2] += joints[..., 2].min() - turned[..., 2].min()
        return turned

    def change_body(self, joints: np.ndarray, skeleton: Skeleton, rng: np.random.Generator) -> np.ndarray:
        """Return joints (T, K, 3) of another body whose segments have the same directions.

        The path of the root over the floor is scaled by the length of the legs, so that feet on the floor slide little;
        they do slide if the factors of thighs and shanks differ. The lowest joint keeps its height.

        Args:
            joints: (T, K, 3), z up.
            skeleton: Skeleton of the K joints; those of its segments' names without a side (``spine``, ``head``, …)
                and of the limbs.
            rng: Random generator.

        Raises:
            ValueError: A joint of the skeleton is of no known segment.
        """
        if self.segment_std == 0:
            return joints
        whole, *factors = np.exp(rng.normal(0, self.segment_std, 1 + len(_GROUPS)))
        changed = joints.copy()
        legs = whole * np.mean([factors[_GROUPS.index(part)] for part in ('knee', 'foot')])
        root = joints[:, skeleton.root]
        changed[:, skeleton.root] = root + (root - root.mean(0)) * joints.dtype.type(legs - 1)
        for child in _from_the_root(skeleton):
            parent = skeleton.parents[child]
            factor = whole * factors[_group(skeleton, child)]
            changed[:, child] = changed[:, parent] + (joints[:, child] - joints[:, parent]) * joints.dtype.type(factor)
        changed[..., 2] += joints[..., 2].min() - changed[..., 2].min()
        return changed


def at_times(joints: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Interpolate joints (F, K, 3) linearly at times (T,), frame numbers from 0 to F - 1."""
    before = np.minimum(times.astype(int), max(len(joints) - 2, 0))
    share = (times - before).astype(joints.dtype)[:, None, None]
    return joints[before] * (1 - share) + joints[np.minimum(before + 1, len(joints) - 1)] * share


def _from_the_root(skeleton: Skeleton) -> list[int]:
    """Return all joints but the root, parents first."""
    order = [skeleton.root]
    for joint in order:
        order += [child for child, parent in enumerate(skeleton.parents) if parent == joint]
    return order[1:]


def _group(skeleton: Skeleton, joint: int) -> int:
    name = skeleton.joint_names[joint]
    kind = name.removeprefix('left_').removeprefix('right_')
    kind = _GROUP_OF.get(kind, kind)
    if kind not in _GROUPS:
        raise ValueError(f'joint {name} of skeleton {skeleton.name} is of no segment whose length can change')
    return _GROUPS.index(kind)
