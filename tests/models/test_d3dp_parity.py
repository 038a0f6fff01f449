"""D3DP's config against D3DP's own code: network, loss, sampling with mirroring in every step, four aggregates.

``d3dp_reference.npz`` was made by running the classes and functions of github.com/paTRICK-swk/D3DP (commit afcdd05,
``common/diffusionpose.py``, ``mixste.py``, ``loss.py`` and ``camera.py``) unchanged, in eval mode and float32 on a CPU,
with torch 2.11: 8 channels, 2 levels, 3 frames, 3 hypotheses, 5 steps, mirroring on, random weights that float16 holds
exactly. The draws of noise, timesteps and ``.cuda()`` were replaced, so that they are recorded and no GPU is needed.
Camera and keypoints are in screen units, root and poses in metres.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.structures import InstanceData
from torch import Tensor

from posediff.aggregation import JointReprojectionAggregator
from posediff.engine.model_building import init_model
from posediff.evaluation.metrics import LiftingMetric
from posediff.geometry import Camera
from posediff.integrations.official_checkpoints import convert_state_dict
from posediff.models.estimator import PoseDiffusionEstimator
from posediff.structures import PoseDataSample

CONFIGS = Path(__file__).resolve().parents[2] / 'configs' / 'lifting_3d' / 'd3dp'
TINY = {'num_frames': 3, 'model.denoiser.channels': 8, 'model.denoiser.depth': 2}
HYPOTHESES, STEPS = 3, 5
WIDTH, HEIGHT = 1000, 1002
Recorded = dict[str, Tensor]
Build = Callable[..., PoseDiffusionEstimator]


@pytest.fixture(scope='module')
def recorded() -> Recorded:
    with np.load(Path(__file__).with_name('d3dp_reference.npz')) as archive:
        return {name: torch.from_numpy(archive[name]) for name in archive.files}


@pytest.fixture(params=['d3dp-c512_243f_h36m', 'd3dp-c512_27f_h36m'])
def build(request: pytest.FixtureRequest, recorded: Recorded) -> Build:
    def build(**options: object) -> PoseDiffusionEstimator:
        changes = {f'model.{name}': value for name, value in options.items()}
        model = init_model(CONFIGS / f'{request.param}.py', cfg_options=TINY | changes)
        weights = {name.removeprefix('weights.'): value for name, value in recorded.items() if 'weights.' in name}
        model.load_state_dict(convert_state_dict(weights))
        return model

    return build


def assert_close(actual: Tensor, expected: Tensor) -> None:
    torch.testing.assert_close(actual.detach(), expected, rtol=0, atol=2e-6)


def test_training(build: Build, recorded: Recorded) -> None:
    """The network is given the noisy pose clamped to ±1.1; the loss is the mean distance."""
    model, t = build(), recorded['t']
    x_t = model.noise_scheduler.add_noise(recorded['gt_3d'], recorded['epsilon'], t)
    assert x_t.abs().max() > 1.1
    condition = model.conditioner(recorded['pose_2d'])
    assert_close(model.denoiser(x_t, t, condition), recorded['pred'])
    loss = model.diffusion_loss(recorded['gt_3d'], condition, t, recorded['epsilon'])
    assert loss.item() == pytest.approx(recorded['loss'].item(), abs=1e-6)


def test_sampling_with_mirroring_in_every_step(build: Build, recorded: Recorded) -> None:
    noise = recorded['noise']
    x_0 = build().sample_inputs(recorded['pose_2d'], HYPOTHESES, STEPS, noise=noise)
    assert_close(x_0, recorded['x_0'])
    for other in ({}, {'flip_test': True}):
        model = build(**{'test_cfg.flip_steps': False} | {f'test_cfg.{name}': value for name, value in other.items()})
        found = model.sample_inputs(recorded['pose_2d'], HYPOTHESES, STEPS, noise=noise)
        assert (found - recorded['x_0']).abs().max() > 0.01


def test_memory_and_chunks_do_not_matter(build: Build, recorded: Recorded) -> None:
    model = build(**{'test_cfg.memory_budget_mb': 1e-3})
    x_0 = model.sample_inputs(recorded['pose_2d'], HYPOTHESES, STEPS, noise=recorded['noise'])
    assert_close(x_0, recorded['x_0'])


def test_four_aggregates(build: Build, recorded: Recorded) -> None:
    hypotheses = build().head.decode(recorded['x_0'])
    assert not hypotheses[..., 0, :].any()
    half, offset = WIDTH / 2, torch.tensor([1, HEIGHT / WIDTH], dtype=torch.float64)
    fx, fy, cx, cy, k1, k2, k3, p1, p2 = recorded['camera'].double().tolist()
    camera = Camera(
        focal=np.array([fx, fy]) * half,
        center=(np.array([cx, cy]) + offset.numpy()) * half,
        img_shape=(HEIGHT, WIDTH),
        R=np.eye(3),
        t=np.zeros(3),
        distortion=np.array([k1, k2, p2, p1, k3]),  # the official code exchanges p1 and p2
    )
    samples = []
    for clip, several in enumerate(hypotheses):
        sample = PoseDataSample(metainfo={'sample_id': f'{clip}', 'skeleton': 'h36m17', 'camera': camera})
        pixels = (recorded['pose_2d'][clip].double() + offset) * half
        sample.set_metainfo({'input_keypoints_2d': pixels, 'pred_hypotheses': several})
        root, target = 1000 * recorded['root'][clip], 1000 * recorded['gt_3d'][clip]
        sample.gt_instances = InstanceData(lifting_target=target, root_position=root)
        sample.pred_instances = InstanceData(keypoints=several.mean(0))
        samples.append(sample)
    metric = LiftingMetric(p_best_per_batch=True, j_agg_root='ground_truth')
    metric.process(None, [sample.to_dict() for sample in samples])
    found = metric.evaluate(2)
    names = {'p_agg': 'p_agg', 'p_best': 'p_best_per_batch_oracle', 'j_best': 'j_best_oracle'}
    for theirs, ours in (names | {'j_agg_gt_root': 'j_agg_gt_root'}).items():
        assert found[f'lifting/{ours}'] == pytest.approx(1000 * recorded[f'error.{theirs}'].item(), rel=1e-5), ours


def test_the_default_aggregate_estimates_the_root(build: Build) -> None:
    aggregator = build().aggregator
    assert isinstance(aggregator, JointReprojectionAggregator)
    assert not aggregator.uses_ground_truth
    assert build(**{'aggregator.root': 'ground_truth'}).aggregator.uses_ground_truth
