"""The estimator on frames: backbone, spatiotemporal condition, denoised heatmaps, keypoints."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from mmengine.structures import InstanceData, PixelData

from posediff.models.clip_preprocessor import ClipPreprocessor
from posediff.models.estimator import PoseDiffusionEstimator
from posediff.registry import CONDITIONERS
from posediff.structures import PoseDataSample

pytest.importorskip('mmpose')
pytest.importorskip('timm')

FRAMES, JOINTS, LABELS = 3, 15, 17
CODEC = {'type': 'UDPHeatmap', 'input_size': (48, 64), 'heatmap_size': (12, 16), 'sigma': 1.0}
GRADIENTS = ('all', 'key_frame')
NOT_EARS = [joint for joint in range(LABELS) if joint not in (3, 4)]
HEAD = {'type': 'HeatmapHead', 'codec': CODEC, 'label_joints': NOT_EARS, 'num_label_joints': LABELS}
TINY_VIT = {'embed_dim': 12, 'depth': 1, 'num_heads': 2, 'patch_size': 16}


def config(**changes):
    return {
        'data_preprocessor': {'type': 'ClipPreprocessor'},
        'backbone': {
            'type': 'TimmBackbone', 'model_name': 'vit_tiny_patch16_224', 'img_size': (64, 48),
            'model_kwargs': TINY_VIT,
        },
        'conditioner': {
            'type': 'SpatioTemporalConditioner', 'in_channels': 12, 'num_frames': FRAMES, 'size': (4, 3), 'channels': 8,
            'depth': 1, 'num_heads': 2,
        },
        'denoiser': {
            'type': 'LookupPoseDecoder', 'num_joints': JOINTS, 'heatmap_size': (16, 12), 'condition_channels': 8,
            'channels': (8, 8, 8), 'out_channels': 8, 'num_heads': 2, 'step_channels': 8,
        },
        'noise_scheduler': {'type': 'CosineNoiseScheduler', 'prediction_type': 'sample'},
        'sampler': {'type': 'DDIMSampler', 'spacing': 'diffusiondet'},
        'head': HEAD,
        'test_cfg': {'num_hypotheses': 3, 'num_inference_steps': 2},
    } | changes  # fmt: skip


CONTROL = {
    'denoiser': None, 'noise_scheduler': None, 'sampler': None, 'test_cfg': None,
    'head': {**HEAD, 'in_channels': 8, 'channels': 8},
}  # fmt: skip


def batch(size=2):
    generator = torch.Generator().manual_seed(0)
    items = []
    for index in range(size):
        sample = PoseDataSample()
        sample.set_metainfo(
            {'sample_id': f'clip{index}', 'input_size': (48, 64), 'input_center': np.array([100.0, 50.0]),
             'input_scale': np.array([96.0, 128.0])}
        )  # fmt: skip
        sample.gt_instances = InstanceData(bboxes=np.zeros((1, 4)), bbox_scores=np.ones(1))
        sample.gt_instance_labels = InstanceData(keypoint_weights=torch.ones(1, LABELS))
        sample.gt_fields = PixelData(heatmaps=torch.rand(LABELS, 16, 12, generator=generator))
        frames = torch.randint(0, 256, (FRAMES, 3, 64, 48), generator=generator, dtype=torch.uint8)
        items.append({'inputs': frames, 'data_samples': sample})
    return items


@pytest.mark.parametrize('changes', [{}, CONTROL], ids=['diffusion', 'control'])
def test_loss_reaches_every_part_and_prediction_is_in_the_image(changes):
    model = PoseDiffusionEstimator(**config(**changes))
    data = model.data_preprocessor(batch(), True)
    loss = model.train()(**data, mode='loss')['loss']
    loss.backward()
    assert not [name for name, parameter in model.named_parameters() if parameter.grad is None]
    samples = model.eval()(**model.data_preprocessor(batch()), mode='predict')
    keypoints, scores = samples[0].pred_instances.keypoints, samples[0].pred_instances.keypoint_scores
    assert keypoints.shape == (1, LABELS, 2)
    assert scores[0, [3, 4]].tolist() == [0, 0]
    assert np.isfinite(keypoints).all()


def detailed(kind, **changes):
    """A model on maps of stride 4, whose key frame's map is part of the condition."""
    conditioner = {
        'type': kind, 'in_channels': 24, 'num_frames': FRAMES, 'channels': 8, 'patch_size': 4, 'detail': True,
    }  # fmt: skip
    if kind == 'SpatioTemporalConditioner':
        conditioner |= {'size': (4, 2), 'depth': 1, 'num_heads': 2}
    codec = CODEC | {'input_size': (32, 64), 'heatmap_size': (8, 16)}
    denoiser = config()['denoiser'] | {
        'heatmap_size': (16, 8),
        'condition_channels': 8 + 24 * 16,
        'detail_channels': 24,
    }
    return PoseDiffusionEstimator(
        **config(backbone={'type': 'MoveNetBackbone'}, conditioner=conditioner, denoiser=denoiser,
                 head={**HEAD, 'codec': codec}, **changes)
    )  # fmt: skip


@pytest.mark.parametrize('kind', ['SpatioTemporalConditioner', 'SingleFrameConditioner'])
def test_the_key_frames_own_map_is_the_end_of_the_condition(kind):
    model = detailed(kind).eval()
    frames = torch.randn(2, FRAMES, 3, 64, 32)
    features = model.extract_features(frames)
    condition = model.compute_condition(frames)
    assert condition.shape == (2, 8 + 24 * 16, 4, 2)
    assert torch.equal(F.pixel_shuffle(condition[:, 8:], 4), features[:, FRAMES // 2])
    plain = detailed(kind).conditioner
    plain.load_state_dict(model.conditioner.state_dict())
    plain.detail_factor = None
    assert torch.equal(plain.eval()(features), condition[:, :8])
    options = {'type': kind, 'in_channels': 24, 'num_frames': FRAMES, 'channels': 8, 'detail': True}
    for change in ({'patch_size': 2}, {'patch_size': 4, 'rearrange': 2}):
        with pytest.raises(ValueError, match='detail needs patch_size 4 and rearrange 1'):
            CONDITIONERS.build(options | change)


def test_the_backbone_can_be_trained_on_the_key_frame_only():
    """The loss is that of training on all frames, and no gradient reaches the other frames."""
    models = {name: detailed('SpatioTemporalConditioner', train_cfg={'backbone_gradient': name}) for name in GRADIENTS}
    models['key_frame'].load_state_dict(models['all'].state_dict())
    frames = torch.randn(2, FRAMES, 3, 64, 32)
    x_0, timestep, noise = torch.rand(2, JOINTS, 16, 8), torch.tensor([5, 900]), torch.randn(2, JOINTS, 16, 8)
    losses, reached = {}, {}
    for name, model in models.items():
        given = frames.clone().requires_grad_()
        losses[name] = model.train().diffusion_loss(x_0, model.compute_condition(given), timestep, noise)
        losses[name].backward()
        reached[name] = given.grad.abs().amax((0, 2, 3, 4)) > 0
    torch.testing.assert_close(losses['key_frame'], losses['all'], rtol=1e-4, atol=1e-6)
    assert reached['all'].tolist() == [True, True, True]
    assert reached['key_frame'].tolist() == [False, True, False]
    assert next(models['key_frame'].backbone.trunk.parameters()).grad is not None


def test_a_backbone_without_gradient_keeps_its_weights_and_works_as_in_evaluation():
    model = detailed('SpatioTemporalConditioner', train_cfg={'backbone_gradient': 'none'})
    model.backbone.add_module('norm', torch.nn.BatchNorm2d(3, affine=False))
    assert model.train().training
    assert not any(part.training for part in model.backbone.modules())
    frames, x_0 = torch.randn(2, FRAMES, 3, 64, 32), torch.rand(2, JOINTS, 16, 8)
    model.diffusion_loss(x_0, model.compute_condition(frames)).backward()
    assert all(value.grad is None and not value.requires_grad for value in model.backbone.parameters())
    assert all(value.grad is not None for value in model.conditioner.parameters())


def test_every_parameter_learns_in_bfloat16_after_calls_without_gradient():
    """Autocast would keep the weights that were cast in these calls, which have no gradient."""
    model = detailed('SpatioTemporalConditioner', train_cfg={'backbone_gradient': 'key_frame', 'own_states': 1.0})
    frames, x_0 = torch.randn(2, FRAMES, 3, 64, 32), torch.rand(2, JOINTS, 16, 8)
    with torch.autocast('cpu', torch.bfloat16):
        loss = model.train().diffusion_loss(x_0, model.compute_condition(frames))
    loss.backward()
    assert [name for name, value in model.named_parameters() if value.grad is None] == []


@pytest.mark.parametrize('weighted', [False, True])
def test_several_states_of_a_clip_are_trained_at_once(weighted):
    """The loss is that of the clips repeated, with the same timesteps and noise."""
    model = detailed('SingleFrameConditioner', train_cfg={'states_per_clip': 3}).eval()
    x_0, condition = torch.rand(2, JOINTS, 16, 8), torch.randn(2, 8 + 24 * 16, 4, 2)
    weight = torch.rand(2, JOINTS, 1, 1) if weighted else None
    torch.manual_seed(0)
    loss = model.diffusion_loss(x_0, condition, weight=weight)
    torch.manual_seed(0)
    timestep, noise = model.noise_scheduler.draw_timesteps(6, x_0.device), torch.randn(6, JOINTS, 16, 8)
    repeated = [None if given is None else given.repeat_interleave(3, 0) for given in (x_0, condition, weight)]
    expected = model.diffusion_loss(*repeated[:2], timestep, noise, repeated[2])
    torch.testing.assert_close(loss, expected)


def test_predictions_do_not_depend_on_the_batch():
    model = PoseDiffusionEstimator(**config()).eval()
    together = model(**model.data_preprocessor(batch()), mode='predict')
    alone = model(**model.data_preprocessor(batch()[1:]), mode='predict')
    np.testing.assert_allclose(
        together[1].pred_instances.keypoint_scores, alone[0].pred_instances.keypoint_scores, rtol=1e-4, atol=1e-5
    )


def test_heatmaps_of_a_keypoint_are_found_where_it_is():
    model = PoseDiffusionEstimator(**config()).eval()
    (item,) = batch(1)
    sample = item['data_samples']
    keypoints = np.random.default_rng(0).uniform((8, 8), (40, 56), (1, LABELS, 2)).astype(np.float32)
    encoded = model.head.codec.encode(keypoints, np.ones((1, LABELS), np.float32))
    sample.gt_fields = PixelData(heatmaps=torch.from_numpy(encoded['heatmaps']))
    x_0, weight = model.head.targets([sample])
    assert x_0.shape == (1, JOINTS, 16, 12)
    assert weight.shape == (1, JOINTS, 1, 1)
    poses = model.head.decode(x_0)
    model.head.attach([sample], poses, poses.unsqueeze(1))
    # the crop of 48x64 px, from the first pixel's centre to the last's, shows 96x128 px of the image around (100, 50)
    expected = keypoints[0] / (47, 63) * (96, 128) + np.array([100.0, 50.0]) - np.array([48.0, 64.0])
    found = sample.pred_instances.keypoints[0]
    np.testing.assert_allclose(found[NOT_EARS], expected[NOT_EARS], atol=0.5)


def test_flip_test_runs_and_mirrors_left_and_right():
    model = PoseDiffusionEstimator(**config(test_cfg={'num_inference_steps': 1, 'flip_test': True})).eval()
    frames = model.data_preprocessor(batch())['inputs']
    noise = torch.randn(1, 2, 1, JOINTS, 16, 12)
    drawn = model.sample_inputs(frames, noise=noise)
    mirrored = model.sample_inputs(frames.flip(-1), noise=model.head.flip_state(noise))
    torch.testing.assert_close(model.head.flip_state(mirrored), drawn, rtol=1e-4, atol=1e-5)


def test_every_frame_is_normalised_alike():
    preprocessor = ClipPreprocessor()
    clip = batch(1)[0]['inputs']
    found = preprocessor([{'inputs': clip, 'data_samples': None}])['inputs']
    expected = (clip[2, 2].float() - 123.675) / 58.395  # red, the last channel of OpenCV's order
    assert found.shape == (1, FRAMES, 3, 64, 48)
    torch.testing.assert_close(found[0, 2, 0], expected)


def test_frames_of_a_wrong_shape_are_refused():
    preprocessor = ClipPreprocessor()
    with pytest.raises(ValueError, match=r'frames must be \(T, 3, H, W\), got \(9, 64, 48\)'):
        preprocessor([{'inputs': torch.zeros(9, 64, 48), 'data_samples': None}])
    clips = [{'inputs': torch.zeros(3, 3, size, 48), 'data_samples': None} for size in (64, 32)]
    with pytest.raises(ValueError, match='one shape'):
        preprocessor(clips)


def test_a_prediction_without_a_crop_is_refused():
    model = PoseDiffusionEstimator(**config(test_cfg={'num_inference_steps': 1})).eval()
    (item,) = batch(1)
    item['data_samples'] = PoseDataSample(metainfo={'sample_id': 'clip0'})
    with pytest.raises(ValueError, match='sample clip0 has no input_size'):
        model(**model.data_preprocessor([item]), mode='predict')
