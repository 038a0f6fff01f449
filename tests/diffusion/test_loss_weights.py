"""min-SNR weights: equal to those of x_0, whatever the network predicts."""

from __future__ import annotations

import pytest
import torch

from posediff.diffusion.loss_weights import min_snr_weight
from posediff.diffusion.noise_schedulers import CosineNoiseScheduler, CosinePath, LinearPath

STATES = [(4, 5, 3), (5, 6, 4)]  # (T, K, 3) and (K, H, W)
TABLES = [(CosineNoiseScheduler(50, prediction_type=kind), torch.arange(50)) for kind in ('epsilon', 'v_prediction')]
CONTINUOUS = [
    (path(kind), torch.arange(1, 50) / 50) for path in (LinearPath, CosinePath) for kind in ('v_prediction', 'velocity')
]
TABLE_SNR = CosineNoiseScheduler(50).alpha_bar / (1 - CosineNoiseScheduler(50).alpha_bar)


@pytest.mark.parametrize('shape', STATES)
@pytest.mark.parametrize(
    ('path', 'times'),
    [*TABLES, *CONTINUOUS],
    ids=lambda value: f'{type(value).__name__}-{getattr(value, "prediction_type", "")}',
)
def test_the_weighted_error_is_that_of_x_0_whatever_is_predicted(path, times, shape):
    generator = torch.Generator().manual_seed(0)
    x_0, epsilon, error = torch.randn(3, len(times), *shape, generator=generator)
    x_t, target = path.add_noise(x_0, epsilon, times), path.target(x_0, epsilon, times)
    output = target + 0.1 * error
    estimate = path.estimate(output, x_t, times)
    level = path.levels(times)
    snr = (level.signal / level.noise) ** 2
    found = min_snr_weight(path, times, 5.0) * (output - target).square().flatten(1).sum(1)
    expected = snr.clamp(max=5) * (estimate - x_0).square().flatten(1).sum(1)
    torch.testing.assert_close(found, expected, rtol=2e-2, atol=1e-3)


def test_the_forms_of_the_paper_and_of_the_linear_path():
    snr, t = TABLE_SNR.float(), torch.arange(1, 50) / 50
    capped = snr.clamp(max=5)
    for kind, expected in {'sample': capped, 'epsilon': capped / snr, 'v_prediction': capped / (snr + 1)}.items():
        found = min_snr_weight(CosineNoiseScheduler(50, prediction_type=kind), torch.arange(50), 5.0)
        torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-7)
    linear = (t / (1 - t)) ** 2
    torch.testing.assert_close(min_snr_weight(LinearPath(), t, 5.0), linear.clamp(max=5) * (1 - t) ** 2)
    torch.testing.assert_close(min_snr_weight(LinearPath('sample'), t, 5.0), linear.clamp(max=5))


def test_weights_are_finite_at_both_ends():
    zero_snr = CosineNoiseScheduler(50, prediction_type='v_prediction', rescale_zero_terminal_snr=True)
    assert float(min_snr_weight(zero_snr, torch.tensor([49]))) == 0.0
    for kind in LinearPath.prediction_types:
        weight = min_snr_weight(LinearPath(kind), torch.tensor([0.0, 1 - 2**-24, 1.0]))
        assert weight.isfinite().all()
        assert float(weight[0]) == 0.0
