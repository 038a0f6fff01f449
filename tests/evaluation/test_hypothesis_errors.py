"""Aggregated and oracle errors of several hypotheses."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from posediff.evaluation import hypotheses, joints_3d


def random_case(seed, batch=2, num=5, frames=4):
    generator = torch.Generator().manual_seed(seed)
    target = 300 * torch.randn(batch, frames, 17, 3, generator=generator, dtype=torch.float64)
    noise = 50 * torch.randn(batch, num, frames, 17, 3, generator=generator, dtype=torch.float64)
    return target.unsqueeze(1) + noise, target


@given(st.integers(0, 2**31 - 1))
@settings(max_examples=20, deadline=None)
def test_oracles_are_ordered(seed):
    several, target = random_case(seed)
    every = hypotheses.pose_errors(several, target)
    j_best, p_best = hypotheses.j_best(several, target), hypotheses.p_best(several, target)
    per_batch = hypotheses.p_best_per_batch(several, target)
    assert every.shape == (2, 5, 4)
    assert j_best.shape == p_best.shape == per_batch.shape == (2, 4)
    assert (j_best <= p_best + 1e-9).all()
    assert (p_best <= per_batch + 1e-9).all()
    assert per_batch.mean() <= every.mean(1).mean() + 1e-9
    assert (hypotheses.p_agg(several, target) <= every.mean(1) + 1e-9).all()  # triangle inequality


def test_one_hypothesis_makes_all_equal():
    several, target = random_case(0, num=1)
    expected = joints_3d.mpjpe(several[:, 0], target)
    for measure in (hypotheses.p_agg, hypotheses.p_best, hypotheses.j_best, hypotheses.p_best_per_batch):
        torch.testing.assert_close(measure(several, target), expected)


def test_each_oracle_finds_what_it_may_choose():
    _, target = random_case(1, batch=2, frames=2)
    several = target.unsqueeze(1).repeat(1, 2, 1, 1, 1)
    several[0, 0, 0, 5] += torch.tensor(
        [170.0, 0, 0]
    )  # clip 0, frame 0: hypothesis 0 is wrong in a joint, 1 in another
    several[0, 1, 0, 6] += torch.tensor([340.0, 0, 0])
    several[0, 0, 1, 5] += torch.tensor([17.0, 0, 0])  # frame 1: hypothesis 1 is right
    several[1, 0, :, 7] += torch.tensor([51.0, 0, 0])  # clip 1: hypothesis 1 is right
    assert hypotheses.j_best(several, target).tolist() == [[0, 0], [0, 0]]
    torch.testing.assert_close(hypotheses.p_best(several, target), torch.tensor([[10.0, 0], [0, 0]]).double())
    # Over the batch: hypothesis 0 makes 10 + 1 + 3 + 3 = 17, hypothesis 1 makes 20.
    per_batch = hypotheses.p_best_per_batch(several, target)
    torch.testing.assert_close(per_batch, torch.tensor([[10.0, 1], [3, 3]]).double())
    without_first = torch.tensor([[0, 1], [1, 1]])
    masked = hypotheses.p_best_per_batch(several, target, frame_mask=without_first)
    torch.testing.assert_close(masked, torch.tensor([[20.0, 0], [0, 0]]).double())


def test_per_batch_minimum_depends_on_the_batch_and_p_best_does_not():
    several, target = random_case(3, batch=6)
    single = [hypotheses.p_best(several[index : index + 1], target[index : index + 1]) for index in range(6)]
    torch.testing.assert_close(torch.cat(single), hypotheses.p_best(several, target))
    single = [hypotheses.p_best_per_batch(several[index : index + 1], target[index : index + 1]) for index in range(6)]
    assert torch.cat(single).mean() < hypotheses.p_best_per_batch(several, target).mean()


def test_spread_is_the_rms_distance_from_the_mean():
    several = torch.zeros(2, 1, 1, 3)
    several[1, 0, 0] = torch.tensor([6.0, 8.0, 0.0])
    assert hypotheses.hypothesis_spread(several).item() == pytest.approx(5)
    assert hypotheses.hypothesis_spread(several[:1]).item() == 0


def test_wrong_shapes_are_refused():
    with pytest.raises(ValueError, match='M >= 1'):
        hypotheses.p_best(torch.zeros(4, 17, 3), torch.zeros(4, 17, 3))
    with pytest.raises(ValueError, match='M >= 1'):
        hypotheses.p_agg(torch.zeros(0, 4, 17, 3), torch.zeros(4, 17, 3))
