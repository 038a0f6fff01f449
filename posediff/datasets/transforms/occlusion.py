"""Simulated occlusion of keypoints."""

from __future__ import annotations

from typing import Any

import numpy as np

from posediff.registry import TRANSFORMS
from posediff.structures.skeletons import Skeleton, get_skeleton

# Pattern (the official code's config name) and default rate of occluded keypoints or frames.
OCCLUSION_RATES = {
    'none': 0.0,
    'random': 0.2,
    'random_left_arm_right_leg': 0.4,
    'structured_joint': 0.4,
    'structured_frame': 0.2,
}
PATTERNS = (*OCCLUSION_RATES, 'all')

_LEG = ('hip', 'knee', 'foot', 'ankle')
_ARM = ('shoulder', 'elbow', 'wrist')


def _limb(skeleton: Skeleton, side: str, parts: tuple[str, ...]) -> list[int]:
    wanted = [f'{side}_{part}' for part in parts]
    joints = [index for index, name in enumerate(skeleton.joint_names) if name in wanted]
    if not joints:
        raise ValueError(f'skeleton {skeleton.name!r} has none of {", ".join(wanted)} to occlude')
    return joints


def occlusion_mask(
    pattern: str,
    rate: float | None,
    num_frames: int,
    skeleton: Skeleton,
    rng: np.random.Generator | np.random.RandomState,
    *,
    counts: str = 'exact',
    cover_last_frame: bool = False,
) -> np.ndarray:
    """Sample an occlusion mask of DiffHPE (arXiv:2309.01575, Section 5.2).

    Occluded joints of each ``pattern``, with the paper's name:

    * ``none``: nothing ("no occlusion"; ``no_miss`` in the official code).
    * ``random`` ("random"): every keypoint with probability ``rate``.
    * ``random_left_arm_right_leg`` ("random leg and arm"): left arm with shoulder and right leg with hip, in a fraction
      ``rate`` of the frames.
    * ``structured_joint`` ("consecutive leg"): right leg with hip, in consecutive frames.
    * ``structured_frame`` ("consecutive frames"): all keypoints, in consecutive frames.
    * ``all`` (not in the paper): one of the above, including ``none``, with equal probability.

    With ``np.random.RandomState(seed)`` and the defaults the masks equal the official code's.

    Args:
        pattern: See above.
        rate: Fraction of occluded keypoints or frames, in [0, 1]; None uses :data:`OCCLUSION_RATES`: 0.2, 0.4, 0.4 and
            0.2 for ``random`` to ``structured_frame``.
        num_frames: T.
        skeleton: Skeleton of the K joints.
        rng: Random generator.
        counts: For arm and leg, ``'exact'`` occludes ``floor(rate * T)`` distinct frames as in the official code,
            ``'bernoulli'`` each frame with probability ``rate`` as in the paper.
        cover_last_frame: Allow consecutive frames to reach the end of the window. The official code never includes the
            last frame.

    Returns:
        (T, K) float32, 1 = observed, 0 = occluded.

    Raises:
        ValueError: ``pattern`` or ``counts`` is unknown, or ``rate`` is out of range.
    """
    if pattern not in PATTERNS:
        raise ValueError(f'unknown occlusion pattern {pattern!r}; known: {", ".join(PATTERNS)}')
    if counts not in ('exact', 'bernoulli'):
        raise ValueError(f"counts must be 'exact' or 'bernoulli', got {counts!r}")
    if rate is not None and not 0 <= rate <= 1:
        raise ValueError(f'occlusion rate must lie in [0, 1], got {rate}')
    if pattern == 'all':
        pattern = list(OCCLUSION_RATES)[int(rng.choice(len(OCCLUSION_RATES)))]
    rate = OCCLUSION_RATES[pattern] if rate is None else rate
    mask = np.ones((num_frames, skeleton.num_joints), dtype=np.float32)
    if pattern == 'none':
        return mask
    if pattern == 'random':
        return (rng.uniform(size=mask.shape) > rate).astype(np.float32)
    length = int(rate * num_frames)
    if pattern == 'random_left_arm_right_leg':
        limbs = [*_limb(skeleton, 'right', _LEG), *_limb(skeleton, 'left', _ARM)]
        if counts == 'exact':
            frames = rng.choice(num_frames, length, replace=False)
        else:
            frames = np.flatnonzero(rng.uniform(size=num_frames) < rate)
        mask[frames[:, None], limbs] = 0
        return mask
    starts = num_frames - length + cover_last_frame
    start = int(rng.choice(starts, size=1, replace=False)[0]) if starts > 1 else 0
    joints = _limb(skeleton, 'right', _LEG) if pattern == 'structured_joint' else slice(None)
    mask[start : start + length, joints] = 0
    return mask


def hide(results: dict[str, Any], mask: np.ndarray) -> dict[str, Any]:
    """Hide the keypoints of a window where a mask (T, K) is 0, in addition to those that are hidden already."""
    results['keypoint_mask'] = results['keypoint_mask'] * mask
    results['keypoint_scores'] = results['keypoint_scores'] * mask
    results['keypoints_2d'] = results['keypoints_2d'] * mask[..., None]
    return results


@TRANSFORMS.register_module()
class KeypointOcclusion:
    """Occlude keypoints of a window; see :func:`occlusion_mask` for the arguments.

    Occluded keypoints get ``keypoint_mask`` 0, score 0 and coordinates (0, 0). In test the mask depends only on the
    dataset's seed and the ``sample_id``.
    """

    def __init__(
        self, pattern: str = 'random', rate: float | None = None, counts: str = 'exact', cover_last_frame: bool = False
    ) -> None:
        self.pattern = pattern
        self.rate = rate
        self.counts = counts
        self.cover_last_frame = cover_last_frame
        # Invalid arguments raise when the pipeline is built, not at the first item.
        self._draw(1, get_skeleton('h36m17'), np.random.default_rng(0))

    def _draw(self, num_frames: int, skeleton: Skeleton, rng: np.random.Generator) -> np.ndarray:
        return occlusion_mask(
            self.pattern,
            self.rate,
            num_frames,
            skeleton,
            rng,
            counts=self.counts,
            cover_last_frame=self.cover_last_frame,
        )

    def __call__(self, results: dict[str, Any]) -> dict[str, Any]:
        mask = self._draw(len(results['keypoints_2d']), get_skeleton(results['skeleton']), results['rng'])
        return hide(results, mask)
