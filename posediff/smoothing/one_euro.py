"""One Euro filter: strong smoothing of slow motion, little lag in fast motion."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from posediff.registry import SMOOTHERS
from posediff.smoothing.base import BaseSmoother, SmoothingStream, check_fps, check_steps, check_values
from posediff.structures.argument_checks import require_finite
from posediff.structures.component_choices import CommandLineChoice


@SMOOTHERS.register_module()
class OneEuroSmoother(BaseSmoother):
    """A low-pass filter whose cutoff grows with speed (Casiez, Roussel and Vogel, CHI 2012). Causal and without delay.

    Args:
        min_cutoff: Cutoff frequency at rest, Hz; lower values smooth more and lag more.
        beta: Increase of the cutoff per unit of speed, Hz per unit/s. The default is for mm; for px of a person 500 px
            tall use about 3.5 times that.
        derivative_cutoff: Cutoff frequency of the speed, Hz.

    Raises:
        ValueError: A cutoff is not positive, or ``beta`` is negative.
    """

    command_line = (
        CommandLineChoice(
            'one-euro',
            'One Euro filter, causal',
            options={
                'min_cutoff': 'cutoff frequency at rest, Hz; lower values smooth more',
                'beta': 'increase of the cutoff with speed, Hz per mm/s; higher values lag less',
            },
        ),
    )

    def __init__(self, min_cutoff: float = 1.5, beta: float = 0.005, derivative_cutoff: float = 1.0) -> None:
        values = {'min_cutoff': min_cutoff, 'beta': beta, 'derivative_cutoff': derivative_cutoff}
        require_finite(type(self).__name__, values)
        if min(min_cutoff, derivative_cutoff) <= 0 or beta < 0:
            raise ValueError(f'OneEuroSmoother: cutoffs must be positive and beta not negative, got {values}')
        self.min_cutoff, self.beta, self.derivative_cutoff = min_cutoff, beta, derivative_cutoff

    def stream(self, fps: float) -> OneEuroStream:
        check_fps(type(self).__name__, fps)
        return OneEuroStream(self.min_cutoff, self.beta, self.derivative_cutoff, fps)


class OneEuroStream(SmoothingStream):
    """The state of a One Euro filter within a sequence."""

    def __init__(self, min_cutoff: float, beta: float, derivative_cutoff: float, fps: float) -> None:
        self.min_cutoff, self.beta, self.derivative_cutoff, self.fps = min_cutoff, beta, derivative_cutoff, fps
        self._value: np.ndarray | None = None
        self._speed: np.ndarray | None = None
        self._shape: tuple[int, ...] = (0,)
        self._dtype: Any = np.float64

    def push(self, values: np.ndarray, steps: np.ndarray | None = None) -> np.ndarray:
        values = check_values('OneEuroSmoother', values)
        rates = self.fps / check_steps('OneEuroSmoother', values, steps)
        self._shape, self._dtype = (0, *values.shape[1:]), values.dtype
        smooth = [self._next(value, rate) for value, rate in zip(values, rates.tolist(), strict=True)]
        return np.stack(smooth).astype(values.dtype) if smooth else values

    def finish(self) -> np.ndarray:
        return np.empty(self._shape, self._dtype)

    def _next(self, value: np.ndarray, rate: float) -> np.ndarray:
        """Smooth the next value, ``1 / rate`` seconds after the previous one."""
        value = value.astype(np.float64)
        if self._value is None or self._speed is None:
            self._value, self._speed = value, np.zeros_like(value)
            return value
        # speed relative to the last filtered value, as in the authors' code
        speed = (value - self._value) * rate
        self._speed = self._speed + _share(np.asarray(self.derivative_cutoff), rate) * (speed - self._speed)
        share = _share(self.min_cutoff + self.beta * np.abs(self._speed), rate)
        self._value = self._value + share * (value - self._value)
        return self._value


def _share(cutoff: np.ndarray, fps: float) -> np.ndarray:
    """Return the weight of a new value in exponential smoothing: 1 / (1 + tau fps) with tau = 1 / (2 pi cutoff)."""
    return 1 / (1 + fps / (2 * math.pi * cutoff))
