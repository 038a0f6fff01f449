"""Checkpoints that other programs wrapped: what they hold is looked into."""

from __future__ import annotations

import pytest
import torch

from posediff.fileio.checkpoint import load_checkpoint
from posediff.integrations.official_checkpoints import convert_state_dict


@pytest.mark.parametrize('case', ['state-dict-wrapper', 'torch-compile-prefix'])
def test_the_weights_inside_are_found(field_case, case):
    checkpoint = load_checkpoint(field_case(case) / 'checkpoint.pth')
    found = convert_state_dict(checkpoint)
    assert set(found) == {
        f'conditioner.lifter.trunk.{name}'
        for name in ('joint_position', 'frame_position', 'joint_norm.weight', 'joint_norm.bias')
    }
    assert all(torch.isfinite(value).all() for value in found.values())
