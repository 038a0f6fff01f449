"""Contract tests: one class per registry of a stage.

Subclass the class of a registry in a test file, with the cases of your components::

    from posediff.testing.contracts.denoisers import DenoiserContract
    from posediff_mixer.contract_cases import CASES


    class TestDenoisers(DenoiserContract):
        package = 'posediff_mixer'
        cases = CASES['denoisers']

The tests need pytest, and those of smoothers Hypothesis: ``pip install 'posediff[test]'``.
"""

from pathlib import Path

import pytest

# Before these modules are imported, so that failed assertions show their values.
pytest.register_assert_rewrite(*(f'{__name__}.{file.stem}' for file in Path(__file__).parent.glob('[a-z]*.py')))
