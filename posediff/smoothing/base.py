"""What every smoother promises."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np


class SmoothingStream(ABC):
    """A sequence that comes in parts: after :meth:`finish` the same as smoothing it whole."""

    @abstractmethod
    def push(self, values: np.ndarray, steps: np.ndarray | None = None) -> np.ndarray:
        """Add frames; return those that nothing will change any more, each once and in order.

        Args:
            values: (n, …).
            steps: (n,) frames by which each comes after the one before, whole and from 1 on, as where frames were left
                out; the first of a sequence has none, its value is not looked at. None: they follow each other.

        Returns:
            (m, …).
        """

    @abstractmethod
    def finish(self) -> np.ndarray:
        """Return what is left (m, …)."""


class BaseSmoother(ABC):
    """Filters every coordinate of a sequence over time.

    * The result has as many frames as the input, and its dtype.
    * A constant sequence stays as it is; adding a constant to the input adds it to the result.
    * Values must be finite: a gap ends a sequence, and what follows it is another one.
    """

    def __call__(self, values: np.ndarray, fps: float) -> np.ndarray:
        """Smooth a whole sequence.

        Args:
            values: (F, …), px, mm or any other unit.
            fps: Frames a second.

        Raises:
            ValueError: A value is not finite, or ``fps`` not positive.
        """
        stream = self.stream(fps)
        return np.concatenate([stream.push(values), stream.finish()])

    @abstractmethod
    def stream(self, fps: float) -> SmoothingStream:
        """Begin a sequence.

        Raises:
            ValueError: ``fps`` is not positive.
        """

    @classmethod
    @abstractmethod
    def contract_cases(cls) -> list[dict[str, Any]]:
        """Arguments to build instances with for the contract tests."""


def check_fps(owner: str, fps: float) -> None:
    if not (np.isfinite(fps) and fps > 0):
        raise ValueError(f'{owner}: fps must be positive, got {fps}')


def check_steps(owner: str, values: np.ndarray, steps: np.ndarray | None) -> np.ndarray:
    """Return the steps as integers (n,), or say which makes no sense."""
    if steps is None:
        return np.ones(len(values), np.int64)
    steps = np.asarray(steps)
    if steps.shape != (len(values),) or not np.issubdtype(steps.dtype, np.integer) or (steps < 1).any():
        raise ValueError(f'{owner}: steps must be ({len(values)},) whole numbers from 1 on, got {steps}')
    return steps.astype(np.int64)


def check_values(owner: str, values: np.ndarray) -> np.ndarray:
    """Return the values as an array of floats (n, …), or say which frame is not finite."""
    values = np.asarray(values)
    if values.ndim < 1 or not np.issubdtype(values.dtype, np.floating):
        raise ValueError(f'{owner}: values must be floats (F, …), got {values.shape} {values.dtype}')
    finite = np.isfinite(values).all(axis=tuple(range(1, values.ndim)))
    if not finite.all():
        frame = np.flatnonzero(~finite)[0]
        raise ValueError(f'{owner}: frame {frame} holds a value that is not finite; smooth what lies between gaps')
    return values
