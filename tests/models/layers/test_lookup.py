"""Transformer layers of the lookup-based decoder and of the spatiotemporal representation learner."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from posediff.models.layers.lookup import EncoderLayer


@pytest.mark.parametrize('training', [True, False])
def test_an_encoder_layer_equals_that_of_torch(training):
    layer = EncoderLayer(8, 2, 1.5)
    reference = nn.TransformerEncoderLayer(8, 2, 12, 0.0, 'gelu', batch_first=True, norm_first=True)
    for values in layer.parameters():
        nn.init.normal_(values)
    reference.load_state_dict(layer.state_dict())
    tokens = torch.randn(3, 7, 8)
    with torch.set_grad_enabled(training):
        found, expected = layer.train(training)(tokens), reference.train(training)(tokens)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)
