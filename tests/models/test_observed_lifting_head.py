"""A state of 2D and 3D joints: units, labels without 2D joints, and mirroring of both parts."""

from __future__ import annotations

import torch
from mmengine.structures import InstanceData

from posediff.models.heads import LiftingHead, ObservedLiftingHead
from posediff.structures import PoseDataSample


def test_the_pose_is_that_of_the_plain_head_behind_empty_2d_joints() -> None:
    head, plain = ObservedLiftingHead(scale=2.0, zero_root=True), LiftingHead(scale=2.0, zero_root=True)
    pose = 300 * torch.randn(2, 3, 1, 17, 3)
    x_0 = head.encode(pose)
    torch.testing.assert_close(x_0[..., 2:], plain.encode(pose))
    assert not x_0[..., :2].any()
    assert head.state_shape(torch.zeros(2, 1, 17, 5)) == (1, 17, 5)
    x_0[..., :2] = 7.0
    torch.testing.assert_close(head.decode(x_0), plain.decode(plain.encode(pose)))
    assert not head.decode(x_0)[..., 0, :].any()
    assert head.root_positions(x_0) is None


def test_labels_leave_the_observed_channels_to_the_start_state() -> None:
    sample = PoseDataSample(metainfo={'sample_id': 'a', 'skeleton': 'h36m17'})
    sample.gt_instances = InstanceData(lifting_target=300 * torch.randn(1, 17, 3))
    x_0, weight = ObservedLiftingHead().targets([sample])
    assert x_0.shape == (1, 1, 17, 5)
    assert weight is None
    torch.testing.assert_close(1000 * x_0[0, ..., 2:], sample.gt_instances.lifting_target)


def test_both_parts_are_mirrored() -> None:
    head = ObservedLiftingHead()
    x_0 = torch.randn(2, 1, 17, 5)
    flipped = head.flip_state(x_0)
    torch.testing.assert_close(flipped[..., :2], head.flip_inputs(x_0[..., :2]))
    torch.testing.assert_close(flipped[..., 2:], LiftingHead().flip_state(x_0[..., 2:]))
    assert torch.equal(flipped[:, :, 4, [0, 2]], -x_0[:, :, 1, [0, 2]])  # left hip from right hip
    assert torch.equal(flipped[:, :, 4, [1, 3, 4]], x_0[:, :, 1, [1, 3, 4]])
