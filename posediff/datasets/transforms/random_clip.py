"""Base of random transforms of the frames of a clip."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from posediff.structures.argument_checks import require_finite


class RandomClipTransform:
    """Change the frames in ``img`` with a probability; ``img`` is a list of frames as of ``LoadClip``, or one image.

    Random values are drawn from numpy's global generator, as in MMPose's transforms; clip datasets seed it per item.
    ``img`` gets new arrays: the frames of a clip may share one. Where :attr:`keeps_border` is true, pixels that are 0
    in all frames stay 0: ``TopdownAffine`` fills what is outside of the picture with 0, in test too.

    Args:
        prob: Probability, in [0, 1].

    Raises:
        ValueError: An argument is out of range.
    """

    keeps_border = True

    def __init__(self, prob: float) -> None:
        require_finite(type(self).__name__, {'prob': prob}, least=0, most=1)
        self.prob = prob

    def __call__(self, results: dict[str, Any]) -> dict[str, Any]:
        if np.random.rand() >= self.prob:
            return results
        single = isinstance(results['img'], np.ndarray)
        frames = [results['img']] if single else list(results['img'])
        changed = self.change(frames, results)
        if self.keeps_border:
            changed = masked(changed, inside_picture(frames))
        results['img'] = changed[0] if single else changed
        return results

    def change(self, frames: list[np.ndarray], results: dict[str, Any]) -> list[np.ndarray]:
        """Return the changed frames, as new arrays.

        Args:
            frames: T frames (H, W, 3) uint8 in OpenCV's channel order, of one size.
            results: Of the pipeline; the labels may be changed in it.
        """
        raise NotImplementedError

    def interval(self, name: str, values: Sequence[float], least: float, most: float) -> tuple[float, float]:
        """Check an argument (low, high) with ``least`` <= low <= high <= ``most``, and return it as a tuple."""
        owner = type(self).__name__
        if isinstance(values, str) or not isinstance(values, Sequence) or len(values) != 2:
            raise ValueError(f'{owner}: {name} must be two numbers (low, high), got {values!r}')
        low, high = values
        require_finite(owner, {f'{name}[0]': low, f'{name}[1]': high}, least, most)
        if low > high:
            raise ValueError(f'{owner}: {name} must be (low, high), got {values!r}')
        return low, high


def inside_picture(frames: Sequence[np.ndarray]) -> np.ndarray:
    """Return (H, W) uint8: 0 where a pixel is 0 in all frames, else 255."""
    import cv2  # imported here because lifting runs without OpenCV

    union = frames[0]
    for frame in frames[1:]:
        union = cv2.bitwise_or(union, frame)
    return cv2.bitwise_not(cv2.inRange(union, (0, 0, 0), (0, 0, 0)))


def masked(frames: Sequence[np.ndarray], mask: np.ndarray) -> list[np.ndarray]:
    """Return the frames with 0 where ``mask`` (H, W) uint8 is 0."""
    import cv2

    return [cv2.bitwise_and(frame, frame, mask=mask) for frame in frames]
