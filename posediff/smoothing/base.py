"""The interface of smoothers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np

from posediff.structures.component_choices import CommandLineChoice


class SmoothingStream(ABC):
    """Smoothing of a sequence that arrives in parts; the concatenated output equals smoothing the whole sequence."""

    @abstractmethod
    def push(self, values: np.ndarray, steps: np.ndarray | None = None) -> np.ndarray:
        """Add frames and return the frames whose smoothed values are final, each once and in order.

        Args:
            values: (n, …).
            steps: (n,) distance of each frame to the previous one in frames, integers >= 1, for sequences with skipped
                frames; the first value of a sequence is ignored. None: consecutive frames.

        Returns:
            (m, …).
        """

    @abstractmethod
    def finish(self) -> np.ndarray:
        """Return the remaining frames (m, …)."""


class BaseSmoother(ABC):
    """A filter that smooths every coordinate of a sequence over time.

    * The output has the number of frames and the dtype of the input.
    * A constant sequence is not changed; adding a constant to the input adds it to the output.
    * Values must be finite: smooth the sequences between gaps separately.
    """

    command_line: ClassVar[tuple[CommandLineChoice, ...]] = ()
    """Names and options of the component on the command line."""

    def __call__(self, values: np.ndarray, fps: float) -> np.ndarray:
        """Smooth a whole sequence.

        Args:
            values: (F, …), px, mm or any other unit.
            fps: Frame rate.

        Raises:
            ValueError: A value is not finite, or ``fps`` not positive.
        """
        stream = self.stream(fps)
        return np.concatenate([stream.push(values), stream.finish()])

    @abstractmethod
    def stream(self, fps: float) -> SmoothingStream:
        """Start a sequence.

        Raises:
            ValueError: ``fps`` is not positive.
        """


def check_fps(owner: str, fps: float) -> None:
    """Raise ValueError if the frame rate is not positive."""
    if not (np.isfinite(fps) and fps > 0):
        raise ValueError(f'{owner}: fps must be positive, got {fps}')


def check_steps(owner: str, values: np.ndarray, steps: np.ndarray | None) -> np.ndarray:
    """Return ``steps`` of :meth:`SmoothingStream.push` as int64 (n,); ones for None.

    Raises:
        ValueError: The shape is not (n,), or a value is not an integer >= 1; the message starts with ``owner``.
    """
    if steps is None:
        return np.ones(len(values), np.int64)
    steps = np.asarray(steps)
    if steps.shape != (len(values),) or not np.issubdtype(steps.dtype, np.integer) or (steps < 1).any():
        raise ValueError(f'{owner}: steps must be ({len(values)},) whole numbers from 1 on, got {steps}')
    return steps.astype(np.int64)


def check_values(owner: str, values: np.ndarray) -> np.ndarray:
    """Return the values as a float array (n, …), or raise an error that names the first frame that is not finite."""
    values = np.asarray(values)
    if values.ndim < 1 or not np.issubdtype(values.dtype, np.floating):
        raise ValueError(f'{owner}: values must be floats (F, …), got {values.shape} {values.dtype}')
    finite = np.isfinite(values).all(axis=tuple(range(1, values.ndim)))
    if not finite.all():
        frame = np.flatnonzero(~finite)[0]
        raise ValueError(f'{owner}: frame {frame} has a value that is not finite; smooth the parts between gaps')
    return values
