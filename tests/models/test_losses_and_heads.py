"""Losses against closed forms, and the units of the lifting head."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from mmengine.structures import InstanceData

from posediff.models.heads.heatmap import HeatmapHead
from posediff.models.losses import MixSTELoss, PoseDistanceLoss, SquaredErrorLoss
from posediff.registry import HEADS, MODELS
from posediff.structures import PoseDataSample


def test_a_head_without_regression_says_so():
    with pytest.raises(ValueError, match='give LiftingHead in_channels'):
        HEADS.build({'type': 'LiftingHead'})(torch.zeros(1, 4, 17, 8))


def test_metres_inside_millimetres_outside():
    head = HEADS.build({'type': 'LiftingHead', 'scale': 2.0})
    assert float(head.encode(torch.tensor(500.0))) == 1.0


@given(shift=st.floats(-3, 3), joint=st.integers(0, 16))
def test_mixste_loss_of_one_shifted_joint(shift, joint):
    target = torch.zeros(2, 6, 17, 3)
    output = target.clone()
    output[..., joint, 0] += shift
    weight = MixSTELoss.H36M17_WEIGHTS[joint]
    assert float(MixSTELoss()(output, target)) == pytest.approx(weight * abs(shift) / 17, rel=1e-5, abs=1e-7)


def test_mixste_loss_terms_of_a_moving_joint():
    output = torch.zeros(1, 3, 17, 3)
    output[0, :, 5, 0] = torch.tensor([0.0, 1.0, 3.0])  # weight 2.5, steps 1 and 2
    target = torch.zeros_like(output)
    distance = 2.5 * (0 + 1 + 3) / (3 * 17)
    smoothness = 2.5 * (1 + 4) / (2 * 17 * 3)
    velocity = (1 + 2) / (2 * 17)
    expected = distance + 0.5 * smoothness + 2.0 * velocity
    assert float(MixSTELoss()(output, target)) == pytest.approx(expected)
    assert float(MixSTELoss(scale_by_value=True)(output, target)) == pytest.approx(expected**2)


def test_mixste_loss_of_a_perfect_still_pose_with_padded_frames_is_zero():
    pose = torch.randn(2, 1, 17, 3, generator=torch.Generator().manual_seed(0)).expand(2, 6, 17, 3)
    weight = torch.ones(2, 6, 17, 1)
    weight[0, 4:] = 0  # padded
    weight[1, 2, 5] = 0  # a joint that is not annotated
    assert float(MixSTELoss()(pose, pose, weight)) == 0.0


@given(frames=st.integers(2, 6), padded=st.integers(1, 5), seed=st.integers(0, 2**16))
@settings(max_examples=30)
def test_mixste_loss_does_not_see_padded_frames(frames, padded, seed):
    """Terms are means over all frames: without the padding each is as much larger as it has fewer."""
    generator = torch.Generator().manual_seed(seed)
    output, target = (torch.randn(2, frames + padded, 17, 3, generator=generator) for _ in range(2))
    weight = torch.ones(2, frames + padded, 1, 1)
    weight[:, frames:] = 0
    share = frames / (frames + padded)
    steps_share = (frames - 1) / (frames + padded - 1)
    distance, both = MixSTELoss(temporal=0.0, velocity=0.0), MixSTELoss()
    short = output[:, :frames], target[:, :frames]
    expected = share * distance(*short) + steps_share * (both(*short) - distance(*short))
    torch.testing.assert_close(both(output, target, weight), expected)
    assert torch.equal(both(output, target, torch.ones(2, 1, 1, 1)), both(output, target))


@pytest.mark.parametrize('loss', [SquaredErrorLoss(), PoseDistanceLoss()])
def test_weights_silence_what_they_are_zero_on(loss):
    output, target = torch.ones(2, 4, 17, 3), torch.zeros(2, 4, 17, 3)
    weight = torch.ones(2, 1, 1, 1)
    full = loss(output, target)
    torch.testing.assert_close(loss(output, target, weight), full)
    weight[0] = 0
    torch.testing.assert_close(loss(output, target, weight), full / 2)


def test_distance_is_euclidean():
    output = torch.zeros(1, 1, 2, 3)
    output[0, 0, 1] = torch.tensor([2.0, 3.0, 6.0])
    assert float(PoseDistanceLoss()(output, torch.zeros_like(output))) == pytest.approx(3.5)


def test_joint_weights_must_fit():
    with pytest.raises(ValueError, match='17 joint weights do not fit poses of 16 joints'):
        MixSTELoss()(torch.zeros(1, 2, 16, 3), torch.zeros(1, 2, 16, 3))


def test_an_untrained_heatmap_head_begins_at_empty_heatmaps():
    codec = {'type': 'UDPHeatmap', 'input_size': (48, 64), 'heatmap_size': (12, 16)}
    head = HeatmapHead(codec=codec, in_channels=8, channels=8, scale=2.0, offset=0.5)
    maps = head.decode(head(torch.randn(2, 8, 4, 3)))
    assert maps.shape == (2, 15, 16, 12)
    assert maps.abs().max() < 0.05


@pytest.mark.parametrize(('scale', 'offset'), [(1.0, 0.0), (2.0, 0.5)])
@pytest.mark.parametrize('denoiser', ['LookupPoseDecoder', 'ConcatPoseDecoder'])
def test_an_untrained_heatmap_denoiser_begins_at_empty_heatmaps(denoiser, scale, offset):
    """Wherever the head puts them: an output layer walks there no faster than the learning rate."""
    size = {'num_joints': 15, 'heatmap_size': (16, 12), 'condition_channels': 8, 'step_channels': 8}
    widths = {'channels': (8, 8, 8), 'num_heads': 2} if denoiser == 'LookupPoseDecoder' else {'channels': 8}
    codec = {'type': 'UDPHeatmap', 'input_size': (48, 64), 'heatmap_size': (12, 16)}
    model = MODELS.build(
        {
            'type': 'PoseDiffusionEstimator',
            'data_preprocessor': {'type': 'ClipPreprocessor'},
            'backbone': {'type': 'TimmBackbone', 'model_name': 'test_resnet'},
            'conditioner': {'type': 'SingleFrameConditioner', 'in_channels': 8, 'num_frames': 1, 'channels': 8},
            'denoiser': {'type': denoiser, **size, **widths},
            'noise_scheduler': {'type': 'CosineNoiseScheduler', 'prediction_type': 'sample'},
            'sampler': {'type': 'DDIMSampler'},
            'head': {'type': 'HeatmapHead', 'codec': codec, 'scale': scale, 'offset': offset},
        }
    ).eval()
    with torch.no_grad():
        x_0 = model.sample(torch.randn(2, 8, 4, 3), num_hypotheses=2, num_inference_steps=2)
    assert model.head.decode(x_0).abs().max() < 0.05


@pytest.mark.parametrize('codec', ['UDPHeatmap', 'MSRAHeatmap'])
@given(
    point=st.tuples(st.floats(6, 42), st.floats(6, 58)),
    height=st.floats(0.05, 1),
    seed=st.integers(0, 2**16),
)
@settings(deadline=None, max_examples=40)
def test_keypoints_lie_where_the_heatmap_is_highest(codec, point, height, seed):
    """A clear maximum as MMPose's codec reads it; a flat map without being thrown out of the picture."""
    options = {'input_size': (48, 64), 'heatmap_size': (12, 16), 'sigma': 1.0}
    if codec == 'MSRAHeatmap':
        options['unbiased'] = True
    head = HeatmapHead(codec={'type': codec, **options})
    sample = PoseDataSample(
        metainfo={'input_size': (48, 64), 'input_scale': np.array([48, 64]), 'input_center': np.array([24, 32])}
    )
    sample.gt_instances = InstanceData()
    clear = head.codec.encode(np.full((1, 15, 2), point, np.float32), np.ones((1, 15), np.float32))['heatmaps'] * height

    def locate(heatmaps):
        head.attach([sample], torch.from_numpy(heatmaps)[None], torch.zeros(0))
        return sample.pred_instances.keypoints[0], sample.pred_instances.keypoint_scores[0]

    found, _ = locate(clear)
    np.testing.assert_allclose(found, head.codec.decode(clear)[0].reshape(-1, 2), atol=1e-4)
    assert np.abs(found - point).max() < 4.5  # a cell

    flat = 1e-3 + 1e-6 * np.random.default_rng(seed).random((15, 16, 12), np.float32)
    found, maxima = locate(flat)
    reach = 7 * np.array([48 / 11, 64 / 15])
    assert (np.abs(found - [24, 32]) <= np.array([24, 32]) + reach).all()
    np.testing.assert_allclose(maxima, flat.max((1, 2)))
