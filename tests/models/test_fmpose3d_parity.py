"""The estimator with FMPose3D's config against recorded runs of the official code: loss, Euler steps, pipeline."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from mmengine.structures import InstanceData
from torch import Tensor

from posediff.engine.model_building import init_model
from posediff.geometry import Camera
from posediff.integrations.fmpose3d_checkpoints import convert_fmpose3d_state_dict
from posediff.models.estimator import PoseDiffusionEstimator
from posediff.structures import PoseDataSample

CONFIG = Path(__file__).resolve().parents[2] / 'configs' / 'lifting_3d' / 'fmpose3d' / 'fmpose3d_1f_h36m.py'
Load = Callable[[str], dict[str, Tensor]]
WIDTH, HEIGHT = 1000, 1002
TOLERANCE = 2e-5


@pytest.fixture
def recorded(fmpose3d_cases: Path) -> Load:
    return lambda name: torch.load(fmpose3d_cases / f'{name}.pt', weights_only=True)


@pytest.fixture
def build(recorded: Load) -> Callable[..., PoseDiffusionEstimator]:
    def build(**options: Any) -> PoseDiffusionEstimator:
        sizes = recorded('config')
        changes = {'denoiser.channels': int(sizes['channel']), 'denoiser.num_layers': int(sizes['layers'])}
        model = init_model(CONFIG, cfg_options={f'model.{name}': value for name, value in (changes | options).items()})
        model.load_state_dict(convert_fmpose3d_state_dict(recorded('state_dict'), model.head.skeleton))
        return model

    return build


def assert_close(actual: Tensor, expected: Tensor) -> None:
    torch.testing.assert_close(actual.detach(), expected, rtol=0, atol=TOLERANCE)


def by_clip(stack: Tensor) -> Tensor:
    """(M, B, …) as (B, M, …)."""
    return stack.transpose(0, 1)


def both_views(plain: Tensor, mirrored: Tensor) -> Tensor:
    """(M, B, …) twice as (B, 2M, …): even hypotheses of the input, odd ones of the mirrored input."""
    return by_clip(torch.stack([plain, mirrored], dim=1).flatten(0, 1))


def official_order(hypotheses: Tensor) -> Tensor:
    """(B, 2M, …) as (2M, B, …), in which the mirrored one of a pair comes first."""
    return hypotheses.transpose(0, 1).unflatten(0, (-1, 2)).flip(1).flatten(0, 1)


def test_the_loss_contains_the_absolute_root(build: Callable[..., PoseDiffusionEstimator], recorded: Load) -> None:
    model, cases = build(), recorded('loss')
    samples = []
    for pose in 1000 * cases['gt_3d']:
        target = pose.clone()
        target[:, 0] = 0
        sample = PoseDataSample(metainfo={'sample_id': 'case', 'skeleton': 'h36m17'})
        sample.gt_instances = InstanceData(lifting_target=target, root_position=pose[:, 0])
        samples.append(sample)
    x_0, weight = model.head.targets(samples)
    assert weight is None
    torch.testing.assert_close(x_0, cases['gt_3d'])
    given = cases['t'].flatten(), cases['x0']  # x0 is the official name of the noise
    loss = model.diffusion_loss(x_0, model.conditioner(cases['pose_2d']), *given)
    assert loss.item() == pytest.approx(cases['loss'].item(), abs=1e-6)
    assert abs(loss.item() - cases['loss_if_root_were_zeroed'].item()) > 0.1


@pytest.mark.parametrize('steps', [1, 3, 5])
def test_euler_steps(build: Callable[..., PoseDiffusionEstimator], recorded: Load, steps: int) -> None:
    model, cases = build(), recorded('sample')
    for inputs, noise, expected in (
        ('pose_2d', 'noise', f'x1_steps{steps}'),
        ('pose_2d_flip', 'noise_flip', f'x1_flip_raw_steps{steps}'),
    ):
        x_0 = model.sample(model.conditioner(cases[inputs]), 4, steps, noise=by_clip(cases[noise])[None])
        assert_close(x_0, by_clip(cases[expected]))
    noise = both_views(cases['noise'], cases['noise_flip'])[None]
    x_0 = model.sample_inputs(cases['pose_2d'], 8, steps, noise=noise)
    hypotheses = model.head.decode(x_0) / 1000
    assert_close(official_order(hypotheses), cases[f'hypotheses_steps{steps}'])
    assert_close(model.head.root_positions(x_0)[:, ::2] / 1000, by_clip(cases[f'x1_steps{steps}'])[..., 0, :])


def test_states_of_three_steps(build: Callable[..., PoseDiffusionEstimator], recorded: Load) -> None:
    model, cases = build(), recorded('sample')
    seen: list[Tensor] = []
    model.denoiser.register_forward_hook(lambda _, inputs, __: seen.append(inputs[0]))
    final = model.sample(model.conditioner(cases['pose_2d']), 4, 3, noise=by_clip(cases['noise'])[None])
    states = [state.unflatten(0, (3, 4)) for state in seen if state.shape[0] == 12]
    for state, expected in zip([*states, final], cases['path_steps3'], strict=True):
        assert_close(state, by_clip(expected))


@pytest.mark.parametrize('temperature', [0.005, 0.2])
def test_pipeline(build: Callable[..., PoseDiffusionEstimator], recorded: Load, temperature: float) -> None:
    cases = recorded('pipeline')
    model = build(**{'aggregator.root': 'ground_truth', 'aggregator.temperature': temperature})
    samples = []
    for parameters, points, root in zip(cases['camera'], cases['pose_2d'], cases['root'], strict=True):
        fx, fy, cx, cy, k1, k2, k3, p1, p2 = parameters.double().tolist()
        half, offset = WIDTH / 2, np.array([1, HEIGHT / WIDTH])
        focal, center = np.array([fx, fy]) * half, (np.array([cx, cy]) + offset) * half
        distortion = np.array([k1, k2, p2, p1, k3])  # the official code exchanges p1 and p2
        camera = Camera(focal, center, (HEIGHT, WIDTH), np.eye(3), np.zeros(3), distortion)
        sample = PoseDataSample(metainfo={'sample_id': 'case', 'skeleton': 'h36m17', 'camera': camera})
        sample.set_metainfo({'input_keypoints_2d': (points.double() + torch.from_numpy(offset)) * half})
        sample.gt_instances = InstanceData(root_position=1000 * root[None])
        samples.append(sample)
    noise = both_views(cases['noise'], cases['noise_flip'])[None]
    hypotheses = model.head.decode(model.sample_inputs(cases['pose_2d'], 8, 3, noise=noise))
    assert_close(official_order(hypotheses) / 1000, cases['hypotheses'])
    pose = model.aggregator(hypotheses, samples) / 1000
    expected = cases['rpea_top8'][cases['temps'].sub(temperature).abs().argmin()]
    assert_close(pose, expected)
    if temperature == 0.2:  # one joint of these poses is more than 45° from the optical axis, which the code clamps
        torch.testing.assert_close(pose, expected, rtol=0, atol=1e-5)


def test_predictions_with_the_true_root_say_so(build: Callable[..., PoseDiffusionEstimator]) -> None:
    camera = Camera(np.full(2, 1145.0), np.array([500.0, 501.0]), (HEIGHT, WIDTH), np.eye(3), np.zeros(3))
    for root in ('estimate', 'predicted', 'ground_truth'):
        sample = PoseDataSample(metainfo={'sample_id': 'case', 'img_shape': (HEIGHT, WIDTH), 'camera': camera})
        sample.gt_instances = InstanceData(root_position=torch.tensor([[0.0, 0.0, 4000.0]]))
        sample.set_metainfo({'skeleton': 'h36m17'})
        clip = {'inputs': {'keypoints_2d': 1000 * torch.rand(1, 17, 2)}, 'data_samples': sample}
        (found,) = build(**{'aggregator.root': root, 'test_cfg.num_hypotheses': 4}).test_step([clip])
        assert found.get('uses_gt_root', False) == (root == 'ground_truth')
        assert found.hypothesis_root_position.shape == (4, 1, 3)
        assert found.pred_hypotheses[..., 0, :].abs().max() == 0
