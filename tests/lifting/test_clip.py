"""init_model and lift_keypoints."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from mmengine.config import Config

import posediff
from posediff.models.denoisers.base import BaseDenoiser, expand_to_rows

FRAMES, JOINTS = 9, 17
MODEL = {
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
    'sampler': {'type': 'DDIMSampler'},
    'head': {'type': 'LiftingHead'},
    'test_cfg': {'num_hypotheses': 2, 'num_inference_steps': 3},
}


@pytest.fixture(scope='module')
def config() -> Config:
    return Config({'default_scope': 'posediff', 'model': MODEL})


@pytest.fixture(scope='module')
def model(config):
    torch.manual_seed(0)
    model = posediff.init_model(config)
    torch.nn.init.normal_(model.denoiser.output_projection.weight, std=0.1)
    return model


def clip(frames: int, seed: int = 0) -> np.ndarray:
    walk = np.cumsum(np.random.default_rng(seed).normal(0, 3, (frames, JOINTS, 2)), axis=0)
    return (500 + walk).astype(np.float32)


def lift(model, keypoints, scores=None, **options):
    return posediff.lift_keypoints(
        model, keypoints, scores, **{'img_shape': (1000, 1000), 'skeleton': 'h36m17', **options}
    )


def test_init_model_builds_in_eval_mode_and_takes_overrides(config):
    model = posediff.init_model(config, cfg_options={'model.test_cfg.num_hypotheses': 4})
    assert not model.training
    assert model.test_cfg.num_hypotheses == 4
    assert model.backbone is None
    assert model.cfg.model.head.type == 'LiftingHead'


def test_a_checkpoint_is_loaded_strictly(config, model, tmp_path):
    path = tmp_path / 'model.pth'
    torch.save({'state_dict': model.state_dict()}, path)
    again = posediff.init_model(config, path)
    condition = torch.randn(1, FRAMES, JOINTS, 2)
    noise = torch.randn(1, 1, 2, FRAMES, JOINTS, 3)
    assert torch.equal(again.sample(condition, 2, noise=noise), model.sample(condition, 2, noise=noise))

    state = model.state_dict()
    state['extra'] = torch.zeros(1)
    state['denoiser.output_projection.weight'] = torch.zeros(4, 8)
    del state['denoiser.output_projection.bias']
    torch.save({'state_dict': state}, path)
    with pytest.raises(
        ValueError, match=r'3 differences.*missing .*bias.*unexpected extra.*\(4, 8\), the model has \(3, 8\)'
    ):
        posediff.init_model(config, path)


@pytest.mark.parametrize('frames', [1, 5, 9, 10, 31])
def test_a_clip_of_any_length_keeps_its_frames(model, frames):
    result = lift(model, clip(frames))
    assert result['joints_3d'].shape == (frames, JOINTS, 3)
    assert result['hypotheses'].shape == (2, frames, JOINTS, 3)
    assert result['joints_3d_std'].shape == (frames, JOINTS)
    assert np.isfinite(result['joints_3d']).all()
    np.testing.assert_allclose(result['joints_3d'], result['hypotheses'].mean(0), atol=0.1)


def test_results_follow_the_seed_and_not_the_batch(model):
    first = lift(model, clip(31), seed=1, batch_size=1)['hypotheses']
    np.testing.assert_allclose(lift(model, clip(31), seed=1, batch_size=16)['hypotheses'], first, atol=0.05)
    assert np.abs(lift(model, clip(31), seed=2)['hypotheses'] - first).max() > 1


class SingleFrameDenoiser(BaseDenoiser):
    """Looks at one frame at a time, so that only the noise can tie a frame to its window."""

    num_frames = FRAMES

    def forward(self, x_t, timestep, condition):
        return torch.tanh(x_t) + 0.1 * expand_to_rows(condition, len(x_t)).sum(-1, keepdim=True)


def test_windows_share_the_noise_of_a_frame(config):
    """How the windows are cut does not matter when the network looks at single frames: noise belongs to the frame."""
    model = posediff.init_model(config)
    model.denoiser = SingleFrameDenoiser()
    model.register_parameter('device_anchor', torch.nn.Parameter(torch.zeros(1)))
    by_2, by_9 = (lift(model, clip(40), stride=stride)['hypotheses'] for stride in (2, 9))
    np.testing.assert_allclose(by_2, by_9, rtol=1e-4, atol=0.05)


def test_points_that_were_not_observed_do_not_matter(model):
    keypoints, scores = clip(20), np.ones((20, JOINTS))
    scores[3, 5] = 0.1
    keypoints[7, 2] = np.nan
    scores[7, 2] = 0
    first = lift(model, keypoints, scores, score_threshold=0.3)
    assert not first['observed'][3, 5]
    assert not first['observed'][7, 2]
    assert first['observed'].sum() == 20 * JOINTS - 2
    keypoints[3, 5] = 9999
    np.testing.assert_array_equal(lift(model, keypoints, scores, score_threshold=0.3)['joints_3d'], first['joints_3d'])


@pytest.mark.parametrize(
    ('keypoints', 'scores', 'options', 'said'),
    [
        (np.zeros((0, JOINTS, 2)), None, {}, r'empty: shape \(0, 17, 2\)'),
        (np.zeros((4, JOINTS)), None, {}, r'must be \(F, K, 2\) px, got shape \(4, 17\)'),
        (np.full((4, JOINTS, 2), np.nan), None, {}, 'frame 0, joint 0: a point that is not finite'),
        (np.full((4, JOINTS, 2), np.inf), np.ones((4, JOINTS)), {}, 'not finite.*inf'),
        (np.zeros((4, JOINTS, 2)), np.zeros((4, JOINTS)), {}, 'no keypoint has a score above 0'),
        (np.zeros((4, JOINTS, 2)), np.full((4, JOINTS), 5.0), {}, 'scores outside 0..1.*5.0'),
        (np.zeros((4, JOINTS, 2)), np.full((4, JOINTS), np.nan), {}, 'scores outside 0..1'),
        (np.zeros((4, JOINTS, 2)), None, {'img_shape': (0, 640)}, 'positive .*got'),
        (np.zeros((4, JOINTS, 2)), None, {'fps': 0}, 'fps must be positive, got 0'),
        (np.zeros((4, JOINTS, 2)), None, {'batch_size': 0}, 'batch_size must be a whole number of at least 1, got 0'),
        (np.zeros((4, JOINTS, 2)), np.zeros((4, 3)), {}, r'must be \(4, 17\) like keypoints_2d, got \(4, 3\)'),
        (np.zeros((4, JOINTS, 2)), None, {'stride': 10}, 'stride must be in 1..9'),
        (np.zeros((4, 16, 2)), None, {}, '16'),
        (np.zeros((4, JOINTS, 2)), None, {'skeleton': None}, "skeleton is not stated.*'h36m17' is expected here"),
        (
            np.zeros((4, JOINTS, 2)),
            None,
            {'skeleton': 'coco17'},
            r"'coco17' where 'h36m17' is expected; convert them: .*convert_joints\(keypoints, 'coco17', 'h36m17'",
        ),
        (np.zeros((4, JOINTS, 2)), None, {'skeleton': 'cmu17'}, "no conversion from 'cmu17' to 'h36m17'"),
    ],
)
def test_bad_clips_are_named(model, keypoints, scores, options, said):
    with pytest.raises(ValueError, match=said):
        lift(model, keypoints, scores, **options)


def test_the_estimator_says_what_a_stream_must_know(model):
    spec = model.stream_spec(num_hypotheses=5, seed=7)
    assert (spec.num_frames, spec.skeleton.name, spec.fps) == (FRAMES, 'h36m17', None)
    assert (spec.num_hypotheses, spec.num_inference_steps, spec.num_draws, spec.seed) == (5, 3, 1, 7)


def test_a_clip_that_is_lifted_without_noise_depends_on_no_seed(model, config):
    options = {'model.test_cfg.noise_free': True, 'model.test_cfg.num_hypotheses': 1}
    plain = posediff.init_model(config, cfg_options=options)
    plain.load_state_dict(model.state_dict())
    keypoints = clip(20)
    first, second = (lift(plain, keypoints, seed=seed)['joints_3d'] for seed in (0, 1))
    assert np.array_equal(first, second)
    assert not np.array_equal(first, lift(model, keypoints, num_hypotheses=1)['joints_3d'])
    with pytest.raises(ValueError, match='num_hypotheses=2 would be 2 equal poses'):
        lift(plain, keypoints, num_hypotheses=2)
