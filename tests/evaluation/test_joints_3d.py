"""Position errors against closed forms, invariances, and the official code's numbers."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from posediff.evaluation import joints_3d

SEEDS = st.integers(0, 2**31 - 1)


def random_pose(seed, *leading, num_joints=17):
    generator = torch.Generator().manual_seed(seed)
    return 300 * torch.randn(*leading, num_joints, 3, generator=generator, dtype=torch.float64)


def random_rotation(seed):
    return torch.from_numpy(Rotation.random(random_state=seed % 2**32).as_matrix())


@pytest.fixture(scope='module')
def official(reference_data):
    return torch.load(reference_data / 'diffhpe_cases' / 'metrics_skeleton.pt', weights_only=True)


@pytest.fixture(scope='module')
def official_pair(official):
    return [official[name].double().permute(0, 3, 2, 1) for name in ('pred_BCJL', 'target_BCJL')]


def test_mpjpe_unaligned_equals_official(official, official_pair):
    error = joints_3d.mpjpe_unaligned(*official_pair)
    assert error.shape == (4, 27)
    assert error.mean().item() == pytest.approx(official['mpjpe_average'].item(), rel=1e-5)


def test_joint_errors_equal_official(official, official_pair):
    jointwise = joints_3d.joint_errors(*official_pair).mean((0, 1))
    torch.testing.assert_close(jointwise, official['jointwise'].double(), rtol=1e-5, atol=0)


def test_p_mpjpe_equals_official(official, official_pair):
    error = joints_3d.p_mpjpe(*official_pair)
    assert error.mean().item() == pytest.approx(official['p_mpjpe'].item(), rel=1e-5)


@given(SEEDS)
@settings(max_examples=20, deadline=None)
def test_mpjpe_ignores_where_the_roots_are(seed):
    pred, target = random_pose(seed, 3), random_pose(seed + 1, 3)
    shifted = pred + random_pose(seed + 2, 3, num_joints=1)
    torch.testing.assert_close(joints_3d.mpjpe(shifted, target), joints_3d.mpjpe(pred, target))
    assert not torch.allclose(joints_3d.mpjpe_unaligned(shifted, target), joints_3d.mpjpe_unaligned(pred, target))


def test_mpjpe_of_one_misplaced_joint():
    target = random_pose(0, 1)
    pred = target.clone()
    pred[0, 5] += torch.tensor([30.0, 40.0, 0.0])
    assert joints_3d.mpjpe(pred, target).item() == pytest.approx(50 / 17)
    moved_root = target.clone()
    moved_root[0, 0] += torch.tensor([30.0, 40.0, 0.0])
    assert joints_3d.mpjpe(moved_root, target).item() == pytest.approx(50 * 16 / 17)
    assert joints_3d.mpjpe_unaligned(moved_root, target).item() == pytest.approx(50 / 17)


@given(SEEDS, st.floats(0.01, 100))
@settings(max_examples=30, deadline=None)
def test_p_mpjpe_is_invariant_under_similarity(seed, scale):
    pred, target = random_pose(seed, 2), random_pose(seed + 1, 2)
    moved = scale * pred @ random_rotation(seed).T + random_pose(seed + 2, 2, num_joints=1)
    torch.testing.assert_close(joints_3d.p_mpjpe(moved, target), joints_3d.p_mpjpe(pred, target), rtol=1e-8, atol=1e-8)
    exact = scale * target @ random_rotation(seed).T + 1000
    assert joints_3d.p_mpjpe(exact, target).max() < 1e-8


@given(SEEDS)
@settings(max_examples=20, deadline=None)
def test_p_mpjpe_does_not_mirror(seed):
    target = random_pose(seed, 1)
    assert joints_3d.p_mpjpe(target * torch.tensor([-1.0, 1.0, 1.0]), target).item() > 1


@given(SEEDS)
@settings(max_examples=10, deadline=None)
def test_procrustes_leaves_no_better_small_motion(seed):
    """The squared error is at a minimum: no small rotation or scaling of the aligned pose lowers it."""
    target = random_pose(seed, 1)
    aligned = joints_3d.procrustes_aligned(random_pose(seed + 1, 1), target)
    best = ((aligned - target) ** 2).sum()
    centre = aligned.mean(1, keepdim=True)
    for axis in np.vstack([np.eye(3), -np.eye(3)]):
        turned = (aligned - centre) @ torch.from_numpy(Rotation.from_rotvec(1e-3 * axis).as_matrix()).T + centre
        assert ((turned - target) ** 2).sum() > best
    for factor in (0.999, 1.001):
        assert ((factor * (aligned - centre) + centre - target) ** 2).sum() > best


def test_p_mpjpe_of_planar_and_collapsed_poses_is_finite():
    target = random_pose(0, 2)
    flat = target * torch.tensor([1.0, 1.0, 0.0])
    assert torch.isfinite(joints_3d.p_mpjpe(flat, target)).all()
    collapsed = torch.zeros_like(target)
    expected = (target - target.mean(-2, keepdim=True)).norm(dim=-1).mean(-1)
    torch.testing.assert_close(joints_3d.p_mpjpe(collapsed, target), expected)


@given(SEEDS, st.floats(0.01, 100))
@settings(max_examples=20, deadline=None)
def test_n_mpjpe_ignores_scale_and_orders_the_protocols(seed, scale):
    target = random_pose(seed, 4)
    pred = target + 0.2 * random_pose(seed + 1, 4)
    torch.testing.assert_close(joints_3d.n_mpjpe(scale * pred, target), joints_3d.n_mpjpe(pred, target))
    assert joints_3d.n_mpjpe(scale * target, target).max() < 1e-8
    squared = [
        ((aligned - target_aligned) ** 2).sum((-2, -1))
        for aligned, target_aligned in (
            (joints_3d.root_aligned(pred), joints_3d.root_aligned(target)),
            (joints_3d.procrustes_aligned(pred, target), target),
        )
    ]
    assert (squared[1] <= squared[0]).all()


def test_mpjve_of_a_constant_velocity_error():
    target = random_pose(0, 5)
    drift = torch.zeros_like(target)
    drift[:, 3] = torch.arange(5.0)[:, None] * torch.tensor([3.0, 4.0, 12.0])
    error = joints_3d.mpjve(target + drift, target)
    torch.testing.assert_close(error, torch.full((4,), 13 / 17, dtype=torch.float64))
    assert joints_3d.mpjve(target + 100, target).max() < 1e-9


def test_joint_mask_equals_leaving_joints_out():
    pred, target = random_pose(0, 2, 3), random_pose(1, 2, 3)
    mask = torch.ones(2, 3, 17)
    mask[..., 9:] = 0
    for error in (joints_3d.mpjpe, joints_3d.mpjpe_unaligned, joints_3d.p_mpjpe, joints_3d.n_mpjpe, joints_3d.mpjve):
        expected = error(pred[..., :9, :], target[..., :9, :])
        hidden = torch.where(mask[..., None] > 0, target, torch.tensor(1e6, dtype=torch.float64))
        torch.testing.assert_close(error(pred, hidden, mask), expected)


def test_a_frame_without_joints_is_nan_and_spares_the_others():
    pred, target = random_pose(0, 2), random_pose(1, 2)
    mask = torch.ones(2, 17)
    mask[0] = 0
    for error in (joints_3d.mpjpe, joints_3d.p_mpjpe, joints_3d.n_mpjpe):
        value = error(pred, target, mask)
        assert math.isnan(value[0])
        assert value[1] == pytest.approx(error(pred, target)[1].item())


def test_hypotheses_broadcast_against_one_target():
    several, target = random_pose(0, 2, 5, 4), random_pose(1, 2, 1, 4)
    for error in (joints_3d.mpjpe, joints_3d.p_mpjpe, joints_3d.n_mpjpe):
        torch.testing.assert_close(error(several, target)[:, 3], error(several[:, 3], target[:, 0]))


@pytest.mark.parametrize('shape', [(3, 17, 2), (17, 3), (3, 16, 3), (4, 17, 3)])
def test_wrong_shapes_are_refused(shape):
    with pytest.raises(ValueError, match=r'must be|differ'):
        joints_3d.mpjpe_unaligned(torch.zeros(shape), torch.zeros(3, 17, 3))
