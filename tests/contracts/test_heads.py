"""Contract tests of the heads of posediff and of installed plugins."""

from __future__ import annotations

from posediff.testing import ContractCase
from posediff.testing.contracts.heads import HeadContract

CODEC = {'type': 'UDPHeatmap', 'input_size': (48, 64), 'heatmap_size': (12, 16)}
SCALED = {'codec': CODEC, 'scale': 2.0, 'offset': 0.5, 'in_channels': 6, 'channels': 8}
REFINED = {'codec': CODEC, 'scale': 3.0, 'in_channels': 6, 'channels': 8, 'num_heads': 2}
POSE = (4, 17, 3)

CASES = {
    'HeatmapHead': [
        ContractCase({'codec': CODEC}, state_shape=(15, 16, 12)),
        ContractCase(SCALED, state_shape=(15, 16, 12), condition_shape=(6, 4, 3)),
    ],
    'KeypointHead': [
        ContractCase({'codec': CODEC}, state_shape=(15, 2)),
        ContractCase(REFINED, state_shape=(15, 2), condition_shape=(6 + 15, 16, 12)),
    ],
    'LiftingHead': [
        ContractCase(state_shape=POSE),
        ContractCase({'in_channels': 8, 'scale': 2.0}, state_shape=POSE, condition_shape=(4, 17, 8)),
    ],
    'ObservedLiftingHead': [ContractCase({'scale': 2.0}, state_shape=POSE)],
}


class TestHeads(HeadContract):
    cases = CASES
