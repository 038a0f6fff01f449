"""The contract tests: one class of tests for each registry of a stage.

Subclass the class of a registry in a file of tests, and give it the cases of your components::

    from posediff.testing.contracts.denoisers import DenoiserContract
    from posediff_mixer.contract_cases import CASES


    class TestDenoisers(DenoiserContract):
        package = 'posediff_mixer'
        cases = CASES['denoisers']

These modules need pytest, that of smoothers Hypothesis too: ``pip install 'posediff[test]'``.
"""

from pathlib import Path

import pytest

# So that failed assertions show their values; has to come before these modules are imported.
pytest.register_assert_rewrite(*(f'{__name__}.{file.stem}' for file in Path(__file__).parent.glob('[a-z]*.py')))
