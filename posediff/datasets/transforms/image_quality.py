"""Colour and quality of a clip: brightness, blur, resolution, noise and compression of real footage.

The labels do not change. For small crops, after ``TopdownAffine``; in the order of a camera and its file:
``ClipPhotometricDistortion``, ``ClipBlur``, ``ClipDownscale``, ``ClipNoise``, ``ClipJpeg``. Blur and low resolution
darken the pixels next to what is outside of the picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from statistics import NormalDist
from typing import Any

import numpy as np

from posediff.datasets.transforms.random_clip import RandomClipTransform, inside_picture
from posediff.registry import TRANSFORMS
from posediff.structures.argument_checks import require_finite

# Of Rec. 601, in OpenCV's channel order.
LUMA = np.array([0.114, 0.587, 0.299])
# Blue, green, red → luma and the two chroma axes I and Q, in which a turn changes the hue and nothing else.
_YIQ = np.array([LUMA, [-0.3213, -0.2744, 0.5957], [0.3111, -0.5227, 0.2115]])


@TRANSFORMS.register_module()
class ClipPhotometricDistortion(RandomClipTransform):
    """Change brightness, contrast, saturation and hue, or remove the colour; the same for all frames and pixels.

    All factors are drawn uniformly and joined to one affine map of the three channels.

    Args:
        prob: Probability, in [0, 1].
        brightness: Range of the factor of all values, in [0, 4]; 1 changes nothing.
        contrast: Range of the factor of the distance to the middle frame's mean luma, in [0, 4].
        saturation: Range of the factor of the distance to a pixel's luma, in [0, 4].
        hue: Range of the turn of the hue in degrees, in [-180, 180].
        gray_prob: Probability of no colour, in [0, 1], once the transform is applied.

    Raises:
        ValueError: An argument is out of range.
    """

    def __init__(
        self,
        prob: float = 0.8,
        brightness: Sequence[float] = (0.6, 1.4),
        contrast: Sequence[float] = (0.6, 1.4),
        saturation: Sequence[float] = (0.5, 1.5),
        hue: Sequence[float] = (-15, 15),
        gray_prob: float = 0.1,
    ) -> None:
        super().__init__(prob)
        self.brightness = self.interval('brightness', brightness, 0, 4)
        self.contrast = self.interval('contrast', contrast, 0, 4)
        self.saturation = self.interval('saturation', saturation, 0, 4)
        self.hue = self.interval('hue', hue, -180, 180)
        require_finite(type(self).__name__, {'gray_prob': gray_prob}, least=0, most=1)
        self.gray_prob = gray_prob

    def change(self, frames: list[np.ndarray], results: dict[str, Any]) -> list[np.ndarray]:
        import cv2

        brightness, contrast, saturation, hue = (
            np.random.uniform(*values) for values in (self.brightness, self.contrast, self.saturation, self.hue)
        )
        if np.random.rand() < self.gray_prob:
            saturation = 0.0
        middle = frames[len(frames) // 2]
        mean = LUMA @ cv2.mean(middle, inside_picture([middle]))[:3]
        scale = brightness * contrast * chroma_matrix(saturation, np.deg2rad(hue))
        shift = np.full((3, 1), brightness * (1 - contrast) * mean)
        matrix = np.hstack([scale, shift])
        return [cv2.transform(frame, matrix) for frame in frames]


def chroma_matrix(saturation: float, turn: float) -> np.ndarray:
    """Return (3, 3) float64 that scales and turns the chroma of a pixel (blue, green, red) and keeps its luma.

    Args:
        saturation: Factor of the chroma.
        turn: Turn of the hue in radians.
    """
    cosine, sine = saturation * np.cos(turn), saturation * np.sin(turn)
    turned = np.array([[1, 0, 0], [0, cosine, -sine], [0, sine, cosine]])
    return np.linalg.inv(_YIQ) @ turned @ _YIQ


@TRANSFORMS.register_module()
class ClipBlur(RandomClipTransform):
    """Blur all frames with one kernel: a Gaussian (out of focus) or a straight line (motion of the camera).

    Kernels are symmetric: they move no joint.

    Args:
        prob: Probability, in [0, 1].
        sigma: Range of the Gaussian's standard deviation in px, in [0.1, 20].
        motion_prob: Probability of a line instead of a Gaussian, in [0, 1].
        motion_length: Range of the line's length in px, in [1, 50].

    Raises:
        ValueError: An argument is out of range.
    """

    def __init__(
        self,
        prob: float = 0.2,
        sigma: Sequence[float] = (0.4, 1.5),
        motion_prob: float = 0.5,
        motion_length: Sequence[float] = (2, 8),
    ) -> None:
        super().__init__(prob)
        self.sigma = self.interval('sigma', sigma, 0.1, 20)
        self.motion_length = self.interval('motion_length', motion_length, 1, 50)
        require_finite(type(self).__name__, {'motion_prob': motion_prob}, least=0, most=1)
        self.motion_prob = motion_prob

    def change(self, frames: list[np.ndarray], results: dict[str, Any]) -> list[np.ndarray]:
        import cv2

        if np.random.rand() < self.motion_prob:
            kernel = motion_kernel(np.random.uniform(*self.motion_length), np.random.uniform(0, np.pi))
            return [cv2.filter2D(frame, -1, kernel) for frame in frames]
        sigma = np.random.uniform(*self.sigma)
        return [cv2.GaussianBlur(frame, (0, 0), sigma) for frame in frames]


def motion_kernel(length: float, angle: float) -> np.ndarray:
    """Return the kernel (k, k) float64 of a straight line: k odd, sum 1, symmetric about its middle.

    Args:
        length: Of the line in px, at least 1.
        angle: Between the line and the x axis in radians.
    """
    reach = int(np.ceil((length - 1) / 2))
    kernel = np.zeros((2 * reach + 1, 2 * reach + 1))
    steps = np.linspace(-(length - 1) / 2, (length - 1) / 2, 8 * reach + 1)
    columns, rows = (np.rint(steps * part).astype(int) + reach for part in (np.cos(angle), np.sin(angle)))
    np.add.at(kernel, (rows, columns), 1)
    kernel += kernel[::-1, ::-1]  # rounding may break the symmetry
    return kernel / kernel.sum()


@TRANSFORMS.register_module()
class ClipDownscale(RandomClipTransform):
    """Lower the resolution of all frames alike: shrink them and enlarge them again to their size.

    Args:
        prob: Probability, in [0, 1].
        factor: Range of the factor of width and height, in [0.05, 1].

    Raises:
        ValueError: An argument is out of range.
    """

    def __init__(self, prob: float = 0.2, factor: Sequence[float] = (0.35, 0.9)) -> None:
        super().__init__(prob)
        self.factor = self.interval('factor', factor, 0.05, 1)

    def change(self, frames: list[np.ndarray], results: dict[str, Any]) -> list[np.ndarray]:
        import cv2

        height, width = frames[0].shape[:2]
        factor = np.random.uniform(*self.factor)
        small = max(round(width * factor), 1), max(round(height * factor), 1)
        return [cv2.resize(cv2.resize(frame, small, interpolation=cv2.INTER_AREA), (width, height)) for frame in frames]


@TRANSFORMS.register_module()
class ClipNoise(RandomClipTransform):
    """Add Gaussian noise, independent in every frame, pixel and channel, of one strength for the clip.

    The noise takes 256 values, the quantiles of the normal distribution, so that no normal deviates need be drawn; it
    reaches 2.9 standard deviations.

    Args:
        prob: Probability, in [0, 1].
        sigma: Range of the standard deviation in grey levels of 255, in [0, 100].

    Raises:
        ValueError: An argument is out of range.
    """

    def __init__(self, prob: float = 0.2, sigma: Sequence[float] = (2, 12)) -> None:
        super().__init__(prob)
        self.sigma = self.interval('sigma', sigma, 0, 100)

    def change(self, frames: list[np.ndarray], results: dict[str, Any]) -> list[np.ndarray]:
        import cv2

        table = np.rint(np.random.uniform(*self.sigma) * _normal_quantiles()).astype(np.int16)
        noisy = []
        for frame in frames:
            drawn = np.frombuffer(np.random.bytes(frame.size), np.uint8).reshape(frame.shape)
            noisy.append(cv2.add(frame, cv2.LUT(drawn, table), dtype=cv2.CV_8U))
        return noisy


@cache
def _normal_quantiles() -> np.ndarray:
    """Return (256,) float64: the middle of every 256th part of the normal distribution."""
    return np.array([NormalDist().inv_cdf((index + 0.5) / 256) for index in range(256)])


@TRANSFORMS.register_module()
class ClipJpeg(RandomClipTransform):
    """Compress all frames as JPEG, with one quality for the clip.

    Args:
        prob: Probability, in [0, 1].
        quality: Range of the quality, whole numbers in [1, 100].

    Raises:
        ValueError: An argument is out of range.
    """

    def __init__(self, prob: float = 0.3, quality: Sequence[int] = (25, 85)) -> None:
        super().__init__(prob)
        low, high = self.interval('quality', quality, 1, 100)
        if not (isinstance(low, int) and isinstance(high, int)):
            raise ValueError(f'{type(self).__name__}: quality must be two whole numbers, got {quality!r}')
        self.quality = low, high

    def change(self, frames: list[np.ndarray], results: dict[str, Any]) -> list[np.ndarray]:
        import cv2

        quality = int(np.random.randint(self.quality[0], self.quality[1] + 1))
        flags = [cv2.IMWRITE_JPEG_QUALITY, quality]
        decoded = [cv2.imdecode(cv2.imencode('.jpg', frame, flags)[1], cv2.IMREAD_COLOR) for frame in frames]
        return [np.asarray(frame) for frame in decoded]
