"""DiffPose's equations written out, against the decoder that computes the condition's share once per clip."""

import pytest
import torch
import torch.nn.functional as F

from posediff.models.denoisers import ConcatPoseDecoder, LookupPoseDecoder
from posediff.models.layers.convolution import ConcatConv2d, DetailedUpsampling, feature_upsampling, upsampling
from posediff.testing import randomise

CLIPS, HYPOTHESES, JOINTS, CHANNELS = 2, 3, 4, 6
SIZE = (16, 12)


@pytest.fixture(params=[('sum', 0, 'shared'), ('concat', 0, 'shared'), ('sum', 2, 'shared'), ('sum', 2, 'joint')])
def decoder(request):
    fusion, detail, masks = request.param
    model = LookupPoseDecoder(
        JOINTS, SIZE, CHANNELS + 16 * detail, channels=(8, 6, 4), out_channels=8, num_heads=2, fusion=fusion,
        step_channels=8, detail_channels=detail, masks=masks,
    )  # fmt: skip
    return randomise(model).eval()


def inputs(decoder=None):
    generator = torch.Generator().manual_seed(0)
    x_t = torch.randn(CLIPS * HYPOTHESES, JOINTS, *SIZE, generator=generator)
    channels = CHANNELS if decoder is None else decoder.condition_shape[0]
    condition = torch.randn(CLIPS, channels, SIZE[0] // 4, SIZE[1] // 4, generator=generator)
    return x_t, torch.arange(CLIPS * HYPOTHESES) * 100, condition


def literal_mask(part, refined):
    """One mask for all channels of the feature; or the weight of each channel, from a mask per joint."""
    if part.joint_masks is None:
        return torch.sigmoid(refined.max(dim=1, keepdim=True).values)
    layer = part.joint_masks
    masks = torch.sigmoid(torch.einsum('kc,nchw->nkhw', layer.projection.weight[..., 0, 0], refined)
                          + layer.projection.bias[:, None, None])  # fmt: skip
    assert masks.shape[1] == JOINTS
    return torch.einsum('ck,nkhw->nchw', layer.mixing.weight[..., 0, 0], masks)


def literal_low_resolution(part, noisy, feature):
    """Eq. 4: the concatenation of local and global feature goes through one linear map."""
    tokens = noisy.flatten(2).transpose(1, 2)
    refined = part.refinement(part.embedding(tokens) + part.heatmap_position)
    mask = literal_mask(part, refined.transpose(1, 2).unflatten(2, part.size)).flatten(2).transpose(1, 2)
    whole = part.feature(feature).flatten(2).transpose(1, 2)
    concatenated = torch.cat([mask * whole, whole], dim=2)
    weight = torch.cat([part.local_map.weight, part.global_map.weight], dim=1)
    tokens = part.interaction(F.linear(concatenated, weight, part.global_map.bias) + part.position)
    return part.up(part.norm(tokens).transpose(1, 2).unflatten(2, part.size))


def literal_higher_resolution(part, noisy, feature):
    """Eq. 5."""
    mask = literal_mask(part, part.refinement(noisy))
    whole = part.feature(feature)
    joined = F.conv2d(torch.cat([mask * whole, whole], dim=1), part.join.weight, padding=1)
    return part.up(part.interaction(F.relu(part.join_norm(joined))))


def test_the_decoder_is_the_papers_equations(decoder):
    x_t, timestep, condition = inputs(decoder)
    feature = condition.repeat_interleave(HYPOTHESES, dim=0)
    with torch.no_grad():
        noisy = decoder.rescaling(x_t, timestep)
        half = decoder.down_half(noisy)
        low, middle, high = decoder.resolutions
        found = [
            literal_low_resolution(low, decoder.down_quarter(half), feature),
            literal_higher_resolution(middle, half, feature),
            literal_higher_resolution(high, noisy, feature),
        ]
        fused = decoder.fuse(torch.cat(found, dim=1)) if decoder.fusion == 'concat' else sum(found)
        expected = decoder.detection(fused)
        actual = decoder(x_t, timestep, decoder.prepare(condition))
    torch.testing.assert_close(actual, expected, rtol=0, atol=1e-5 * expected.abs().max().item())


def test_masks_are_kept_for_pictures_when_asked(decoder):
    x_t, timestep, condition = inputs(decoder)
    for part in decoder.resolutions:
        part.keep_mask = True
    decoder(x_t, timestep, condition)
    sizes = [tuple(part.last_mask.shape) for part in decoder.resolutions]
    assert sizes == [(6, 1, 4, 3), (6, 1, 8, 6), (6, 1, 16, 12)]
    assert all(bool(((part.last_mask > 0) & (part.last_mask < 1)).all()) for part in decoder.resolutions)


def test_channels_of_a_new_decoder_have_the_masks_of_the_joints_in_turn():
    decoder = LookupPoseDecoder(JOINTS, SIZE, CHANNELS, (8, 6), 8, num_heads=2, masks='joint')
    masks = torch.rand(2, JOINTS, 3, 2)
    for part, channels in zip(decoder.resolutions, (8, 6), strict=True):
        expected = torch.stack([masks[:, channel % JOINTS] for channel in range(channels)], dim=1)
        torch.testing.assert_close(part.joint_masks.mixing(masks), expected)
        assert sum(p.numel() for p in part.joint_masks.parameters()) == JOINTS * (2 * channels + 1)


def test_steps_rescale_heatmap_by_heatmap(decoder):
    x_t, timestep, _ = inputs()
    ratio = decoder.rescaling(x_t, timestep) / x_t
    torch.testing.assert_close(ratio, ratio[..., :1, :1].expand_as(ratio), rtol=1e-4, atol=1e-4)
    assert len(ratio[..., 0, 0].unique()) > CLIPS


def test_a_new_decoder_leaves_heatmaps_as_they_are():
    decoder = LookupPoseDecoder(JOINTS, SIZE, CHANNELS, (8,), 8, num_heads=2)
    x_t, timestep, _ = inputs()
    assert torch.equal(decoder.rescaling(x_t, timestep), x_t)


def test_concat_conv_is_the_convolution_of_the_concatenation():
    layer = randomise(ConcatConv2d(3, 5, 4, bias=True))
    x, y = torch.randn(CLIPS * HYPOTHESES, 3, 6, 5), torch.randn(CLIPS, 5, 6, 5)
    both = torch.cat([x, y.repeat_interleave(HYPOTHESES, dim=0)], dim=1)
    expected = F.conv2d(both, layer.weight, layer.bias, padding=1)
    torch.testing.assert_close(layer(x, layer.condition_half(y)), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize('factor', [1, 2, 4])
def test_upsampling_enlarges(factor):
    assert upsampling(3, 5, factor)(torch.zeros(2, 3, 4, 3)).shape == (2, 5, 4 * factor, 3 * factor)


@pytest.mark.parametrize('factor', [1, 2, 4])
def test_the_finer_map_keeps_its_pixels(factor):
    """The finer map reaches every resolution in the order of its pixels."""
    layer = randomise(feature_upsampling(3 + 2 * 16, 5, factor, detail_channels=2)).eval()
    assert isinstance(layer, DetailedUpsampling)
    coarse, fine = torch.randn(2, 3, 4, 3), torch.randn(2, 2, 16, 12)
    out = layer(torch.cat([coarse, F.pixel_unshuffle(fine, 4)], dim=1))
    expected = layer.coarse(coarse) + layer.detail(F.pixel_unshuffle(fine, 4 // factor))
    torch.testing.assert_close(out, expected, rtol=1e-5, atol=1e-5)
    with pytest.raises(ValueError, match='leave none for the coarse map'):
        feature_upsampling(32, 5, factor, detail_channels=2)
    with pytest.raises(ValueError, match='4 times the size cannot be folded to 8 times'):
        feature_upsampling(64, 5, 8, detail_channels=2)


@pytest.mark.parametrize(
    ('options', 'said'),
    [
        ({'heatmap_size': (64, 46)}, r'multiple of 4, got \(64, 46\)'),
        ({'channels': ()}, 'widths of 1 to 3 resolutions'),
        ({'fusion': 'mean'}, "fusion must be one of sum, concat, got 'mean'"),
        ({'masks': 'per_joint'}, "masks must be one of shared, joint, got 'per_joint'"),
    ],
)
def test_senseless_options_are_refused(options, said):
    with pytest.raises(ValueError, match=said):
        LookupPoseDecoder(**options)


def test_shapes_that_do_not_fit_are_named(decoder):
    x_t, timestep, condition = inputs(decoder)
    with pytest.raises(ValueError, match=r'x_t of shape \(N, 4, 16, 12\); got \(6, 4, 12, 16\)'):
        decoder(x_t.transpose(2, 3), timestep, condition)
    with pytest.raises(ValueError, match=rf'condition of shape \(N, {condition.shape[1]}, 4, 3\)'):
        decoder(x_t, timestep, condition[:, :5])
    with pytest.raises(ValueError, match='batch 2 does not fit 5 rows'):
        decoder(x_t[:5], timestep[:5], condition)
    with pytest.raises(ValueError, match='factor must be a power of 2, got 3'):
        ConcatPoseDecoder(JOINTS, (15, 12), CHANNELS, feature_factor=3)
