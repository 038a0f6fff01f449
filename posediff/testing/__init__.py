"""Contract tests for registered components, for posediff and its plugins.

A plugin declares tiny instances of its components as :class:`ContractCase` in a mapping, and names the mapping in an
entry point of the group ``posediff.contract_cases``. The tests are in :mod:`posediff.testing.contracts`, one class per
registry; pytest collects a subclass of it. No other folder of posediff imports this package.
"""

from posediff.testing.cases import CASES_GROUP, Cases, ContractCase, declared_cases, randomise

__all__ = ['CASES_GROUP', 'Cases', 'ContractCase', 'declared_cases', 'randomise']
