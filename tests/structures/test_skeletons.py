"""Skeletons are well-formed trees with paired sides."""

import numpy as np
import pytest

from posediff.structures.skeletons import CMU17, H36M17, SKELETONS, get_skeleton


@pytest.mark.parametrize('skeleton', SKELETONS.values(), ids=SKELETONS)
def test_a_skeleton_is_a_tree_with_paired_sides(skeleton):
    assert len(set(skeleton.joint_names)) == skeleton.num_joints == len(skeleton.parents)
    assert skeleton.parents.count(-1) == 1
    for joint in range(skeleton.num_joints):
        steps = 0
        while joint != skeleton.root:
            joint = skeleton.parents[joint]
            steps += 1
            assert steps < skeleton.num_joints
    names = skeleton.joint_names
    assert {name for name in names if name.startswith('left_')} == {names[joint] for joint in skeleton.left}
    for left, right in zip(skeleton.left, skeleton.right, strict=True):
        assert names[left].replace('left', 'right') == names[right]


@pytest.mark.parametrize('skeleton', SKELETONS.values(), ids=SKELETONS)
def test_flipping_swaps_sides_and_keeps_the_tree(skeleton):
    flip = np.array(skeleton.flip_indices)
    assert (flip[flip] == np.arange(skeleton.num_joints)).all()
    adjacency = skeleton.adjacency()
    assert (adjacency[flip][:, flip] == adjacency).all()
    assert (adjacency == adjacency.T).all()
    assert adjacency.sum() == skeleton.num_joints + 2 * len(skeleton.segments)


def test_h36m_adjacency_equals_official(reference_data):
    import torch

    official = torch.load(reference_data / 'diffhpe_cases' / 'metrics_skeleton.pt', weights_only=True)
    assert H36M17.parents == tuple(official['parents'].tolist())
    normalized = H36M17.adjacency() / H36M17.adjacency().sum(1, keepdims=True)
    expected = official['adj'].numpy()
    assert np.allclose(expected, normalized) or np.allclose(expected, H36M17.adjacency())


def test_cmu_has_the_joints_of_h36m():
    assert (CMU17.joint_names, CMU17.parents) == (H36M17.joint_names, H36M17.parents)


def test_an_unknown_skeleton_is_refused_with_those_that_exist():
    with pytest.raises(KeyError, match=r"'smpl'.*h36m17"):
        get_skeleton('smpl')
