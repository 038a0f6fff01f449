"""Contract tests of all registered noise schedulers, plugins included; see posediff.diffusion.noise_schedulers."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from posediff.diffusion.noise_schedulers import BetasNoiseScheduler
from posediff.registry import NOISE_SCHEDULERS
from posediff.testing.contracts.base import Contract

STATES = [(4, 5, 3), (2, 6, 4)]  # (T, K, 3) and (K, H, W)


def draw(rows: int, shape: tuple[int, ...]) -> tuple[Tensor, Tensor]:
    """Draw x_0 and epsilon, (N, …) each."""
    generator = torch.Generator().manual_seed(0)
    x_0, epsilon = (torch.randn(rows, *shape, generator=generator) for _ in range(2))
    return x_0, epsilon


class NoiseSchedulerContract(Contract):
    """Tests that run on every registered noise scheduler."""

    registry = NOISE_SCHEDULERS

    def test_alpha_bar_falls_and_is_the_product_of_its_betas(self, component: BetasNoiseScheduler) -> None:
        alpha_bar, beta = component.alpha_bar, component.beta
        assert alpha_bar.dtype == beta.dtype == torch.float64
        assert alpha_bar.shape == beta.shape == (component.num_train_timesteps,)
        assert bool((alpha_bar.diff() < 0).all())
        assert bool(((alpha_bar > 0) & (alpha_bar < 1)).all())
        torch.testing.assert_close(alpha_bar, torch.cumprod(1 - beta, dim=0), rtol=1e-13, atol=0)

    def test_alpha_bar_before_the_first_timestep_is_one(self, component: BetasNoiseScheduler) -> None:
        last = component.num_train_timesteps - 1
        assert component.alpha_bar_at(-1) == 1.0
        assert component.alpha_bar_at(last) == float(component.alpha_bar[last])
        for outside in (-2, last + 1):
            with pytest.raises(ValueError, match=f'{outside} is outside'):
                component.alpha_bar_at(outside)

    def test_timesteps_are_drawn_from_the_whole_table(self, component: BetasNoiseScheduler) -> None:
        length = component.num_train_timesteps
        drawn = component.draw_timesteps(20 * length, torch.device('cpu'), torch.Generator().manual_seed(0))
        assert drawn.shape == (20 * length,)
        assert drawn.dtype == torch.int64
        assert int(drawn.min()) == 0
        assert int(drawn.max()) == length - 1

    @pytest.mark.parametrize('shape', STATES)
    def test_add_noise_has_the_variances_of_the_forward_process(
        self, component: BetasNoiseScheduler, shape: tuple[int, ...]
    ) -> None:
        length = component.num_train_timesteps
        timestep = torch.arange(length)
        ones, zeros = torch.ones(length, *shape), torch.zeros(length, *shape)
        alpha_bar = component.alpha_bar.reshape(-1, *[1] * len(shape)).expand(length, *shape)
        signal, noise = (component.add_noise(*pair, timestep).double() for pair in ((ones, zeros), (zeros, ones)))
        torch.testing.assert_close(signal**2, alpha_bar, rtol=1e-6, atol=0)
        torch.testing.assert_close(noise**2, 1 - alpha_bar, rtol=1e-6, atol=1e-7)

    @pytest.mark.parametrize('shape', STATES)
    def test_split_of_the_target_returns_x_0_and_epsilon(
        self, component: BetasNoiseScheduler, shape: tuple[int, ...]
    ) -> None:
        x_0, epsilon = draw(2, shape)
        for t in range(component.num_train_timesteps):
            timestep, alpha_bar = torch.tensor([t]), component.alpha_bar_at(t)
            x_t = component.add_noise(x_0, epsilon, timestep)
            got_x_0, got_epsilon = component.split(component.target(x_0, epsilon, timestep), x_t, t)
            # errors of the float32 table are divided by sqrt(alpha_bar) and by 1 - alpha_bar
            torch.testing.assert_close(got_x_0, x_0, rtol=0, atol=1e-5 / alpha_bar**0.5)
            torch.testing.assert_close(got_epsilon, epsilon, rtol=0, atol=1e-5 / (1 - alpha_bar))

    @pytest.mark.parametrize('shape', STATES)
    def test_one_timestep_is_broadcast_to_all_rows(
        self, component: BetasNoiseScheduler, shape: tuple[int, ...]
    ) -> None:
        x_0, epsilon = draw(3, shape)
        last = component.num_train_timesteps - 1
        one, each = torch.tensor([last]), torch.full((3,), last)
        for method in (component.add_noise, component.target):
            assert torch.equal(method(x_0, epsilon, one), method(x_0, epsilon, each))

    @pytest.mark.parametrize('shape', STATES)
    def test_noise_is_added_in_float32_under_autocast(
        self, component: BetasNoiseScheduler, shape: tuple[int, ...]
    ) -> None:
        x_0, epsilon = draw(2, shape)
        timestep = torch.tensor([0, component.num_train_timesteps - 1])
        expected = component.add_noise(x_0, epsilon, timestep)
        assert expected.dtype == torch.float32
        with torch.autocast('cpu', torch.bfloat16):
            assert torch.equal(component.add_noise(x_0, epsilon, timestep), expected)
