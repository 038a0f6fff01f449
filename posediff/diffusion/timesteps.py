"""The timesteps of a sampler."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

Pairs = list[tuple[int, int]]
"""(t, t_prev) of every sampling step."""


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


def timestep_pairs(num_train_timesteps: int, num_inference_steps: int, spacing: str | Sequence[int]) -> Pairs:
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
                f'unknown timestep spacing {spacing!r}; known: {", ".join(SPACINGS)}, or a list of timesteps'
            )
        if not 1 <= num_inference_steps <= num_train_timesteps:
            raise ValueError(f'num_inference_steps must be in 1..{num_train_timesteps}, got {num_inference_steps}')
        steps = [int(t) for t in SPACINGS[spacing](num_train_timesteps, num_inference_steps)]
    else:
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
