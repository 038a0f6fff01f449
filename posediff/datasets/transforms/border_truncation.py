"""People who are cut by the border of the picture."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np

from posediff.datasets.transforms.random_clip import RandomClipTransform, masked
from posediff.registry import TRANSFORMS
from posediff.structures.argument_checks import require_one_of, require_whole

# Outward direction (x, y) of each border of the picture.
SIDES = {'left': (-1, 0), 'right': (1, 0), 'top': (0, -1), 'bottom': (0, 1)}


@TRANSFORMS.register_module()
class RandomBorderTruncation(RandomClipTransform):
    """Move a border of the picture into the crop, at the same place in all frames; runs after ``TopdownAffine``.

    Beyond the new border pixels are 0, with which ``TopdownAffine`` fills what is outside of the picture. The border is
    parallel to the picture's, so it is tilted in a crop that is turned.

    Joints beyond it get ``keypoints_visible`` 0. MMPose's codecs copy that to the weight of the label, and give
    the weight 0 by themselves only if a joint's whole Gaussian is outside of the crop. Coordinates do not change.

    Args:
        prob: Probability, in [0, 1].
        fraction: Range of the part of the crop that is cut, as a share of its extent across the border, in [0, 0.99].
        sides: Borders to draw from: some of ``left``, ``right``, ``top`` and ``bottom``.
        min_keypoints: Nothing is cut if fewer annotated joints would remain.

    Raises:
        ValueError: An argument is out of range.
    """

    keeps_border = False  # the filled pixels stay 0, and so do the cut ones

    def __init__(
        self,
        prob: float = 0.2,
        fraction: Sequence[float] = (0.05, 0.45),
        sides: Collection[str] = ('left', 'right', 'top', 'bottom'),
        min_keypoints: int = 4,
    ) -> None:
        super().__init__(prob)
        owner = type(self).__name__
        self.fraction = self.interval('fraction', fraction, 0, 0.99)
        if isinstance(sides, str) or not sides:
            raise ValueError(f'{owner}: sides must be a list of {", ".join(SIDES)}, got {sides!r}')
        for side in sides:
            require_one_of(owner, 'sides', side, SIDES)
        require_whole(owner, {'min_keypoints': min_keypoints}, least=0)
        self.sides = tuple(sides)
        self.min_keypoints = min_keypoints

    def change(self, frames: list[np.ndarray], results: dict[str, Any]) -> list[np.ndarray]:
        side = SIDES[self.sides[np.random.randint(len(self.sides))]]
        fraction = np.random.uniform(*self.fraction)
        x, y = picture_direction(results, side)
        height, width = frames[0].shape[:2]
        across = x * np.arange(width) + y * np.arange(height)[:, None]
        # Pixels reach half a pixel to every side of their centres.
        low, high = across.min() - 0.5, across.max() + 0.5
        border = high - fraction * (high - low)
        cut = across > border
        joints = results['transformed_keypoints'][..., :2]
        # Joints lie between pixels: one whose nearest pixel is cut is beyond the border.
        nearest = np.rint(joints)
        beyond = nearest @ np.array([x, y]) > border
        visible = results['keypoints_visible'].copy()
        visible[beyond] = 0
        labelled = visible[..., 0] if visible.ndim == 3 else visible
        if (labelled > 0).sum() < self.min_keypoints:
            return frames
        results['keypoints_visible'] = visible
        return masked(frames, np.where(cut, 0, 255).astype(np.uint8))


def picture_direction(results: dict[str, Any], direction: tuple[float, float]) -> np.ndarray:
    """Return where a direction of the picture points to in the crop: (2,) float64 of the same length.

    The turn is that between ``keypoints`` and ``transformed_keypoints``, because ``bbox_rotation`` has opposite signs
    with and without ``use_udp``.
    """
    before, after = (
        results[name][0, :, 0] + 1j * results[name][0, :, 1] for name in ('keypoints', 'transformed_keypoints')
    )
    turn = np.vdot(before - before.mean(), after - after.mean())
    turned = complex(*direction) * (turn / abs(turn) if abs(turn) > 0 else 1)
    return np.array([turned.real, turned.imag])
