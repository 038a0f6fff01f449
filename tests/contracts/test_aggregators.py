"""Contract tests of the aggregators of posediff and of installed plugins."""

from __future__ import annotations

from posediff.testing.contracts.aggregators import AggregatorContract

CASES = {
    'DensityAggregator': [{}, {'bandwidth': 2.0}],
    'JointReprojectionAggregator': [{'root': 'estimate'}, {'root': 'ground_truth'}],
    'MeanAggregator': [{}],
    'MedianAggregator': [{'kind': 'coordinate'}, {'kind': 'geometric'}],
    'WeightedAggregator': [{'root': 'estimate'}, {'root': 'ground_truth'}],
}


class TestAggregators(AggregatorContract):
    cases = CASES
