"""Contract tests of all registered aggregators, plugins included; see posediff.aggregation.base.

Every aggregator gets 3D poses, and samples with camera, 2D input and ground truth; most use only the poses.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest
import torch
from mmengine.structures import InstanceData
from torch import Tensor

from posediff.aggregation import BaseAggregator
from posediff.geometry import Camera
from posediff.registry import AGGREGATORS
from posediff.structures import PoseDataSample
from posediff.testing.contracts.base import Contract

CLIPS, HYPOTHESES, FRAMES, JOINTS = 2, 5, 4, 17
CAMERA = Camera(
    focal=np.array([1145.0, 1143.0]),
    center=np.array([512.0, 515.0]),
    img_shape=(1002, 1000),
    R=np.eye(3),
    t=np.zeros(3),
    distortion=np.array([-0.2, 0.24, -0.001, -0.0005, -0.002]),
)


class Example(NamedTuple):
    """Hypotheses (B, M, T, K, 3) mm, float32, root at the origin, and the samples of their clips."""

    hypotheses: Tensor
    samples: list[PoseDataSample]


def sample_of(pose: Tensor, root: Tensor) -> PoseDataSample:
    """Create the sample of a clip from its pose (T, K, 3) mm, root at the origin, and root positions (T, 3) mm."""
    projected = CAMERA.project((pose + root[:, None]).numpy())
    sample = PoseDataSample(metainfo={'sample_id': 'clip', 'skeleton': 'h36m17', 'camera': CAMERA})
    sample.set_metainfo({'input_keypoints_2d': projected})
    sample.gt_instances = InstanceData(root_position=root.numpy(), lifting_target=pose.numpy())
    return sample


class AggregatorContract(Contract):
    """Tests that run on every registered aggregator."""

    registry = AGGREGATORS

    @pytest.fixture
    def example(self) -> Example:
        generator = torch.Generator().manual_seed(0)
        pose = 250 * torch.randn(CLIPS, FRAMES, JOINTS, 3, generator=generator)
        hypotheses = pose[:, None] + 60 * torch.randn(CLIPS, HYPOTHESES, FRAMES, JOINTS, 3, generator=generator)
        pose, hypotheses = (value - value[..., :1, :] for value in (pose, hypotheses))
        root = torch.tensor([150.0, -80.0, 4500.0]) + 50 * torch.randn(CLIPS, FRAMES, 3, generator=generator)
        return Example(hypotheses, [sample_of(*clip) for clip in zip(pose, root)])

    @pytest.mark.parametrize('dtype', [torch.float32, torch.float64, torch.bfloat16])
    def test_makes_one_pose_per_clip_in_the_dtype_of_the_hypotheses(
        self, component: BaseAggregator, example: Example, dtype: torch.dtype
    ) -> None:
        expected = component(*example)
        hypotheses = example.hypotheses.to(dtype)
        given = hypotheses.clone()
        pose = component(hypotheses, example.samples)
        assert pose.shape == (CLIPS, FRAMES, JOINTS, 3)
        assert pose.dtype == dtype
        assert torch.equal(hypotheses, given)
        # rounding may change which hypothesis is selected: most joints must agree within the precision of bfloat16
        error = (pose.float() - expected).norm(dim=-1)
        assert float((error < 0.01 * hypotheses.float().abs().max()).float().mean()) > 0.9

    def test_the_order_of_the_hypotheses_does_not_matter(self, component: BaseAggregator, example: Example) -> None:
        hypotheses, samples = example
        expected = component(hypotheses, samples)
        for order in ([4, 3, 2, 1, 0], [1, 2, 3, 4, 0]):
            torch.testing.assert_close(component(hypotheses[:, order], samples), expected, rtol=1e-4, atol=1e-2)

    @pytest.mark.parametrize('num_hypotheses', [1, 4])
    def test_equal_hypotheses_are_returned(
        self, component: BaseAggregator, example: Example, num_hypotheses: int
    ) -> None:
        hypotheses, samples = example
        same = hypotheses[:, :1].expand(-1, num_hypotheses, -1, -1, -1)
        torch.testing.assert_close(component(same, samples), hypotheses[:, 0])

    def test_every_hypothesis_counts(self, component: BaseAggregator, example: Example) -> None:
        hypotheses, samples = example
        expected = component(hypotheses, samples)
        for left_out in range(HYPOTHESES):
            kept = [index for index in range(HYPOTHESES) if index != left_out]
            assert not torch.equal(component(hypotheses[:, kept], samples), expected)

    def test_clips_are_independent(self, component: BaseAggregator, example: Example) -> None:
        hypotheses, samples = example
        together = component(hypotheses, samples)
        for clip in range(CLIPS):
            alone = component(hypotheses[clip : clip + 1], samples[clip : clip + 1])
            torch.testing.assert_close(alone, together[clip : clip + 1])

    def test_ground_truth_is_used_only_if_an_option_says_so(self, component: BaseAggregator, example: Example) -> None:
        hypotheses, samples = example
        expected = component(hypotheses, samples)
        for sample in samples:
            moved = {name: value + 300 for name, value in sample.gt_instances.items()}
            sample.gt_instances = InstanceData(**moved)
        used = not torch.equal(component(hypotheses, samples), expected)
        assert used == ('ground_truth' in repr(component))

    def test_no_hypothesis_and_a_missing_sample_are_refused(self, component: BaseAggregator, example: Example) -> None:
        hypotheses, samples = example
        with pytest.raises(ValueError, match='M >= 1'):
            component(hypotheses[:, :0], samples)
        with pytest.raises(ValueError, match='1 data samples for hypotheses of 2 clips'):
            component(hypotheses, samples[:1])
