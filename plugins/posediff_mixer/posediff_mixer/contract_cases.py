"""Tiny instances of the components, for posediff's contract tests; only tests import this module."""

from posediff.testing import ContractCase

CASES = {
    'denoisers': {
        'JointTimeMixer': [
            ContractCase(
                {'num_frames': 5, 'num_joints': 17, 'channels': 8, 'depth': 2},
                state_shape=(5, 17, 3),
                condition_shape=(5, 17, 2),
            )
        ]
    },
    'exporters': {'world-csv': [{}, {'seen_only': True}]},
}
