"""Contract tests of the conditioners of posediff and of installed plugins."""

from __future__ import annotations

from posediff.models.conditioners.centring import CENTRED_CHANNELS
from posediff.testing import ContractCase
from posediff.testing.contracts.conditioners import ConditionerContract

MIXSTE = {'type': 'MixSTE', 'channels': 8, 'depth': 2, 'num_heads': 2, 'num_frames': 5}
CENTRED_MIXSTE = {**MIXSTE, 'in_channels': CENTRED_CHANNELS}
LIFTER_CASES = [
    ContractCase({'lifter': MIXSTE}, input_shape=(5, 17, 2)),
    ContractCase({'lifter': CENTRED_MIXSTE, 'center': True}, input_shape=(5, 17, 2)),
]
SMALL = {'num_frames': 3, 'size': (4, 3), 'channels': 8, 'depth': 1, 'num_heads': 2}

CASES = {
    'FrozenLifterConditioner': LIFTER_CASES,
    'HeatmapConditioner': [
        ContractCase({**SMALL, 'in_channels': 6, 'num_joints': 5, 'map_channels': 8}, input_shape=(3, 6, 4, 3)),
        ContractCase(
            {**SMALL, 'in_channels': 6, 'map_channels': 8, 'patch_size': 4, 'detail': True}, input_shape=(3, 6, 16, 12)
        ),
    ],
    'Keypoints2DConditioner': [
        ContractCase({'center': center}, input_shape=(5, 17, channels))
        for channels in (2, 3)  # with and without the mask channel
        for center in (False, True)
    ],
    'LiftedPoseConditioner': [
        ContractCase({'lifter': MIXSTE, 'in_channels': 8}, input_shape=(5, 17, 2)),
        ContractCase({'lifter': CENTRED_MIXSTE, 'in_channels': 8, 'center': True}, input_shape=(5, 17, 2)),
        ContractCase(
            {'lifter': {'type': 'GraFormer', 'channels': 8, 'num_layers': 1, 'in_channels': 3}, 'in_channels': 24},
            input_shape=(1, 17, 3),
        ),
    ],
    'LifterConditioner': LIFTER_CASES,
    'PosePriorConditioner': [
        ContractCase({'lifter': MIXSTE, 'scale': 2.0}, input_shape=(5, 17, 2)),
        ContractCase({'lifter': CENTRED_MIXSTE, 'scale': 2.0, 'center': True}, input_shape=(5, 17, 2)),
    ],
    'SingleFrameConditioner': [
        ContractCase({'in_channels': 6, 'channels': 8}, input_shape=(1, 6, 4, 3)),
        ContractCase({'in_channels': 6, 'channels': 8, 'num_frames': 3}, input_shape=(3, 6, 4, 3)),
    ],
    'SpatioTemporalConditioner': [
        ContractCase({**SMALL, 'in_channels': 6}, input_shape=(3, 6, 4, 3)),
        ContractCase({**SMALL, 'in_channels': 6, 'patch_size': 2}, input_shape=(3, 6, 8, 6)),
        ContractCase(
            {**SMALL, 'in_channels': 8, 'rearrange': 2, 'num_frames': 1, 'size': (4, 4)}, input_shape=(1, 8, 2, 2)
        ),
    ],
}


class TestConditioners(ConditionerContract):
    cases = CASES
