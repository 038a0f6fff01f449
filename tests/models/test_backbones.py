"""Backbones of MMPose and MMPretrain by their scope, and weights that come from files."""

import pytest
import torch

from posediff.registry import BACKBONES

pytest.importorskip('mmpose')
pytest.importorskip('mmpretrain')

VITPOSE = {
    'type': 'mmpretrain.VisionTransformer',
    'arch': {'embed_dims': 16, 'num_layers': 2, 'num_heads': 2, 'feedforward_channels': 32},
    'img_size': (64, 48), 'patch_size': 16, 'qkv_bias': True, 'with_cls_token': False, 'out_type': 'featmap',
    'patch_cfg': {'padding': 2},
}  # fmt: skip


def test_published_vitpose_weights_load(tmp_path):
    """A file with the keys of MMPose's published ViTPose checkpoints: the backbone's beside the head's."""
    trained = BACKBONES.build(VITPOSE)
    state = {f'backbone.{name}': torch.randn_like(value) for name, value in trained.state_dict().items()}
    assert 'backbone.layers.1.ffn.layers.0.0.weight' in state  # MMPretrain's names, not timm's
    file = tmp_path / 'vitpose.pth'
    torch.save({'state_dict': state | {'head.final_layer.weight': torch.zeros(17, 4, 1, 1)}, 'meta': {}}, file)
    init = {'type': 'Pretrained', 'checkpoint': str(file), 'prefix': 'backbone.'}
    backbone = BACKBONES.build(VITPOSE | {'init_cfg': init})
    backbone.init_weights()
    for name, value in backbone.state_dict().items():
        assert torch.equal(value, state[f'backbone.{name}']), name
    assert backbone(torch.zeros(2, 3, 64, 48))[-1].shape == (2, 16, 4, 3)


def test_a_trained_model_gives_its_backbone_to_the_next(tmp_path):
    pytest.importorskip('timm')
    tiny = {
        'type': 'TimmBackbone', 'model_name': 'vit_tiny_patch16_224', 'img_size': (32, 32),
        'model_kwargs': {'embed_dim': 12, 'depth': 1, 'num_heads': 2},
    }  # fmt: skip
    first = BACKBONES.build(tiny)
    file = tmp_path / 'trained.pth'
    state = {f'backbone.{name}': value for name, value in first.state_dict().items()}
    torch.save({'state_dict': state | {'denoiser.detection.bias': torch.zeros(3)}}, file)
    second = BACKBONES.build(tiny | {'checkpoint': str(file)})
    second.init_weights()
    assert all(torch.equal(value, second.state_dict()[name]) for name, value in first.state_dict().items())
    other = BACKBONES.build(tiny | {'checkpoint': str(file), 'img_size': (64, 32)})
    with pytest.raises(ValueError, match=r'trained\.pth holds weights of another backbone'):
        other.init_weights()
    with pytest.raises(ValueError, match='two sources of the same weights'):
        BACKBONES.build(tiny | {'checkpoint': str(file), 'pretrained': True})
    with pytest.raises(ValueError, match="timm has no model 'vit_tinny'"):
        BACKBONES.build(tiny | {'model_name': 'vit_tinny'})


def test_convolutions_stand_in_for_a_patch_embedding():
    pytest.importorskip('timm')
    vit = {'type': 'TimmBackbone', 'model_name': 'vit_tiny_patch16_224', 'img_size': (64, 48), 'stem': 'convolution'}
    narrow = {'embed_dim': 24, 'depth': 1, 'num_heads': 2}
    assert BACKBONES.build(vit | {'model_kwargs': narrow})(torch.zeros(2, 3, 64, 48)).shape == (2, 24, 4, 3)
    with pytest.raises(ValueError, match='a power of 2 from 4, got 12'):
        BACKBONES.build(vit | {'model_kwargs': narrow | {'patch_size': 12}})
    with pytest.raises(ValueError, match="'resnet18' has no patch embedding"):
        BACKBONES.build({'type': 'TimmBackbone', 'model_name': 'resnet18', 'stem': 'convolution'})
    with pytest.raises(ValueError, match='stem must be one of'):
        BACKBONES.build(vit | {'stem': 'conv'})


@pytest.mark.parametrize(
    ('name', 'stage', 'shape'),
    [
        ('tf_efficientnet_lite0', 1, (24, 16, 24)),
        ('tf_efficientnet_lite0', 3, (112, 4, 6)),
        ('tf_efficientnet_lite0', -1, (320, 2, 3)),
        ('resnet18', -3, (128, 8, 12)),
        ('convnext_atto', 2, (160, 4, 6)),
    ],
)
def test_a_stage_of_a_cnn_is_one_of_the_maps_of_the_whole_model(name, stage, shape, tmp_path):
    timm = pytest.importorskip('timm')
    whole = timm.create_model(name).eval()
    for key, value in whole.state_dict().items():
        if value.is_floating_point():
            value.copy_(torch.rand_like(value) + 0.5 if key.endswith('running_var') else 0.1 * torch.randn_like(value))
    torch.save(whole.state_dict(), tmp_path / 'whole.pth')
    config = {'type': 'TimmBackbone', 'model_name': name, 'stage': stage}
    backbone = BACKBONES.build(config | {'checkpoint': tmp_path / 'whole.pth'}).eval()
    backbone.init_weights()
    images = torch.randn(1, 3, 64, 96)
    with torch.no_grad():
        expected = whole.forward_intermediates(images, norm=True, intermediates_only=True)[stage]
        assert torch.equal(backbone(images), expected)
    assert expected.shape[1:] == shape
    assert len(backbone.state_dict()) < len(whole.state_dict())


def test_only_layers_of_the_timm_model_may_be_more_in_a_file(tmp_path):
    timm = pytest.importorskip('timm')
    state = timm.create_model('tf_efficientnet_lite0').state_dict()
    backbone = BACKBONES.build(
        {'type': 'TimmBackbone', 'model_name': 'tf_efficientnet_lite0', 'stage': 2, 'checkpoint': tmp_path / 'a.pth'}
    )
    torch.save(state | {'blocks.7.0.conv_pw.weight': torch.zeros(1)}, tmp_path / 'a.pth')
    with pytest.raises(ValueError, match=r'a\.pth holds weights of another backbone(?s:.*)blocks\.7\.0\.conv_pw'):
        backbone.init_weights()
    del state['blocks.1.0.conv_pw.weight']
    torch.save(state, tmp_path / 'a.pth')
    with pytest.raises(ValueError, match=r'(?s)Missing key.*blocks\.1\.0\.conv_pw'):
        backbone.init_weights()
