"""RPEA and the joint-wise selection against recorded outputs of the official code, and RPEA's properties."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from mmengine.structures import InstanceData
from torch import Tensor

from posediff.aggregation import (
    JointReprojectionAggregator,
    MeanAggregator,
    ReprojectionExpectationAggregator,
)
from posediff.geometry import Camera
from posediff.structures import PoseDataSample

WIDTH, HEIGHT = 1000, 1002


def camera_of(parameters: Tensor) -> Camera:
    """A camera in px of the official one in screen units, in which p1 and p2 are exchanged."""
    fx, fy, cx, cy, k1, k2, k3, p1, p2 = parameters.double().tolist()
    half = WIDTH / 2
    return Camera(
        focal=np.array([fx, fy]) * half,
        center=(np.array([cx, cy]) + [1, HEIGHT / WIDTH]) * half,
        img_shape=(HEIGHT, WIDTH),
        R=np.eye(3),
        t=np.zeros(3),
        distortion=np.array([k1, k2, p2, p1, k3]),
    )


def samples_of(camera: Tensor, pose_2d: Tensor, root: Tensor) -> list[PoseDataSample]:
    """Samples of cases in metres and screen units: pose_2d (B, 1, 17, 2), root (B, 3)."""
    samples = []
    for one, points, position in zip(camera, pose_2d, root, strict=True):
        pixels = (points.double() + torch.tensor([1, HEIGHT / WIDTH], dtype=torch.float64)) * (WIDTH / 2)
        sample = PoseDataSample(metainfo={'sample_id': 'case', 'skeleton': 'h36m17', 'camera': camera_of(one)})
        sample.set_metainfo({'input_keypoints_2d': pixels})
        sample.gt_instances = InstanceData(root_position=1000 * position.double()[None])
        samples.append(sample)
    return samples


def in_millimetres(hypotheses: Tensor) -> Tensor:
    """Hypotheses (M, B, …) in metres as (B, M, …) in mm."""
    return 1000 * hypotheses.transpose(0, 1).double()


def assert_close(pose: Tensor, expected: Tensor) -> None:
    torch.testing.assert_close(pose / 1000, expected.double(), rtol=0, atol=2e-5)


@pytest.fixture
def recorded(fmpose3d_cases: Path) -> dict[str, Tensor]:
    cases: dict[str, Tensor] = torch.load(fmpose3d_cases / 'aggregate.pt', weights_only=True)
    return cases


@pytest.mark.parametrize(
    ('pose_2d', 'root', 'suffix'),
    [('pose_2d', 'root', ''), ('pose_2d', 'root_estimate', '_root_estimate'), ('pose_2d_far', 'root', '_far')],
)
def test_official_aggregates(recorded: dict[str, Tensor], pose_2d: str, root: str, suffix: str) -> None:
    """``root`` takes the place of the true position: the official code has a given root only."""
    samples = samples_of(recorded['camera'], recorded[pose_2d], recorded[root])
    hypotheses = in_millimetres(recorded['hypotheses'])
    for (top_k, temperature), expected in zip(
        recorded['settings_topk_temp'].tolist(), recorded[f'rpea{suffix}'], strict=True
    ):
        rpea = ReprojectionExpectationAggregator(int(top_k), temperature, root='ground_truth')
        assert_close(rpea(hypotheses, samples), expected)
    if suffix != '_far':
        joint_wise = JointReprojectionAggregator(root='ground_truth')(hypotheses, samples)
        assert_close(joint_wise, recorded[f'jpma{suffix}'])
    assert_close(MeanAggregator()(hypotheses, samples), recorded['mean'])


def test_projection_is_the_official_one(recorded: dict[str, Tensor]) -> None:
    for clip, one in enumerate(recorded['camera']):
        points = recorded['hypotheses'][:, clip, 0] + recorded['root'][clip]
        projected = camera_of(one).project(points.double().numpy()) / (WIDTH / 2) - [1, HEIGHT / WIDTH]
        np.testing.assert_allclose(projected, recorded['projected'][:, clip].numpy(), atol=1e-6)


def example(num_hypotheses: int = 6) -> tuple[Tensor, list[PoseDataSample]]:
    generator = torch.Generator().manual_seed(0)
    pose = 250 * torch.randn(1, 2, 17, 3, generator=generator, dtype=torch.float64)
    hypotheses = pose[:, None] + 30 * torch.randn(1, num_hypotheses, 2, 17, 3, generator=generator, dtype=torch.float64)
    pose, hypotheses = (value - value[..., :1, :] for value in (pose, hypotheses))
    root = torch.tensor([[100.0, 50.0, 4500.0]], dtype=torch.float64).expand(2, 3)
    camera = Camera(np.full(2, 1145.0), np.array([500.0, 501.0]), (HEIGHT, WIDTH), np.eye(3), np.zeros(3))
    sample = PoseDataSample(metainfo={'sample_id': 'clip', 'skeleton': 'h36m17', 'camera': camera})
    sample.set_metainfo({'input_keypoints_2d': torch.from_numpy(camera.project((pose[0] + root[:, None]).numpy()))})
    sample.set_metainfo({'hypothesis_root_position': root.expand(num_hypotheses, 2, 3)})
    sample.gt_instances = InstanceData(root_position=root)
    return hypotheses, [sample]


@pytest.mark.parametrize('root', ['estimate', 'predicted', 'ground_truth'])
def test_one_hypothesis_is_the_joint_wise_selection_and_a_high_temperature_the_mean(root: Any) -> None:
    hypotheses, samples = example()
    chosen = ReprojectionExpectationAggregator(top_k=1, root=root)(hypotheses, samples)
    torch.testing.assert_close(chosen, JointReprojectionAggregator(root)(hypotheses, samples))
    mean = ReprojectionExpectationAggregator(top_k=100, temperature=1e9, root=root)(hypotheses, samples)
    torch.testing.assert_close(mean, hypotheses.mean(1))


def test_the_position_of_the_network_is_used_per_hypothesis() -> None:
    hypotheses, samples = example()
    aggregator = ReprojectionExpectationAggregator(root='predicted')
    expected = ReprojectionExpectationAggregator(root='ground_truth')(hypotheses, samples)
    torch.testing.assert_close(aggregator(hypotheses, samples), expected)
    moved = samples[0].hypothesis_root_position.clone()
    moved[0, :, 2] = 2000
    samples[0].set_metainfo({'hypothesis_root_position': moved})
    assert (aggregator(hypotheses, samples) - expected).abs().max() > 1
    samples[0].pop('hypothesis_root_position')
    with pytest.raises(ValueError, match=r"sample 'clip' has no hypothesis_root_position"):
        aggregator(hypotheses, samples)


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        ({'top_k': 0}, 'top_k'),
        ({'temperature': 0}, 'temperature must be positive, got 0'),
        ({'temperature': float('nan')}, 'temperature'),
        ({'max_slope': 0}, 'max_slope must be positive or None, got 0'),
        ({'root': 'true'}, "root.*'true'"),
    ],
)
def test_options_out_of_range_are_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ReprojectionExpectationAggregator(**options)
