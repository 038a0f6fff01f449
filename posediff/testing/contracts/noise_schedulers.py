"""Contract tests of all registered noise schedulers, plugins included; see posediff.diffusion.noise_schedulers."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from posediff.diffusion.noise_schedulers import GaussianPath
from posediff.registry import NOISE_SCHEDULERS
from posediff.testing.contracts.base import Contract

STATES = [(4, 5, 3), (2, 6, 4)]  # (T, K, 3) and (K, H, W)


def draw(rows: int, shape: tuple[int, ...]) -> tuple[Tensor, Tensor]:
    """Draw x_0 and epsilon, (N, …) each."""
    generator = torch.Generator().manual_seed(0)
    x_0, epsilon = (torch.randn(rows, *shape, generator=generator) for _ in range(2))
    return x_0, epsilon


def times(path: GaussianPath) -> list[float]:
    """Return all steps of a table, or times of a continuous path from noise to nearly clean, fractional ones too."""
    return [k / 12 for k in range(12)] if path.continuous else list(range(int(path.start) + 1))


class NoiseSchedulerContract(Contract):
    """Tests that run on every registered noise scheduler: tables and continuous paths."""

    registry = NOISE_SCHEDULERS

    def test_the_ends_are_pure_noise_or_nearly_and_clean(self, component: GaussianPath) -> None:
        assert component.signal(component.clean) == 1.0
        assert component.noise(component.clean) == 0.0
        assert component.noise(component.start) > component.signal(component.start) >= 0 or not component.continuous
        beyond = (-0.25, 1.25) if component.continuous else (-2, int(component.start) + 1)
        for outside in beyond:
            with pytest.raises(ValueError, match=f'{outside} is outside'):
                component.level(outside)

    def test_noise_falls_from_the_start_to_clean(self, component: GaussianPath) -> None:
        assert component.continuous == (component.time_dtype == torch.float32)
        sigmas = [component.sigma(t) for t in times(component)]
        falling = sigmas if component.continuous else sigmas[::-1]
        assert all(before > after for before, after in zip(falling, falling[1:], strict=False))
        for t, sigma in zip(times(component), sigmas, strict=True):
            assert component.time_at(sigma) == pytest.approx(t, abs=1e-12)
            ratio = torch.tensor([component.signal(t) / component.noise(t)], dtype=torch.float64).log()
            if ratio.isfinite():
                torch.testing.assert_close(component.times_at(ratio).double(), torch.tensor([t]).double())

    def test_a_table_is_the_product_of_its_betas(self, component: GaussianPath) -> None:
        if component.continuous:
            return
        alpha_bar, beta = component.alpha_bar, component.beta  # type: ignore[attr-defined]
        assert alpha_bar.dtype == beta.dtype == torch.float64
        assert alpha_bar.shape == beta.shape == (component.num_train_timesteps,)  # type: ignore[attr-defined]
        assert bool((alpha_bar.diff() < 0).all())
        assert bool(((alpha_bar >= 0) & (alpha_bar < 1)).all())
        torch.testing.assert_close(alpha_bar, torch.cumprod(1 - beta, dim=0), rtol=1e-13, atol=0)
        for t in range(-1, len(alpha_bar)):
            expected = 1.0 if t == -1 else float(alpha_bar[t])
            assert component.alpha_bar_at(t) == expected  # type: ignore[attr-defined]
            assert component.signal(t) ** 2 == pytest.approx(expected, rel=1e-12)
            assert component.noise(t) ** 2 == pytest.approx(1 - expected, rel=1e-12)

    def test_times_are_drawn_from_the_whole_path(self, component: GaussianPath) -> None:
        last = 1.0 if component.continuous else component.start
        drawn = component.draw_timesteps(
            20 * max(100, int(last) + 1), torch.device('cpu'), torch.Generator().manual_seed(0)
        )
        assert drawn.ndim == 1
        assert drawn.dtype == component.time_dtype
        assert bool((drawn >= 0).all())
        assert float(drawn.min()) <= 0.01 * last
        assert 0.99 * last <= float(drawn.max()) <= last

    @pytest.mark.parametrize('shape', STATES)
    def test_add_noise_has_the_scales_of_the_path(self, component: GaussianPath, shape: tuple[int, ...]) -> None:
        timestep = torch.tensor(times(component))
        rows = len(timestep)
        ones, zeros = torch.ones(rows, *shape), torch.zeros(rows, *shape)
        for pair, scale in (((ones, zeros), component.signal), ((zeros, ones), component.noise)):
            expected = torch.tensor([scale(float(t)) for t in timestep.double()], dtype=torch.float64)
            found = component.add_noise(*pair, timestep).double()
            each = expected.reshape(-1, *[1] * len(shape)).expand(rows, *shape)
            torch.testing.assert_close(found**2, each**2, rtol=1e-5, atol=1e-7)
            torch.testing.assert_close(scale(timestep).double() ** 2, expected**2, rtol=1e-5, atol=1e-7)

    @pytest.mark.parametrize('shape', STATES)
    def test_split_of_the_target_returns_x_0_and_epsilon(self, component: GaussianPath, shape: tuple[int, ...]) -> None:
        x_0, epsilon = draw(2, shape)
        for t in times(component):
            timestep = component.as_tensor(t, torch.device('cpu'))
            x_t = component.add_noise(x_0, epsilon, timestep)
            output = component.target(x_0, epsilon, timestep)
            got_x_0, got_epsilon = component.split(output, x_t, t)
            # errors of the float32 scales are divided by the signal and by the square of the noise
            limit = 1e-5 / component.signal(t) if component.prediction_type == 'epsilon' else 1e-5
            torch.testing.assert_close(got_x_0, x_0, rtol=0, atol=limit)
            torch.testing.assert_close(got_epsilon, epsilon, rtol=0, atol=1e-5 / component.noise(t) ** 2)

    @pytest.mark.parametrize('shape', STATES)
    def test_estimate_of_the_target_returns_x_0(self, component: GaussianPath, shape: tuple[int, ...]) -> None:
        timestep = torch.tensor(times(component))
        x_0, epsilon = draw(len(timestep), shape)
        x_t, output = (method(x_0, epsilon, timestep) for method in (component.add_noise, component.target))
        scale = component.signal(timestep) if component.prediction_type == 'epsilon' else torch.ones(len(timestep))
        error = (component.estimate(output, x_t, timestep) - x_0).flatten(1).abs().amax(1)
        assert bool((error * scale < 2e-5).all())

    @pytest.mark.parametrize('shape', STATES)
    def test_one_time_is_broadcast_to_all_rows(self, component: GaussianPath, shape: tuple[int, ...]) -> None:
        x_0, epsilon = draw(3, shape)
        one = component.as_tensor(component.start, torch.device('cpu'))
        assert one.dtype == component.time_dtype
        for method in (component.add_noise, component.target):
            assert torch.equal(method(x_0, epsilon, one), method(x_0, epsilon, one.expand(3)))

    def test_a_fractional_time_is_kept_or_refused(self, component: GaussianPath) -> None:
        x_0, epsilon = draw(1, STATES[0])
        third = torch.tensor([1 / 3])
        if component.continuous:
            kept = component.as_tensor(1 / 3, torch.device('cpu'))
            assert torch.equal(kept, third)
            near = component.add_noise(x_0, epsilon, torch.tensor([0.25]))
            assert not torch.equal(component.add_noise(x_0, epsilon, kept), near)
            return
        for refused in (
            lambda: component.as_tensor(1 / 3, torch.device('cpu')),
            lambda: component.split(x_0, x_0, 1 / 3),
            lambda: component.add_noise(x_0, epsilon, third),
        ):
            with pytest.raises(ValueError, match='between the steps of a table|indices of its table'):
                refused()

    def test_the_network_is_told_distinct_finite_times(self, component: GaussianPath) -> None:
        for name in component.time_inputs:
            component.time_input = name
            told = component.network_time(torch.tensor(times(component)))
            assert told.shape == (len(times(component)),)
            assert told.isfinite().all()
            assert len(told.unique()) >= 0.9 * len(told)

    def test_tensors_of_times_outside_the_path_are_refused(self, component: GaussianPath) -> None:
        outside = [-0.25, 1.25] if component.continuous else [-1, int(component.start) + 1]
        for wrong in outside:
            for method in (component.signal, component.noise):
                with pytest.raises(ValueError, match=f'{wrong} is outside'):
                    method(torch.tensor([component.start, wrong], dtype=component.time_dtype))

    def test_tensors_of_times_of_another_dtype_are_refused(self, component: GaussianPath) -> None:
        rounded = (torch.float16, torch.bfloat16, torch.int64)
        for dtype in rounded if component.continuous else (torch.int32, torch.uint8, torch.bool, torch.float32):
            with pytest.raises(ValueError, match=str(dtype)):
                component.levels(torch.zeros(2, dtype=dtype))

    def test_the_ends_of_a_continuous_path_are_exact_and_told_as_finite_times(self, component: GaussianPath) -> None:
        if not component.continuous:
            return
        ends = torch.tensor([component.start, component.clean])
        assert component.signal(ends).tolist() == [0.0, 1.0]
        assert component.noise(ends).tolist() == [1.0, 0.0]
        for name in component.time_inputs:
            component.time_input = name
            assert component.network_time(ends).isfinite().all()

    @pytest.mark.parametrize('shape', STATES)
    def test_noise_is_added_in_float32_under_autocast(self, component: GaussianPath, shape: tuple[int, ...]) -> None:
        x_0, epsilon = draw(2, shape)
        timestep = torch.tensor([times(component)[0], times(component)[-1]])
        expected = component.add_noise(x_0, epsilon, timestep)
        assert expected.dtype == torch.float32
        with torch.autocast('cpu', torch.bfloat16):
            assert torch.equal(component.add_noise(x_0, epsilon, timestep), expected)
