"""A path from noise to the clean signal, divided into intervals, as tensors on a device."""

from __future__ import annotations

import torch
from torch import Tensor

from posediff.diffusion.noise_schedulers import GaussianPath


class TimeGrid:
    """The intervals of a path.

    Args:
        path: The path.
        num_intervals: N, divided by the rule ``spacing`` of the path, as a sampler of N steps does.
        device: Device of the tensors.

    Attributes:
        times, next_times: (N,) noisy and clean end of each interval, in the dtype of the path. The clean end of the
            last interval may be no time that a network takes: there, ``next_times`` is the noisy end.
        signal, noise, next_signal, next_noise: (N,) float32 scales at both ends; exactly 1 and 0 at the clean signal.
        ends_clean: (N,) bool, whether the interval ends at the clean signal.
        weight: (N,) float32 mean length of the intervals divided by their own, in noise / (signal + noise).

    Raises:
        ValueError: The path has no such number of intervals.
    """

    def __init__(self, path: GaussianPath, num_intervals: int, device: torch.device) -> None:
        self.num_intervals, self.device = num_intervals, device
        pairs = path.walk(num_intervals)
        ends = [end for _, end in pairs]
        clean = [end == path.clean for end in ends]
        known = [begin if last else end for (begin, end), last in zip(pairs, clean, strict=True)]
        self.times = torch.tensor([begin for begin, _ in pairs], dtype=path.time_dtype, device=device)
        self.next_times = torch.tensor(known, dtype=path.time_dtype, device=device)
        self.ends_clean = torch.tensor(clean, device=device)
        levels, next_levels = [path.level(begin) for begin, _ in pairs], [path.level(end) for end in ends]
        self.signal, self.noise, self.next_signal, self.next_noise = (
            torch.tensor(values, dtype=torch.float32, device=device)
            for values in (
                [level.signal for level in levels],
                [level.noise for level in levels],
                [level.signal for level in next_levels],
                [level.noise for level in next_levels],
            )
        )
        lengths = [path.sigma(begin) - path.sigma(end) for begin, end in pairs]
        mean = sum(lengths) / len(lengths)
        self.weight = torch.tensor([mean / length for length in lengths], dtype=torch.float32, device=device)
        self._sign = 1 if path.clean > path.start else -1

    def interval_of(self, times: Tensor) -> Tensor:
        """Return the indices (R,) int64 of the intervals that contain times (R,), which include their noisy end."""
        found = torch.searchsorted(self._sign * self.times, self._sign * times, right=True) - 1
        return found.clamp(0, self.num_intervals - 1)
