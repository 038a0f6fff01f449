"""Occlusion of keypoints of parts of the body, as of people who are partly outside the picture."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from posediff.datasets.transforms.occlusion import hide
from posediff.registry import TRANSFORMS
from posediff.structures.argument_checks import require_finite, require_one_of
from posediff.structures.skeletons import Skeleton, get_skeleton

_FEET = ('foot', 'ankle')
_LEGS = ('knee', *_FEET)
_ARMS = ('elbow', 'wrist')
_BOTH = ('left', 'right')

BODY_PARTS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    'feet': (_BOTH, _FEET),
    'legs': (_BOTH, _LEGS),
    'lower_body': (_BOTH, ('hip', *_LEGS)),
    'below_shoulders': (_BOTH, ('hip', *_LEGS, *_ARMS)),
    'left_side': (('left',), ('shoulder', 'hip', *_LEGS, *_ARMS)),
    'right_side': (('right',), ('shoulder', 'hip', *_LEGS, *_ARMS)),
}
"""Sides and joints of each part. ``legs`` leaves head, arms and hips, as most webcams film people."""

_MIDDLE = {'root': ('hip',), 'spine': ('hip', 'shoulder'), 'thorax': ('shoulder',), 'neck_base': ('shoulder',)}
"""Joints that detectors' keypoints do not have: they are between hips or shoulders and are hidden with one of them."""


def body_part_joints(part: str, skeleton: Skeleton) -> list[int]:
    """Return the joints of a skeleton that are hidden with a part of the body.

    Args:
        part: A key of :data:`BODY_PARTS`.
        skeleton: The skeleton.

    Raises:
        ValueError: The skeleton has no joint of this part.
    """
    sides, kinds = BODY_PARTS[part]
    names = {f'{side}_{kind}' for side in sides for kind in kinds}
    joints = [index for index, name in enumerate(skeleton.joint_names) if name in names]
    if not joints:
        raise ValueError(f'skeleton {skeleton.name!r} has no joints of the part {part!r} to hide')
    middle = {name for name, between in _MIDDLE.items() if set(between) & set(kinds)}
    return joints + [index for index, name in enumerate(skeleton.joint_names) if name in middle]


@TRANSFORMS.register_module()
class BodyPartOcclusion:
    """Hide a part of the body, as when it is outside the picture: in all frames, or before or after a random one.

    Hidden joints get ``keypoint_mask`` 0, score 0 and coordinates (0, 0), as with
    :class:`posediff.datasets.transforms.occlusion.KeypointOcclusion`. Not in a paper.

    Args:
        prob: Probability that a part is hidden.
        parts: Relative weight of each part to draw, by a key of :data:`BODY_PARTS`; None: legs 4, all others 1.
        partial: Probability that the part is hidden only before or only after a random frame.

    Raises:
        ValueError: A probability is outside [0, 1], a part is unknown, or no weight is positive.
    """

    def __init__(self, prob: float = 0.3, parts: Mapping[str, float] | None = None, partial: float = 0.2) -> None:
        owner = type(self).__name__
        require_finite(owner, {'prob': prob, 'partial': partial})
        for name, value in (('prob', prob), ('partial', partial)):
            if not 0 <= value <= 1:
                raise ValueError(f'{owner}: {name} must lie in [0, 1], got {value}')
        if parts is not None and not isinstance(parts, Mapping):
            raise ValueError(f'{owner}: parts must give a weight to each part, such as {{"legs": 1.0}}, got {parts!r}')
        chosen = {part: 4.0 if part == 'legs' else 1.0 for part in BODY_PARTS} if parts is None else dict(parts)
        for part, weight in chosen.items():
            require_one_of(owner, 'parts', part, tuple(BODY_PARTS))
            require_finite(owner, {f'parts[{part!r}]': weight})
        weights = np.array(list(chosen.values()), float)
        if not len(weights) or weights.min() < 0 or weights.sum() == 0:
            raise ValueError(f'{owner}: parts must have weights of at least 0 and one above 0, got {chosen}')
        self.prob, self.partial = prob, partial
        self.names = tuple(chosen)
        self.weights = weights / weights.sum()

    def __call__(self, results: dict[str, Any]) -> dict[str, Any]:
        rng = results['rng']
        if rng.uniform() >= self.prob:
            return results
        part = self.names[int(rng.choice(len(self.names), p=self.weights))]
        frames = len(results['keypoints_2d'])
        first, last = 0, frames
        if frames > 1 and rng.uniform() < self.partial:
            border = int(rng.integers(1, frames))
            first, last = (border, frames) if rng.uniform() < 0.5 else (0, border)
        mask = np.ones((frames, get_skeleton(results['skeleton']).num_joints), np.float32)
        mask[first:last, body_part_joints(part, get_skeleton(results['skeleton']))] = 0
        return hide(results, mask)
