"""The supervised lifter's trunk."""

from __future__ import annotations

import pytest
import torch

from posediff.models.denoisers import MixSTEDenoiser
from posediff.models.lifters import MixSTE


def tiny(**changes) -> MixSTE:
    return MixSTE(**{'channels': 8, 'depth': 2, 'num_heads': 2, 'num_frames': 5, **changes})


@pytest.mark.parametrize('shape', [(1, 4, 17, 2), (1, 5, 16, 2), (1, 5, 17, 3), (5, 17, 2)])
def test_wrong_shapes_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match='5 frames, 17 joints, 2 channels') as caught:
        tiny()(torch.zeros(shape))
    assert str(shape) in str(caught.value)


def test_features_are_normalised() -> None:
    features = tiny()(torch.randn(2, 5, 17, 2))
    torch.testing.assert_close(features.mean(dim=-1), torch.zeros(2, 5, 17), rtol=0, atol=1e-5)
    torch.testing.assert_close(features.var(dim=-1, unbiased=False), torch.ones(2, 5, 17), rtol=0, atol=1e-2)


def test_stochastic_depth_grows_from_zero() -> None:
    model = tiny(depth=5, drop_path_rate=0.1)
    for blocks in (model.trunk.joint_blocks, model.trunk.frame_blocks):
        assert [block.drop_path.rate for block in blocks] == pytest.approx([0, 0.025, 0.05, 0.075, 0.1])
    assert tiny(depth=1, drop_path_rate=0.1).trunk.joint_blocks[0].drop_path.rate == 0


def test_training_is_random_with_stochastic_depth_only() -> None:
    x = torch.randn(2, 5, 17, 2)
    for rate, random in ((0.0, False), (0.9, True)):
        model = tiny(drop_path_rate=rate).train()
        assert torch.equal(model(x), model(x)) != random
        model.eval()
        assert torch.equal(model(x), model(x))


def test_size_of_the_paper() -> None:
    model = MixSTE(channels=512, num_frames=243)
    regression = 3 * 512 + 3
    # the official module's count at 27 frames, and the position embedding of 216 frames more
    assert sum(p.numel() for p in model.parameters()) + regression == 33_673_219 + 216 * 512


def test_the_denoiser_has_the_same_trunk() -> None:
    sizes = {'channels': 8, 'depth': 2, 'num_heads': 2, 'num_frames': 5}
    lifter, denoiser = MixSTE(**sizes).eval(), MixSTEDenoiser(**sizes).eval()
    denoiser.trunk.load_state_dict(lifter.trunk.state_dict())
    tokens = torch.randn(1, 5, 17, 8)
    assert torch.equal(denoiser.trunk(tokens), lifter.trunk(tokens))
