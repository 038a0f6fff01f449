"""The estimator: folding, chunking, guidance, seeds, and the model without diffusion."""

from __future__ import annotations

import pytest
import torch
from mmengine.structures import InstanceData

from posediff.models.estimator import PoseDiffusionEstimator
from posediff.registry import MODELS
from posediff.structures import PoseDataSample
from posediff.structures.named_generators import seeded_generator

FRAMES, JOINTS = 5, 17


def diffusion_config(**changes) -> dict:
    config = {
        'type': 'PoseDiffusionEstimator',
        'data_preprocessor': {'type': 'LiftingPreprocessor'},
        'conditioner': {'type': 'Keypoints2DConditioner'},
        'denoiser': {
            'type': 'CTGCNDenoiser',
            'num_frames': FRAMES,
            'channels': 8,
            'num_layers': 2,
            'step_channels': 8,
            'condition_channels': 2,
        },
        'noise_scheduler': {'type': 'CosineNoiseScheduler', 'num_train_timesteps': 50, 'max_beta': 0.5},
        'sampler': {'type': 'DDPMSampler'},
        'head': {'type': 'LiftingHead'},
    }
    return {**config, **changes}


def supervised_config() -> dict:
    lifter = {'type': 'MixSTE', 'num_frames': FRAMES, 'channels': 8, 'depth': 2, 'num_heads': 2}
    return {
        'type': 'PoseDiffusionEstimator',
        'data_preprocessor': {'type': 'LiftingPreprocessor'},
        'conditioner': {'type': 'LifterConditioner', 'lifter': lifter},
        'head': {'type': 'LiftingHead', 'in_channels': 8},
    }


def build(config: dict) -> PoseDiffusionEstimator:
    torch.manual_seed(0)
    model = MODELS.build(config).eval()
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    return model


def batch(size: int) -> list[dict]:
    generator = torch.Generator().manual_seed(3)
    items = []
    for index in range(size):
        sample = PoseDataSample(metainfo={'sample_id': f'clip{index}', 'img_shape': (1000, 1000), 'camera': None})
        target = 300 * torch.randn(FRAMES, JOINTS, 3, generator=generator)
        sample.gt_instances = InstanceData(lifting_target=target)
        keypoints = 1000 * torch.rand(FRAMES, JOINTS, 2, generator=generator)
        items.append({'inputs': {'keypoints_2d': keypoints}, 'data_samples': sample})
    return items


def condition_of(size: int) -> torch.Tensor:
    return torch.randn(size, FRAMES, JOINTS, 2, generator=torch.Generator().manual_seed(1))


@pytest.fixture(scope='module')
def model() -> PoseDiffusionEstimator:
    return build(diffusion_config(test_cfg={'num_hypotheses': 3, 'num_inference_steps': 4}))


def test_given_noise_replaces_every_draw_and_rows_are_b_major(model):
    condition = condition_of(2)
    noise = torch.randn(4, 2, 3, FRAMES, JOINTS, 3, generator=torch.Generator().manual_seed(2))
    drawn = model.sample(condition, 3, noise=noise)
    assert drawn.shape == (2, 3, FRAMES, JOINTS, 3)
    alone = model.sample(condition[1:], 1, noise=noise[:, 1:, 2:])
    torch.testing.assert_close(drawn[1:, 2:], alone, rtol=1e-4, atol=1e-5)
    assert torch.equal(model.sample(condition, 3, noise=noise), drawn)


@pytest.mark.parametrize(('shape', 'said'), [((5, 2, 3), r'\(4, 2, 3, .* for 4 steps'), ((4, 3, 2), r'\(4, 2, 3, ')])
def test_noise_of_the_wrong_shape_is_an_error(model, shape, said):
    with pytest.raises(ValueError, match=said):
        model.sample(condition_of(2), 3, noise=torch.zeros(*shape, FRAMES, JOINTS, 3))


@pytest.mark.parametrize('budget', [1e-6, 0.05, 0.2, 1000])
def test_results_do_not_depend_on_the_memory_budget(budget):
    reference = build(diffusion_config(test_cfg={'num_inference_steps': 4}))
    chunked = build(diffusion_config(test_cfg={'num_inference_steps': 4, 'memory_budget_mb': budget}))
    noise = torch.randn(4, 3, 5, FRAMES, JOINTS, 3, generator=torch.Generator().manual_seed(2))
    expected = reference.sample(condition_of(3), 5, noise=noise)
    torch.testing.assert_close(chunked.sample(condition_of(3), 5, noise=noise), expected, rtol=1e-4, atol=1e-5)


def test_predictions_do_not_depend_on_batch_or_order(model):
    items = batch(3)
    together = model.test_step(items)
    alone = model.test_step(batch(3)[2:])[0]
    torch.testing.assert_close(together[2].pred_hypotheses, alone.pred_hypotheses, rtol=1e-4, atol=1e-2)
    assert together[0].pred_instances.keypoints.shape == (FRAMES, JOINTS, 3)
    assert together[0].pred_hypotheses.shape == (3, FRAMES, JOINTS, 3)
    mean = together[0].pred_hypotheses.mean(0)
    torch.testing.assert_close(together[0].pred_instances.keypoints, mean, rtol=1e-4, atol=1e-2)


def test_seeds_of_items_differ_and_are_stable():
    one, same, other = (seeded_generator(0, name) for name in ('a', 'a', 'b'))
    assert one.initial_seed() == same.initial_seed() != other.initial_seed()
    assert one.initial_seed() == 8281872861307171038  # a change would silently change published numbers


def test_guidance_scale_1_is_the_conditional_model_and_0_ignores_the_condition():
    noise = torch.randn(4, 2, 1, FRAMES, JOINTS, 3, generator=torch.Generator().manual_seed(2))

    def sample(scale, condition):
        model = build(diffusion_config(test_cfg={'num_inference_steps': 4, 'guidance_scale': scale}))
        return model.sample(condition, 1, noise=noise)

    plain, free = sample(1.0, condition_of(2)), sample(0.0, condition_of(2))
    assert not torch.allclose(plain, free)
    torch.testing.assert_close(free, sample(1.0, torch.zeros(2, FRAMES, JOINTS, 2)), rtol=1e-4, atol=1e-5)


def test_diffusion_loss_is_the_mean_squared_error_of_the_noise(model):
    x_0, epsilon = torch.randn(2, 2, FRAMES, JOINTS, 3, generator=torch.Generator().manual_seed(5))
    timestep, condition = torch.tensor([3, 40]), condition_of(2)
    x_t = model.noise_scheduler.add_noise(x_0, epsilon, timestep)
    with torch.no_grad():
        expected = ((model.denoiser(x_t, timestep, condition) - epsilon) ** 2).mean()
        loss = model.diffusion_loss(x_0, condition, timestep=timestep, noise=epsilon)
    torch.testing.assert_close(loss, expected)


def test_training_draws_the_timestep_before_the_noise(model):
    x_0, condition = torch.zeros(2, FRAMES, JOINTS, 3), condition_of(2)
    torch.manual_seed(11)
    timestep, epsilon = torch.randint(50, (2,)), torch.randn_like(x_0)
    torch.manual_seed(11)
    with torch.no_grad():
        drawn = model.diffusion_loss(x_0, condition)
        given = model.diffusion_loss(x_0, condition, timestep, epsilon)
    torch.testing.assert_close(drawn, given)


def test_training_reaches_every_parameter_through_forward():
    model = build(diffusion_config(train_cfg={'condition_dropout': 0.5})).train()
    data = model.data_preprocessor(batch(2), training=True)
    loss = model(**data, mode='loss')['loss']
    loss.backward()
    assert all(parameter.grad is not None for parameter in model.parameters())


def test_a_model_without_diffusion_gives_its_one_pose_as_a_hypothesis():
    model = build(supervised_config())
    assert model.denoiser is None
    samples = model.test_step(batch(2))
    assert samples[0].pred_hypotheses.shape == (1, FRAMES, JOINTS, 3)
    torch.testing.assert_close(samples[0].pred_hypotheses[0], samples[0].pred_instances.keypoints)
    condition = model.conditioner(condition_of(2))
    torch.testing.assert_close(model.sample(condition, 1)[:, 0], model.head(condition))
    with pytest.raises(ValueError, match='num_hypotheses=2 needs a denoiser'):
        model.sample(condition, 2)


def test_flip_test_makes_the_model_equivariant_to_mirroring():
    model = build({**supervised_config(), 'test_cfg': {'flip_test': True}})
    items = batch(1)
    original = model.test_step(items)[0].pred_instances.keypoints
    mirrored_items = batch(1)
    keypoints = mirrored_items[0]['inputs']['keypoints_2d'][:, list(model.head.skeleton.flip_indices)]
    keypoints[..., 0] = 1000 - keypoints[..., 0]
    mirrored_items[0]['inputs']['keypoints_2d'] = keypoints
    mirrored = model.test_step(mirrored_items)[0].pred_instances.keypoints
    torch.testing.assert_close(model.head.flip_state(mirrored), original, rtol=1e-4, atol=1e-2)


@pytest.mark.parametrize(
    ('changes', 'said'),
    [
        ({'sampler': None}, 'got only denoiser, noise_scheduler'),
        ({'test_cfg': {'num_samples': 3}}, 'model.test_cfg has no option num_samples; it has num_hypotheses'),
        ({'train_cfg': {'condition_dropout': 1.0}}, r'\[0, 1\), got 1.0'),
        ({'test_cfg': {'num_hypotheses': 0}}, 'at least 1, got 0'),
    ],
)
def test_bad_configs_are_named(changes, said):
    with pytest.raises(ValueError, match=said):
        MODELS.build(diffusion_config(**changes))


@pytest.mark.parametrize(
    ('spoil', 'said'),
    [
        (lambda item: item['inputs']['keypoints_2d'].__setitem__((2, 3, 0), float('nan')), 'clip0.*frame 2, joint 3'),
        (lambda item: item['inputs']['keypoints_2d'].__setitem__((0, 0, 1), float('inf')), 'clip0.*frame 0, joint 0'),
        (lambda item: item['inputs'].update(keypoints_2d=torch.zeros(FRAMES, JOINTS, 3)), r'must be \(T, K, 2\)'),
        (lambda item: item['inputs'].update(keypoints_2d=torch.zeros(0, JOINTS, 2)), r'must be \(T, K, 2\)'),
        (lambda item: item['data_samples'].set_metainfo({'img_shape': (0, 10)}), 'img_shape must be positive'),
    ],
)
def test_bad_clips_are_named(model, spoil, said):
    items = batch(1)
    spoil(items[0])
    with pytest.raises(ValueError, match=said):
        model.test_step(items)


def test_batches_are_normalised_by_their_own_image_size(model):
    items = batch(2)
    items[0]['inputs']['keypoints_2d'][:] = torch.tensor([1000.0, 1000.0])
    items[1]['inputs']['keypoints_2d'][:] = torch.tensor([0.0, 1080.0])
    items[1]['data_samples'].set_metainfo({'img_shape': (1080, 1920)})
    items[1]['inputs']['keypoint_mask'] = torch.ones(FRAMES, JOINTS)
    items[1]['inputs']['keypoint_mask'][0, 0] = 0
    inputs = model.data_preprocessor(items)['inputs']
    torch.testing.assert_close(inputs[0, 0, 0], torch.tensor([1.0, 1.0]))
    torch.testing.assert_close(inputs[1, 1, 0], torch.tensor([-1.0, 0.5625]))
    assert inputs[1, 0, 0].tolist() == [0, 0]
