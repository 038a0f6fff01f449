"""Models on continuous paths: what is trained, what the network is told, where samples land; both shapes of states."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from posediff.diffusion.loss_weights import min_snr_weight
from posediff.models.denoisers.base import BaseDenoiser
from posediff.models.estimator import PoseDiffusionEstimator

POSE, HEATMAPS = (3, 17, 3), (17, 16, 12)  # (T, K, 3) and (K, H, W)
CLIPS = 3


def build(state: tuple[int, ...] = POSE, sampler: Any = 'DDIMSampler', **parts: Any) -> Any:
    torch.manual_seed(0)
    path = {'type': 'LinearPath', **parts.pop('path', {})}
    fractions = 'Path' in path['type'] and path.get('time_input', 'time') == 'time'
    network = {'type': 'FMPose3DDenoiser', 'num_layers': 1} if fractions else {'type': 'MixSTEDenoiser', 'depth': 1}
    lifting: dict[str, Any] = {
        'conditioner': {'type': 'Keypoints2DConditioner'},
        'denoiser': {'num_frames': 3, 'channels': 8, 'num_heads': 2, **network},
        'head': {'type': 'LiftingHead'},
    }
    sampler = {'type': sampler} if isinstance(sampler, str) else sampler
    given = {**lifting, 'noise_scheduler': path, 'sampler': sampler, 'test_cfg': {'num_inference_steps': 4}, **parts}
    model = PoseDiffusionEstimator(**given)
    if state != POSE:
        model.head.state_shape = lambda condition: state
    return model.eval()


class Recorder(BaseDenoiser):
    """Returns ``output(x_t, timestep)`` and keeps the times; it has a parameter, as networks do."""

    def __init__(self, output: Any) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(()))
        self.output, self.told = output, []

    def forward(self, x_t: Tensor, timestep: Tensor, condition: Any) -> Tensor:
        self.told.append(timestep)
        return self.output(x_t, timestep) * self.weight


def condition() -> Tensor:
    return torch.randn(CLIPS, 3, 17, 2, generator=torch.Generator().manual_seed(1))


def with_network(output: Any, state: tuple[int, ...], **parts: Any) -> Any:
    model = build(state, **parts)
    model.denoiser = Recorder(output)
    return model


@pytest.mark.parametrize('state', [POSE, HEATMAPS])
def test_the_loss_of_a_zero_network_is_the_mean_square_of_x_0_plus_one(state):
    model = with_network(lambda x_t, t: torch.zeros_like(x_t), state)
    x_0 = 3 * torch.randn(500, *state, generator=torch.Generator().manual_seed(0))
    loss = model.diffusion_loss(x_0, torch.zeros(500, 3, 17, 2))
    assert float(loss) == pytest.approx(float(x_0.square().mean()) + 1, rel=0.02)


@pytest.mark.parametrize('state', [POSE, HEATMAPS])
@pytest.mark.parametrize('steps', [1, 2, 7])
def test_a_constant_velocity_lands_on_x_0(state, steps):
    noise = torch.randn(1, CLIPS, 2, *state, generator=torch.Generator().manual_seed(0))
    x_0 = torch.linspace(-2, 2, noise[0].numel()).reshape(noise[0].shape)
    model = with_network(lambda x_t, t: (x_0 - noise[0]).flatten(0, 1)[: len(x_t)], state)
    torch.testing.assert_close(model.sample(condition(), 2, steps, noise=noise), x_0, rtol=0, atol=1e-5)


@pytest.mark.parametrize('state', [POSE, HEATMAPS])
@pytest.mark.parametrize(
    ('path', 'expected'),
    [
        ({}, [0, 1 / 3, 2 / 3]),
        ({'time_input': 'sigma_1000'}, [1000, 2000 / 3, 1000 / 3]),
        ({'time_input': 'log_snr'}, [-20, -1.3862944, 1.3862944]),
        ({'type': 'CosineNoiseScheduler', 'num_train_timesteps': 30, 'prediction_type': 'sample'}, [29, 19, 9]),
    ],
)
def test_the_network_is_told_the_time_as_it_is(state, path, expected):
    model = with_network(lambda x_t, t: 0.5 * x_t, state, path=path)
    model.sample(condition(), 2, 3, generator=torch.Generator().manual_seed(0))
    told = model.denoiser.told[-3:]  # those before measure memory
    tabulated = path.get('type') == 'CosineNoiseScheduler'
    assert all(time.dtype == (torch.int64 if tabulated else torch.float32) for time in model.denoiser.told)
    assert torch.cat(told).tolist() == pytest.approx(expected, rel=1e-5)


def test_training_tells_the_network_the_time_of_the_state():
    model = with_network(lambda x_t, t: x_t, POSE, path={'time_input': 'sigma_1000'})
    x_0, noise = torch.randn(2, CLIPS, *POSE, generator=torch.Generator().manual_seed(0))
    times = torch.tensor([0.0, 0.25, 1 / 3])
    loss = model.diffusion_loss(x_0, condition(), times, noise)
    torch.testing.assert_close(model.denoiser.told[0], 1000 * (1 - times))
    t = times[:, None, None, None]
    x_t = t * x_0 + (1 - t) * noise
    torch.testing.assert_close(loss, (x_t - (x_0 - noise)).square().mean())


def test_the_flow_of_a_network_is_followed():
    """Three Euler steps by hand, as in FMPose3D's sampler."""
    model = build()
    for parameter in model.parameters():
        nn.init.normal_(parameter, std=0.3)
    noise, given = torch.randn(1, CLIPS, 1, *POSE, generator=torch.Generator().manual_seed(0)), condition()
    y = noise[0, :, 0]
    with torch.no_grad():
        for k in range(3):
            y = y + model.denoiser(y, torch.full((CLIPS,), k / 3), given) / 3
    torch.testing.assert_close(model.sample(given, 1, 3, noise=noise)[:, 0], y, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize('drawn', [{}, {'time_distribution': 'logit_normal', 'logit_mean': -1.0}])
@pytest.mark.parametrize('path', [{}, {'prediction_type': 'sample'}, {'type': 'CosineNoiseScheduler'}])
def test_weights_and_times_are_options_of_training(drawn, path):
    options = {**drawn, 'loss_weight': 'min_snr', 'min_snr_gamma': 3.0}
    model = with_network(lambda x_t, t: 0.3 * x_t, POSE, path=path, train_cfg=options)
    x_0, noise = torch.randn(2, CLIPS, *POSE, generator=torch.Generator().manual_seed(0))
    torch.manual_seed(5)
    loss = model.diffusion_loss(x_0, condition(), noise=noise)
    times, scheduler = model.denoiser.told[0], model.noise_scheduler
    error = (0.3 * scheduler.add_noise(x_0, noise, times) - scheduler.target(x_0, noise, times)).square()
    weights = min_snr_weight(scheduler, times, 3.0)
    torch.testing.assert_close(loss, (error.flatten(1).mean(1) * weights).mean())
    mask = torch.zeros(CLIPS, 3, 17, 1)
    mask[0] = 1
    masked = model.diffusion_loss(x_0, condition(), times, noise, weight=mask)
    torch.testing.assert_close(masked, error[0].mean() * weights[0] / CLIPS)


def test_own_states_start_without_signal():
    model = with_network(
        lambda x_t, t: torch.full_like(x_t, 2.0),
        POSE,
        path={'prediction_type': 'sample'},
        train_cfg={'own_states': 1.0},
    )
    x_0, noise = torch.randn(2, CLIPS, *POSE, generator=torch.Generator().manual_seed(0))
    loss = model.diffusion_loss(x_0, condition(), torch.full((CLIPS,), 0.25), noise)
    assert [float(time[0]) for time in model.denoiser.told] == [0.0, 0.25]
    torch.testing.assert_close(loss, (x_0 - 2).square().mean())


@pytest.mark.parametrize(
    ('parts', 'said'),
    [
        ({'path': {'prediction_type': 'epsilon'}}, "LinearPath: prediction_type 'epsilon' cannot be read where the"),
        ({'path': {'type': 'CosineNoiseScheduler', 'rescale_zero_terminal_snr': True}}, "'epsilon' cannot be read"),
        ({'path': {'type': 'CosineNoiseScheduler', 'prediction_type': 'velocity'}}, "'velocity' is dx/dt, which a"),
        ({'denoiser': {'type': 'CTGCNDenoiser', 'num_frames': 3, 'channels': 8, 'step_channels': 8, 'num_layers': 1,
                       'condition_channels': 2}},
         "CTGCNDenoiser looks up the timestep in a table and takes int64 indices, but the time of LinearPath is a "
         "real number, time_input='time'"),
        ({'denoiser': {'type': 'MixSTEDenoiser', 'num_frames': 3, 'channels': 8, 'depth': 1, 'num_heads': 2}},
         r"MixSTEDenoiser resolves times of 0 to 1000, .* LinearPath\(time_input='time'\); use .*'sigma_1000'"),
        ({'denoiser': {'type': 'FMPose3DDenoiser', 'num_frames': 3, 'channels': 8, 'num_layers': 1, 'num_heads': 2},
          'path': {'type': 'CosineNoiseScheduler'}},
         r"FMPose3DDenoiser resolves times of 0 to 1, .* CosineNoiseScheduler\(time_input='index'\); use .*'time'"),
        ({'sampler': 'MidpointSampler', 'test_cfg': {'num_inference_steps': 3}}, 'must be even, got 3'),
        ({'sampler': 'diffusers.DDIMScheduler'}, 'the continuous LinearPath has none'),
        ({'sampler': {'type': 'DDIMSampler', 'spacing': 'trailing'}}, "'trailing' of a continuous path"),
        ({'train_cfg': {'loss_weight': 'min_snr'}, 'loss': {'type': 'PoseDistanceLoss'}},
         "loss_weight='min_snr' is a weight of squared errors and needs SquaredErrorLoss, got PoseDistanceLoss"),
        ({'train_cfg': {'loss_weight': 'p2'}}, "loss_weight must be one of none, min_snr, got 'p2'"),
        ({'train_cfg': {'time_distribution': 'cosine'}}, 'time_distribution must be one of uniform, logit_normal'),
        ({'train_cfg': {'logit_std': 0.0}}, 'logit_std must be positive, got 0.0'),
        ({'train_cfg': {'uniform_share': 1.5}}, 'uniform_share must be between 0 and 1, got 1.5'),
    ],
)  # fmt: skip
def test_parts_that_do_not_fit_are_refused_when_the_model_is_built(parts, said):
    if 'diffusers' in str(parts):
        pytest.importorskip('diffusers')
    with pytest.raises(ValueError, match=said):
        build(**parts)


@pytest.mark.parametrize('options', [{'time_distribution': 'logit_normal'}, {'loss_weight': 'min_snr'}])
def test_options_of_diffusion_need_a_denoiser(options):
    parts = {'denoiser': None, 'noise_scheduler': None, 'sampler': None, 'test_cfg': None, 'train_cfg': options}
    head = {'type': 'LiftingHead', 'in_channels': 2}
    with pytest.raises(ValueError, match=f'{next(iter(options))} needs a denoiser'):
        PoseDiffusionEstimator(conditioner={'type': 'Keypoints2DConditioner'}, head=head, **parts)
