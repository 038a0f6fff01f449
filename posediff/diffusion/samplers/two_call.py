"""Second-order samplers with two denoiser calls per step."""

from __future__ import annotations

from abc import abstractmethod

from torch import Tensor

from posediff.diffusion.noise import Draws
from posediff.diffusion.noise_schedulers import GaussianPath
from posediff.diffusion.samplers.base import BaseSampler, Denoise, Step
from posediff.diffusion.timesteps import Pairs
from posediff.registry import SAMPLERS


class TwoCallSampler(BaseSampler):
    """A Runge-Kutta method of second order for the straightened path.

    With sigma = noise / (signal + noise), y = x / (signal + noise) is (1 - sigma)·x_0 + sigma·epsilon on every path,
    and its derivative by sigma is epsilon - x_0. On the linear path, y is x and sigma is 1 - t.
    """

    calls_per_step = 2

    def _run(self, denoise: Denoise, noise: Draws, path: GaussianPath, pairs: Pairs) -> Tensor:
        x_t = noise[0]
        for t, t_prev in pairs:
            x_0, epsilon = self.predict(denoise, path, x_t, t)
            slope = epsilon - x_0
            between = self._second_time(path, t, t_prev)
            if between is None:
                x_t = self._move(path, x_t, slope, t, t_prev)
                continue
            x_0, epsilon = self.predict(denoise, path, self._move(path, x_t, slope, t, between), between)
            # of the second order wherever ``between`` is: 1 for the midpoint, 1/2 at the end
            share = 0.5 * (path.sigma(t_prev) - path.sigma(t)) / (path.sigma(between) - path.sigma(t))
            x_t = self._move(path, x_t, (1 - share) * slope + share * (epsilon - x_0), t, t_prev)
        return x_t

    @abstractmethod
    def _second_time(self, path: GaussianPath, t: float, t_prev: float) -> float | None:
        """Return the time of the second call; None: the step is an Euler step with one call."""

    @staticmethod
    def _move(path: GaussianPath, x_t: Tensor, slope: Tensor, t: float, t_prev: float) -> Tensor:
        """Return x at t_prev after a straight step from x_t."""
        scale, scale_prev = (path.signal(time) + path.noise(time) for time in (t, t_prev))
        return scale_prev / scale * x_t + scale_prev * (path.sigma(t_prev) - path.sigma(t)) * slope

    def step(self, step: Step, z: Tensor | None) -> Tensor:
        raise NotImplementedError(f'{type(self).__name__} makes two calls per step')


@SAMPLERS.register_module()
class MidpointSampler(TwoCallSampler):
    """The midpoint method: a step has the slope of the second call, half-way between its two noise levels.

    ``num_inference_steps`` counts denoiser calls and must be even: two per step. With 6, the times of ``'uniform'`` are
    0, 1/3, 2/3 and the calls at 0, 1/6, 1/3, 1/2, 2/3, 5/6. On a table, the second call is at the step whose noise
    level is nearest to the middle. A list as ``spacing`` has the times of the first calls.
    """

    def pairs(self, noise_scheduler: GaussianPath, num_inference_steps: int) -> Pairs:
        if num_inference_steps < 2 or num_inference_steps % 2:
            raise ValueError(
                f'MidpointSampler makes two denoiser calls per step: num_inference_steps must be even, got '
                f'{num_inference_steps}'
            )
        pairs = self.walk(noise_scheduler, num_inference_steps // 2)
        for t, t_prev in pairs:
            if not noise_scheduler.continuous and t - t_prev < 2:
                raise ValueError(
                    f'MidpointSampler with num_inference_steps={num_inference_steps} has no timestep between {t} and '
                    f'{t_prev}'
                )
        return pairs

    def default_steps(self, noise_scheduler: GaussianPath) -> int:
        """Return twice the length of the list of times; without one, the largest even number of the path's default."""
        longest = noise_scheduler.default_inference_steps
        return 2 * self.num_listed if self.num_listed else longest - longest % 2

    def _second_time(self, path: GaussianPath, t: float, t_prev: float) -> float:
        middle = path.time_at((path.sigma(t) + path.sigma(t_prev)) / 2)
        return middle if path.continuous else min(max(middle, t_prev + 1), t - 1)


@SAMPLERS.register_module()
class HeunSampler(TwoCallSampler):
    """Heun's method (the trapezoidal rule): the slopes at both ends of a step are averaged.

    ``num_inference_steps`` counts denoiser calls. On a continuous path, every step has two and the number must be even;
    the last call is at t = 1, where x_t has no noise. On a table, and with ``prediction_type='sample'``, that call does
    not exist: the last step is an Euler step with one call, as in EDM (Karras et al. 2022, algorithm 1), and the number
    must be odd. With few steps, samples spread more than the data. A list as ``spacing`` has the times of the first
    calls.
    """

    def pairs(self, noise_scheduler: GaussianPath, num_inference_steps: int) -> Pairs:
        missing = not self._calls_at_the_end(noise_scheduler)
        if num_inference_steps < 1 or (num_inference_steps + missing) % 2:
            raise ValueError(
                f'HeunSampler makes two denoiser calls per step{", one in the last" if missing else ""}: '
                f'num_inference_steps must be {"odd" if missing else "even"}, got {num_inference_steps}'
            )
        return self.walk(noise_scheduler, (num_inference_steps + missing) // 2)

    def default_steps(self, noise_scheduler: GaussianPath) -> int:
        """Return the calls for the list of times; without one, the largest possible number of the path's default."""
        missing = not self._calls_at_the_end(noise_scheduler)
        longest = noise_scheduler.default_inference_steps
        return 2 * self.num_listed - missing if self.num_listed else longest - (longest + missing) % 2

    def _calls_at_the_end(self, path: GaussianPath) -> bool:
        return path.continuous and path.prediction_type != 'sample' and self.clip_x_0 is None

    def _second_time(self, path: GaussianPath, t: float, t_prev: float) -> float | None:
        return t_prev if t_prev != path.clean or self._calls_at_the_end(path) else None
