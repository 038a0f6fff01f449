"""Contract tests of the exporters of posediff and of installed plugins."""

from __future__ import annotations

from posediff.testing.contracts.exporters import ExporterContract

CASES = {
    'bvh': [{}, {'scale': 100.0, 'gaps': 'interpolate', 'never_known': 'leave out'}],
    'c3d': [{}],
    'csv': [{}],
    'trc': [{}],
}


class TestExporters(ExporterContract):
    cases = CASES
