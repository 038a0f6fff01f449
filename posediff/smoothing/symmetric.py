"""Symmetric filters, which use frames before and after: no phase lag, but delayed output."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np
from scipy.ndimage import gaussian_filter1d

from posediff.registry import SMOOTHERS
from posediff.smoothing.base import BaseSmoother, SmoothingStream, check_fps, check_steps, check_values
from posediff.structures.argument_checks import require_finite, require_whole
from posediff.structures.component_choices import CommandLineChoice


class SymmetricSmoother(BaseSmoother):
    """A filter whose output depends on ``radius`` frames before and after."""

    @abstractmethod
    def radius(self, fps: float) -> int:
        """Return the number of frames on either side that a value depends on."""

    @abstractmethod
    def smooth(self, values: np.ndarray, fps: float) -> np.ndarray:
        """Smooth a whole float64 sequence (F, …)."""

    def stream(self, fps: float) -> SymmetricStream:
        check_fps(type(self).__name__, fps)
        return SymmetricStream(self, fps)


class SymmetricStream(SmoothingStream):
    """The stream of a symmetric filter; it buffers the frames that later ones depend on, at most three radii.

    Skipped frames are interpolated linearly between their neighbours and are not returned.
    """

    def __init__(self, smoother: SymmetricSmoother, fps: float) -> None:
        self.smoother, self.fps = smoother, fps
        self.radius = smoother.radius(fps)
        self._kept: np.ndarray | None = None
        self._given = np.zeros(0, bool)  # which of the buffered frames were pushed
        self._done = 0  # number of buffered frames already returned

    def push(self, values: np.ndarray, steps: np.ndarray | None = None) -> np.ndarray:
        values = check_values(type(self.smoother).__name__, values)
        steps = check_steps(type(self.smoother).__name__, values, steps)
        values, given = self._even(values, steps)
        self._kept = values.copy() if self._kept is None else np.concatenate([self._kept, values])
        self._given = np.concatenate([self._given, given])
        # with less than a full window the sequence may end up shorter than the window, which changes the result
        whole = len(self._kept) > 2 * self.radius
        return self._return(len(self._kept) - self.radius if whole else 0)

    def finish(self) -> np.ndarray:
        return np.empty((0,)) if self._kept is None else self._return(len(self._kept))

    def _even(self, values: np.ndarray, steps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return values with the skipped frames interpolated, and a mask of the frames that were pushed."""
        if (steps[1:] == 1).all() and (not len(steps) or steps[0] == 1 or self._kept is None):
            return values, np.ones(len(values), bool)
        if self._kept is None or not len(self._kept):
            places, known = np.cumsum(np.append(0, steps[1:])), values
        else:
            places, known = np.cumsum(np.append(0, steps)), np.concatenate([self._kept[-1:], values])
        grid = np.arange(places[-1] + 1)
        right = np.searchsorted(places, grid)
        left = np.maximum(right - 1, 0)
        share = (grid - places[left]) / np.maximum(places[right] - places[left], 1)
        share = share.reshape(-1, *[1] * (values.ndim - 1)).astype(values.dtype)
        even = known[left] * (1 - share) + known[right] * share
        given = np.isin(grid, places)
        even[given] = known
        first = len(known) - len(values)
        return even[first:], given[first:]

    def _return(self, end: int) -> np.ndarray:
        """Return the smoothed buffered frames before ``end``, and drop frames that are no longer needed."""
        assert self._kept is not None
        if end <= self._done:
            return self._kept[:0]
        smooth = self.smoother.smooth(self._kept.astype(np.float64), self.fps)[self._done : end]
        smooth = smooth[self._given[self._done : end]]
        first = max(end - 2 * self.radius, 0)
        dtype, self._done = self._kept.dtype, end - first
        self._kept, self._given = self._kept[first:], self._given[first:]
        return smooth.astype(dtype)


@SMOOTHERS.register_module()
class GaussianSmoother(SymmetricSmoother):
    """Gaussian filter, truncated at four standard deviations; the first and last values are repeated at the ends.

    Args:
        sigma_s: Standard deviation, s.

    Raises:
        ValueError: ``sigma_s`` is not positive.
    """

    command_line = (
        CommandLineChoice('gaussian', 'Gaussian filter', options={'sigma_s': 'standard deviation, seconds'}),
    )

    def __init__(self, sigma_s: float = 0.05) -> None:
        require_finite(type(self).__name__, {'sigma_s': sigma_s})
        if sigma_s <= 0:
            raise ValueError(f'GaussianSmoother: sigma_s must be positive, got {sigma_s}')
        self.sigma_s = sigma_s

    def radius(self, fps: float) -> int:
        return int(4 * self.sigma_s * fps + 0.5)

    def smooth(self, values: np.ndarray, fps: float) -> np.ndarray:
        return gaussian_filter1d(values, self.sigma_s * fps, axis=0, mode='nearest', radius=self.radius(fps))


@SMOOTHERS.register_module()
class SavitzkyGolaySmoother(SymmetricSmoother):
    """Savitzky-Golay filter: a least-squares polynomial around every frame (Savitzky and Golay 1964).

    At the ends the polynomial of the outermost window is evaluated. Polynomial motion up to ``order`` is reproduced
    exactly. A sequence shorter than the window is treated as one window.

    Args:
        window_s: Length of the window, s; rounded to an odd number of frames greater than ``order``.
        order: Order of the polynomial.

    Raises:
        ValueError: ``window_s`` is not positive, or ``order`` is not an integer >= 0.
    """

    command_line = (
        CommandLineChoice(
            'savitzky-golay',
            'Savitzky-Golay filter',
            options={'window_s': 'length of the window, seconds', 'order': 'order of the polynomial'},
        ),
    )

    def __init__(self, window_s: float = 0.3, order: int = 3) -> None:
        require_finite(type(self).__name__, {'window_s': window_s})
        require_whole(type(self).__name__, {'order': order}, 0)
        if window_s <= 0:
            raise ValueError(f'SavitzkyGolaySmoother: window_s must be positive, got {window_s}')
        self.window_s, self.order = window_s, order

    def radius(self, fps: float) -> int:
        return max(int(self.window_s * fps / 2), (self.order + 1) // 2)

    def smooth(self, values: np.ndarray, fps: float) -> np.ndarray:
        length = min(2 * self.radius(fps) + 1, len(values) - (len(values) + 1) % 2)
        if length <= self.order:  # as many parameters as frames: the polynomial interpolates the values
            return values
        from scipy.signal import savgol_filter  # here: it takes half a second to import

        return savgol_filter(values, length, self.order, axis=0, mode='interp')
