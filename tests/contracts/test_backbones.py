"""Contract tests of the backbones of posediff and of installed plugins."""

from __future__ import annotations

from posediff.testing import ContractCase
from posediff.testing.contracts.backbones import BackboneContract

NARROW = {'embed_dim': 12, 'depth': 1, 'num_heads': 2, 'patch_size': 8}
VIT = {'model_name': 'vit_tiny_patch16_224', 'img_size': (32, 24), 'model_kwargs': NARROW}

CASES = {
    'MoveNetBackbone': [
        *(ContractCase({'stride': stride}, input_shape=(3, 64, 32)) for stride in (4, 16, 32)),
        ContractCase({'keypoints': True}, input_shape=(3, 64, 32)),
    ],
    'TimmBackbone': [
        ContractCase(VIT, input_shape=(3, 32, 24)),
        ContractCase({**VIT, 'stem': 'convolution'}, input_shape=(3, 32, 24)),
        ContractCase({'model_name': 'test_resnet'}, input_shape=(3, 64, 64)),
        ContractCase({'model_name': 'test_efficientnet', 'stage': 2}, input_shape=(3, 64, 32)),
    ],
}


class TestBackbones(BackboneContract):
    cases = CASES
