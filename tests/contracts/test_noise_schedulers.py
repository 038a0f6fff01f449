"""Contract tests of the noise schedulers of posediff and of installed plugins."""

from __future__ import annotations

from posediff.testing.contracts.noise_schedulers import NoiseSchedulerContract

CASES = {
    'BetasNoiseScheduler': [{'betas': [0.1, 0.2, 0.4]}, {'betas': [0.1, 0.2, 0.4], 'shift': 0.5}],
    'CosineNoiseScheduler': [{}, {'shift': 4.0}, {'time_input': 'log_snr'}],
    'CosinePath': [{'prediction_type': 'v_prediction'}],
    'LinearNoiseScheduler': [{}, {'rescale_zero_terminal_snr': True, 'prediction_type': 'v_prediction'}],
    'LinearPath': [{}, {'prediction_type': 'sample'}, {'prediction_type': 'v_prediction'}],
    'QuadraticNoiseScheduler': [{}],
}


class TestNoiseSchedulers(NoiseSchedulerContract):
    cases = CASES
