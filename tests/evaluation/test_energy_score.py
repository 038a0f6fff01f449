"""The fair energy score: closed forms, properness, and what does not change it."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from posediff.evaluation import energy_score as module
from posediff.evaluation.energy_score import energy_score, pose_energy_score

NORMAL_DISTANCE = 2 * math.sqrt(2 / math.pi)
"""Mean length of a standard normal vector of three coordinates."""


def case(seed, num=4, frames=3, joints=5, spread=1.0):
    generator = torch.Generator().manual_seed(seed)
    sample = torch.randn(num + 1, frames, joints, 3, generator=generator, dtype=torch.float64)
    return spread * sample[1:], sample[0]


@pytest.mark.parametrize('num', [2, 5, 20])
@pytest.mark.parametrize('spread', [0.25, 0.5, 1, 2])
def test_the_expectation_does_not_depend_on_the_number_of_hypotheses(num, spread):
    """For standard normal truth E ‖h - y‖ = c sqrt(1 + s²) and E ‖h - h'‖ = c s sqrt(2)."""
    expected = NORMAL_DISTANCE * (math.sqrt(1 + spread**2) - spread / math.sqrt(2))
    assert energy_score(*case(num, num, 20_000, 1, spread)).mean().item() == pytest.approx(expected, rel=0.02)


def test_the_true_distribution_scores_best():
    scores = {spread: energy_score(*case(1, 8, 20_000, 1, spread)).mean().item() for spread in (0.25, 0.5, 1, 1.5, 3)}
    assert min(scores, key=scores.get) == 1


@given(st.integers(0, 2**31 - 1), st.integers(2, 6))
def test_it_is_the_sum_over_pairs(seed, num):
    several, target = case(seed, num)
    pairs = torch.linalg.vector_norm(several.unsqueeze(0) - several.unsqueeze(1), dim=-1).sum((0, 1))
    error = torch.linalg.vector_norm(several - target, dim=-1).mean(0)
    torch.testing.assert_close(energy_score(several, target), error - pairs / (2 * num * (num - 1)))


@given(st.integers(0, 2**31 - 1), st.floats(0.1, 100))
def test_order_rotation_shift_and_unit(seed, unit):
    several, target = case(seed)
    rotation, _ = torch.linalg.qr(case(seed + 1)[0][0, 0, :3])
    for measure in (energy_score, pose_energy_score):
        expected = measure(several, target)
        torch.testing.assert_close(measure(several.flip(0), target), expected)
        torch.testing.assert_close(measure(several @ rotation + 7, target @ rotation + 7), expected)
        torch.testing.assert_close(measure(unit * several, unit * target), unit * expected)


def test_a_pose_of_one_joint_is_the_joint():
    several, target = case(3, joints=1)
    torch.testing.assert_close(pose_energy_score(several, target), energy_score(several, target)[..., 0])


def test_joints_that_do_not_count_are_left_out_of_the_pose():
    several, target = case(4)
    mask = torch.tensor([1, 0, 1, 1, 0]).expand(3, 5)
    expected = pose_energy_score(several[..., [0, 2, 3], :], target[..., [0, 2, 3], :])
    target[:, 1] = math.nan
    torch.testing.assert_close(pose_energy_score(several, target, mask), expected)


def test_leading_axes_and_chunks(monkeypatch):
    several, target = case(5)
    stacked = torch.stack([several, 2 * several]), torch.stack([target, target])
    expected = torch.stack([energy_score(several, target), energy_score(2 * several, target)])
    torch.testing.assert_close(energy_score(*stacked), expected)
    monkeypatch.setattr(module, 'PAIRS_AT_ONCE', 40)
    torch.testing.assert_close(energy_score(*stacked), expected)


def test_one_hypothesis_is_refused():
    for measure in (energy_score, pose_energy_score):
        with pytest.raises(ValueError, match='got M = 1'):
            measure(torch.zeros(1, 4, 17, 3), torch.zeros(4, 17, 3))
