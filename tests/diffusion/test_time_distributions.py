"""The distribution of times in training."""

from __future__ import annotations

import pytest
import torch

from posediff.diffusion.noise_schedulers import CosineNoiseScheduler, CosinePath, LinearPath
from posediff.diffusion.time_distributions import draw_logit_normal

CPU = torch.device('cpu')
ROWS = 20000
PATHS = [LinearPath(), CosinePath(), CosineNoiseScheduler(1000)]


def half_log_snr(path, times):
    level = path.levels(times)
    return (level.signal.log() - level.noise.log()).double()


@pytest.mark.parametrize('path', PATHS, ids=lambda path: type(path).__name__)
def test_log_signal_to_noise_is_normal_on_every_path(path):
    generator = torch.Generator().manual_seed(0)
    times = draw_logit_normal(path, ROWS, CPU, -0.5, 0.8, uniform_share=0.0, generator=generator)
    assert times.shape == (ROWS,)
    assert times.dtype == path.time_dtype
    drawn = half_log_snr(path, times)
    assert float(drawn.mean()) == pytest.approx(-0.5, abs=0.02)
    assert float(drawn.std()) == pytest.approx(0.8, abs=0.02)


def test_on_the_linear_path_it_is_the_density_of_stable_diffusion_3():
    times = draw_logit_normal(LinearPath(), ROWS, CPU, 0.0, 1.0, 0.0, torch.Generator().manual_seed(1)).double()
    for t in (0.1, 0.3, 0.5, 0.9):
        expected = float(torch.special.ndtr(torch.tensor(t, dtype=torch.float64).logit()))
        assert float((times < t).double().mean()) == pytest.approx(expected, abs=0.015)


@pytest.mark.parametrize('path', PATHS, ids=lambda path: type(path).__name__)
def test_a_share_is_uniform_and_reaches_the_ends(path):
    times = draw_logit_normal(path, ROWS, CPU, 0.0, 0.1, 0.5, torch.Generator().manual_seed(2)).double()
    length = 1.0 if path.continuous else path.start
    outer = ((times < 0.1 * length) | (times > 0.9 * length)).double().mean()
    assert float(outer) == pytest.approx(0.1, abs=0.01)
    assert float(times.max()) < 1.0 or not path.continuous


def test_extreme_levels_stay_on_the_path():
    wide = draw_logit_normal(LinearPath(), ROWS, CPU, 30.0, 1.0, 0.0, torch.Generator().manual_seed(3))
    assert float(wide.max()) == 1 - 2**-24
    table = CosineNoiseScheduler(50, prediction_type='sample', rescale_zero_terminal_snr=True)
    for mean, step in ((30.0, 0), (-30.0, 48)):  # the last step has an infinite log-SNR
        drawn = draw_logit_normal(table, 100, CPU, mean, 1.0, 0.0, torch.Generator().manual_seed(4))
        assert set(drawn.tolist()) == {step}
