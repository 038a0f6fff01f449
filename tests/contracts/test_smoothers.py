"""Contract tests of the smoothers of posediff and of installed plugins."""

from __future__ import annotations

from posediff.testing.contracts.smoothers import SmootherContract

CASES = {
    'GaussianSmoother': [{}, {'sigma_s': 0.2}],
    'OneEuroSmoother': [{}, {'min_cutoff': 0.3, 'beta': 0.0}],
    'SavitzkyGolaySmoother': [{}, {'window_s': 0.5, 'order': 2}],
}


class TestSmoothers(SmootherContract):
    cases = CASES
