"""What plugins need to test their components as posediff tests its own.

A plugin declares tiny instances of its components as :class:`ContractCase` in a module of its own, and names that
mapping in an entry point of the group ``posediff.contract_cases``. The tests are in :mod:`posediff.testing.contracts`,
one class for each registry; pytest collects a subclass of it. Nothing outside this package imports it.
"""

from posediff.testing.cases import CASES_GROUP, Cases, ContractCase, declared_cases, randomise

__all__ = ['CASES_GROUP', 'Cases', 'ContractCase', 'declared_cases', 'randomise']
