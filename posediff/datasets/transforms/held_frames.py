"""Windows that reach beyond the ends of a clip."""

from __future__ import annotations

from typing import Any

import numpy as np

from posediff.registry import TRANSFORMS
from posediff.structures.argument_checks import require_finite


@TRANSFORMS.register_module()
class HeldFrames:
    """Repeat the first or the last frame of the motion at an end of the window, as in windows of short clips.

    A clip that is shorter than a window is lifted with its last frame repeated, and a live stream with its first. A
    network that has not seen frames without motion gives poor poses for them. Not in a paper.

    Args:
        prob: Probability that frames are repeated at one end, drawn for each window.
        most: Largest share of the window's frames that are repeated, in (0, 1).

    Raises:
        ValueError: An argument is out of range.
    """

    def __init__(self, prob: float = 0.1, most: float = 0.8) -> None:
        owner = type(self).__name__
        require_finite(owner, {'prob': prob, 'most': most}, 0, 1)
        if not 0 < most < 1:
            raise ValueError(f'{owner}: most must be between 0 and 1, got {most}')
        self.prob, self.most = prob, most

    def __call__(self, results: dict[str, Any]) -> dict[str, Any]:
        rng, frames = results['rng'], len(results['keypoints_2d'])
        if rng.uniform() >= self.prob:
            return results
        moving = frames - int(rng.integers(0, int(self.most * frames) + 1))
        first = frames - moving if rng.uniform() < 0.5 else 0
        places = np.clip(np.arange(frames), first, first + moving - 1)
        for name in ('joints_3d', 'keypoints_2d', 'keypoint_scores', 'keypoint_mask'):
            results[name] = results[name][places]
        return results
