"""The times of a sampler: indices of a table, or real times on a continuous path."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np

Pairs = list[tuple[float, float]]
"""(t, t_prev) of every sampling step; t_prev has less noise. On a table both are ints."""


class Path(Protocol):
    """What :func:`shifted_pairs` needs of a path (:class:`posediff.diffusion.noise_schedulers.GaussianPath`)."""

    def sigma(self, t: float) -> float: ...

    def time_at(self, sigma: float) -> float: ...


def _trailing(length: int, steps: int) -> np.ndarray:
    return np.round(np.arange(length, 0, -length / steps))[:steps] - 1


def _leading(length: int, steps: int) -> np.ndarray:
    return np.arange(steps)[::-1] * (length // steps)


def _linspace(length: int, steps: int) -> np.ndarray:
    return np.round(np.linspace(0, length - 1, steps))[::-1]


def _diffusiondet(length: int, steps: int) -> np.ndarray:
    return np.linspace(-1, length - 1, steps + 1).astype(np.int64)[:0:-1]


def _diffpose(length: int, steps: int) -> np.ndarray:
    if steps < 2:
        raise ValueError(
            f"spacing 'diffpose' makes num_inference_steps - 1 denoiser calls, none with num_inference_steps={steps}; "
            "use 'diffusiondet', which makes num_inference_steps calls"
        )
    return np.linspace(-1, length - 1, steps).astype(np.int64)[:0:-1]


SPACINGS: dict[str, Callable[[int, int], np.ndarray]] = {
    'trailing': _trailing,
    'leading': _leading,
    'linspace': _linspace,
    'diffusiondet': _diffusiondet,
    'diffpose': _diffpose,
}


def timestep_pairs(num_train_timesteps: int, num_inference_steps: int, spacing: str | Sequence[float]) -> Pairs:
    """Return the steps (t, t_prev) of a sampler, from most to least noise; the last t_prev is -1 (clean).

    Args:
        num_train_timesteps: Length of the table of the noise scheduler.
        num_inference_steps: Number of denoiser calls.
        spacing: A list of timesteps, or a rule for n = ``num_inference_steps`` out of L = ``num_train_timesteps``:
            ``'trailing'``: L-1, L-1-L/n, … (name from diffusers; starts at the noisiest step for any n);
            ``'linspace'``: evenly spaced from L-1 to 0; ``'leading'``: multiples of L // n, ending at 0;
            ``'diffusiondet'``: linspace(-1, L-1, n+1), truncated (DiffusionDet, D3DP);
            ``'diffpose'``: linspace(-1, L-1, n), Algorithm 2 of DiffPose literally: n - 1 calls, n = 1 is an error.

    Raises:
        ValueError: The number of steps exceeds the table, the rule is unknown, a list does not decrease within the
            table, or the first step is t = 0 (one step of ``'leading'`` or ``'linspace'``).
    """
    if isinstance(spacing, str):
        if spacing not in SPACINGS:
            raise ValueError(
                f'unknown timestep spacing {spacing!r} of a table; known: {", ".join(SPACINGS)}, or a list of timesteps'
            )
        if not 1 <= num_inference_steps <= num_train_timesteps:
            raise ValueError(f'num_inference_steps must be in 1..{num_train_timesteps}, got {num_inference_steps}')
        steps = [int(t) for t in SPACINGS[spacing](num_train_timesteps, num_inference_steps)]
    else:
        fractions = [t for t in spacing if t != int(t)]
        if fractions:
            raise ValueError(f'timesteps of a table are whole numbers, got {fractions[0]}')
        steps = [int(t) for t in spacing]
        if len(steps) != num_inference_steps:
            raise ValueError(f'the sampler has {len(steps)} timesteps, but num_inference_steps={num_inference_steps}')
    walk = [*steps, -1]
    descending = all(t > t_prev for t, t_prev in zip(walk, walk[1:], strict=False))
    if not steps or not descending or steps[0] >= num_train_timesteps:
        raise ValueError(f'timesteps must descend within {num_train_timesteps - 1}..0, got {steps}')
    if steps[0] == 0 < num_train_timesteps - 1:
        raise ValueError(
            f'spacing {spacing!r} with num_inference_steps={num_inference_steps} starts at t = 0, where x_t has '
            "almost no noise, but x_T is pure noise; use 'trailing'"
        )
    return list(zip(walk[:-1], walk[1:], strict=True))


def time_pairs(num_inference_steps: int, spacing: str | Sequence[float]) -> Pairs:
    """Return the steps (t, t_prev) of a sampler on a continuous path, from t = 0 (noise) to t_prev = 1 (clean).

    Args:
        num_inference_steps: Number of steps, S.
        spacing: ``'uniform'``: from k/S to (k + 1)/S (flow matching, FMPose3D), or a list of S rising times in [0, 1),
            the first of which is 0.

    Raises:
        ValueError: The rule is unknown, or a list does not rise within [0, 1), does not start at 0 or has another
            length.
    """
    if isinstance(spacing, str):
        if spacing != 'uniform':
            raise ValueError(
                f"unknown timestep spacing {spacing!r} of a continuous path; it has 'uniform', or a list of times"
            )
        if num_inference_steps < 1:
            raise ValueError(f'num_inference_steps must be at least 1, got {num_inference_steps}')
        times = [k / num_inference_steps for k in range(num_inference_steps)]
    else:
        times = [float(t) for t in spacing]
        if len(times) != num_inference_steps:
            raise ValueError(f'the sampler has {len(times)} times, but num_inference_steps={num_inference_steps}')
        rising = all(t < t_prev for t, t_prev in zip(times, [*times[1:], 1.0], strict=True))
        if not times or not rising or times[0] < 0:
            raise ValueError(f'times must rise within [0, 1) of a continuous path, got {times}')
        if times[0] != 0:
            raise ValueError(f'times must start at t = 0, where x_T is pure noise, got {times}')
    return list(zip(times, [*times[1:], 1.0], strict=True))


def shifted_pairs(pairs: Pairs, path: Path, shift: float) -> Pairs:
    """Move the times of a sampler to other noise levels: sigma' = shift·sigma / (1 + (shift - 1)·sigma).

    sigma is noise / (signal + noise), so noise / signal is multiplied by ``shift`` (Esser et al. 2024, eq. 23, where
    shift is sqrt(m/n)). The first time stays, since x_T is pure noise. A shift below 1 moves times to the clean end.

    Args:
        pairs: (t, t_prev) of every step.
        path: The path of these times; on a table, the nearest steps are taken.
        shift: Factor on noise / signal, > 0.

    Raises:
        ValueError: Two times coincide: the table has too few steps there.
    """
    if shift == 1:
        return pairs
    sigmas = [path.sigma(t) for t, _ in pairs[1:]]
    moved = [path.time_at(shift * sigma / (1 + (shift - 1) * sigma)) for sigma in sigmas]
    walk = [pairs[0][0], *moved, pairs[-1][1]]
    for t, t_prev in zip(walk, walk[1:], strict=False):
        if not path.sigma(t) > path.sigma(t_prev):
            raise ValueError(
                f'shift={shift:g} with num_inference_steps={len(pairs)} goes from time {t:g} to {t_prev:g}: the table '
                'has no further step there; take fewer steps, or a shift nearer to 1'
            )
    return list(zip(walk[:-1], walk[1:], strict=True))
