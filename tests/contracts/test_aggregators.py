"""Contract tests of the aggregators of posediff and of installed plugins."""

from __future__ import annotations

from posediff.testing.contracts.aggregators import AggregatorContract

CASES = {
    'DensityAggregator': [{}, {'bandwidth': 2.0}],
    'JointReprojectionAggregator': [{'root': 'estimate'}, {'root': 'ground_truth'}],
    'MeanAggregator': [{}],
    'MedianAggregator': [{'kind': 'coordinate'}, {'kind': 'geometric'}],
    'ReprojectionExpectationAggregator': [{'root': 'estimate'}, {'root': 'ground_truth', 'top_k': 3}],
    'WeightedAggregator': [{'root': 'estimate'}, {'root': 'ground_truth'}],
}


class TestAggregators(AggregatorContract):
    cases = CASES
