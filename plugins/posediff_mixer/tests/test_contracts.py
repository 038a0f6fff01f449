"""posediff's contract tests over the components of this package."""

from __future__ import annotations

import pytest

from posediff.testing.contracts.denoisers import DenoiserContract
from posediff.testing.contracts.exporters import ExporterContract

contract_cases = pytest.importorskip(
    'posediff_mixer.contract_cases',
    reason='posediff-mixer is not installed; pip install --no-deps ./plugins/posediff_mixer',
)


class TestDenoisers(DenoiserContract):
    package = 'posediff_mixer'
    cases = contract_cases.CASES['denoisers']


class TestExporters(ExporterContract):
    package = 'posediff_mixer'
    cases = contract_cases.CASES['exporters']
