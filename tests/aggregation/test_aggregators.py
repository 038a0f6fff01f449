"""Aggregators on poses and heatmaps, and joint-wise reprojection with a camera."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from mmengine.structures import InstanceData

from posediff.aggregation import (
    DensityAggregator,
    JointReprojectionAggregator,
    MeanAggregator,
    MedianAggregator,
    WeightedAggregator,
)
from posediff.geometry import Camera
from posediff.registry import AGGREGATORS
from posediff.structures import PoseDataSample

SHAPES = {'pose': (2, 5, 9, 17, 3), 'heatmap': (2, 5, 15, 12, 8)}
CAMERA = Camera(
    focal=np.array([1145.0, 1143.0]),
    center=np.array([512.0, 515.0]),
    img_shape=(1002, 1000),
    R=np.eye(3),
    t=np.zeros(3),
    distortion=np.array([-0.2, 0.24, -0.001, -0.0005, -0.002]),
)


def draw(shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def make_clip(num_hypotheses=5, seed=0, num_frames=4, noise=60.0):
    """A clip whose 2D input is the exact projection of its target, and hypotheses around the target."""
    target = 250 * draw((num_frames, 17, 3), seed)
    target = target - target[:, :1]
    hypotheses = target + noise * draw((num_hypotheses, num_frames, 17, 3), seed + 1)
    hypotheses[..., 0, :] = 0
    root = torch.tensor([150.0, -80.0, 4500.0]) + draw((num_frames, 3), seed + 2)
    sample = PoseDataSample(metainfo={'sample_id': 'clip', 'skeleton': 'h36m17', 'camera': CAMERA})
    sample.set_metainfo({'input_keypoints_2d': CAMERA.project((target + root[:, None]).numpy())})
    sample.gt_instances = InstanceData(root_position=root.numpy())
    return hypotheses, target, sample


def error(pose, target):
    return (pose - target).norm(dim=-1).mean().item()


@pytest.mark.parametrize('shape', SHAPES.values(), ids=SHAPES)
def test_mean_and_median_on_both_kinds(shape):
    hypotheses = draw(shape)
    torch.testing.assert_close(MeanAggregator()(hypotheses), hypotheses.mean(1))
    torch.testing.assert_close(MedianAggregator()(hypotheses), hypotheses.median(1).values)
    even = MedianAggregator()(hypotheses[:, :4])
    torch.testing.assert_close(even, torch.quantile(hypotheses[:, :4], 0.5, dim=1))


def literal_choice(hypotheses, bandwidth):
    """The hypothesis (M, …) of greatest density, written out."""
    distance = torch.tensor([[float(((one - other) ** 2).sum()) for other in hypotheses] for one in hypotheses])
    count = len(hypotheses)
    variance = bandwidth**2 * distance.sum() / (count * (count - 1))
    kernel = torch.exp(-distance / (2 * variance))
    return hypotheses[(kernel.sum(1) - 1).argmax()]


@pytest.mark.parametrize('bandwidth', [0.3, 1.0])
@pytest.mark.parametrize('kind', SHAPES)
def test_density_selects_the_mode(kind, bandwidth):
    hypotheses = draw(SHAPES[kind])
    chosen = DensityAggregator('whole', kind, bandwidth)(hypotheses)
    for clip, found in zip(hypotheses, chosen, strict=True):
        torch.testing.assert_close(found, literal_choice(clip, bandwidth))
    chosen = DensityAggregator('joint', kind, bandwidth)(hypotheses)
    place = (1, 2, 3) if kind == 'pose' else (1, 2)  # clip, then frame and joint, or joint
    expected = literal_choice(hypotheses[(place[0], slice(None), *place[1:])], bandwidth)
    torch.testing.assert_close(chosen[place], expected)


def test_density_finds_one_of_two_modes_and_the_mean_lies_between():
    mode = torch.tensor([[0.0, 0, 0], [100, 0, 0]])
    hypotheses = torch.cat([mode[:1].repeat(3, 1), mode[1:].repeat(2, 1)]) + draw((5, 3)).float()
    hypotheses = hypotheses[None, :, None, None]
    assert (DensityAggregator()(hypotheses) - mode[0]).norm() < 5
    assert (MeanAggregator()(hypotheses) - mode[0]).norm() > 30


def test_a_wide_density_is_nearest_to_the_mean_and_two_hypotheses_are_averaged():
    hypotheses = draw((3, 5, 15, 12, 8))
    nearest = (hypotheses - hypotheses.mean(1, keepdim=True)).flatten(2).norm(dim=2).argmin(1)
    chosen = DensityAggregator('whole', 'heatmap', 1e3)(hypotheses)
    torch.testing.assert_close(chosen, hypotheses[torch.arange(3), nearest])
    torch.testing.assert_close(DensityAggregator(state='heatmap')(hypotheses[:, :2]), hypotheses[:, :2].mean(1))


@pytest.mark.parametrize(('state', 'wrong'), [('pose', 'heatmap'), ('heatmap', 'pose')])
def test_density_names_hypotheses_of_the_other_kind(state, wrong):
    with pytest.raises(ValueError, match=f"DensityAggregator with state='{state}' takes .*, got "):
        DensityAggregator(state=state)(draw(SHAPES[wrong]))


@given(st.integers(0, 10**6))
@settings(max_examples=20, deadline=None)
def test_geometric_median_is_a_minimum_and_turns_with_the_axes(seed):
    points = 100 * draw((1, 5, 1, 2, 3), seed)
    median = MedianAggregator('geometric', num_iterations=300)(points)

    def cost(centre):
        return (points - centre.unsqueeze(1)).norm(dim=-1).sum(1)

    for axis in torch.cat([torch.eye(3), -torch.eye(3)]):
        assert (cost(median) <= cost(median + axis) + 1e-6).all()
    rotation = torch.linalg.qr(draw((3, 3), seed + 1)).Q
    turned = MedianAggregator('geometric', num_iterations=300)(points @ rotation)
    torch.testing.assert_close(turned, median @ rotation, rtol=1e-4, atol=1e-3)


def line(*places: float) -> torch.Tensor:
    """Hypotheses (1, M, 1, 1, 3) at places on a line."""
    direction = torch.tensor([2.0, -1, 2]) / 3
    return (7 + torch.tensor(places)[:, None] * direction)[None, :, None, None]


SQUARE = torch.tensor([[0.0, 0, 1], [4, 0, 1], [4, 4, 1], [0, 4, 1]])[None, :, None, None]


@pytest.mark.parametrize(
    ('hypotheses', 'expected'),
    [
        (line(3), line(3)),
        (line(-1, 5), line(2)),
        (line(0, 1, 5), line(1)),
        (line(10, 0, 4, 11, 1, 2, 13), line(4)),
        (line(0, 1, 2, 3, 9), line(2)),  # the iteration starts at the mean, which is a hypothesis: 3
        (line(0, 0, 0, 1, 1), line(0)),
        (SQUARE, torch.tensor([[[[[2.0, 2, 1]]]]])),
        (torch.cat([SQUARE, SQUARE[:, :1].repeat(1, 5, 1, 1, 1)], 1), SQUARE[:, :1]),  # six of nine in a corner
    ],
)
def test_geometric_medians_that_are_known(hypotheses, expected):
    """On a line the median; of a square its centre; a point with at least half of the hypotheses."""
    torch.testing.assert_close(MedianAggregator('geometric')(hypotheses), expected[:, 0], rtol=0, atol=1e-4)


def test_medians_ignore_a_stray_hypothesis():
    hypotheses = draw((1, 5, 2, 17, 3))
    stray = hypotheses.clone()
    stray[:, 0] += 1e6
    for kind in ('coordinate', 'geometric'):
        assert (MedianAggregator(kind)(stray) - MedianAggregator(kind)(hypotheses)).abs().max() < 10
    assert (MeanAggregator()(stray) - MeanAggregator()(hypotheses)).abs().min() > 1e5


@pytest.mark.parametrize('root', ['estimate', 'ground_truth'])
def test_joint_reprojection_finds_the_hypothesis_that_fits(root):
    """One hypothesis is exact in each joint; with few wrong joints an estimated root still finds it."""
    _, target, sample = make_clip()
    hypotheses = target.repeat(3, 1, 1, 1)
    hypotheses[1, :, 3] += torch.tensor([100.0, 0, 0])
    hypotheses[2, :, 3] += torch.tensor([0, 100.0, 0])
    hypotheses[0, :, 12] += torch.tensor([0, 100.0, 0])
    hypotheses[2, :, 12] += torch.tensor([80.0, 50.0, 0])
    chosen = JointReprojectionAggregator(root)(hypotheses[None], [sample])[0]
    torch.testing.assert_close(chosen, target)


@pytest.mark.parametrize('root', ['estimate', 'ground_truth'])
def test_joint_reprojection_beats_any_single_draw_and_nearly_the_mean(root):
    hypotheses, target, sample = make_clip(num_hypotheses=20, num_frames=12)
    chosen = JointReprojectionAggregator(root)(hypotheses[None], [sample])[0]
    singles = [error(hypothesis, target) for hypothesis in hypotheses]
    assert error(chosen, target) < min(singles)
    matches = (chosen[None] - hypotheses).norm(dim=-1).amin(0)
    assert matches.max() < 1e-9  # every joint is one of the hypotheses'


def test_dict_samples_and_hypotheses_with_moved_roots_give_the_same():
    hypotheses, _, sample = make_clip()
    aggregate = JointReprojectionAggregator()
    expected = aggregate(hypotheses[None], [sample])
    torch.testing.assert_close(aggregate(hypotheses[None], [sample.to_dict()]), expected)
    moved = hypotheses + 100 * draw((5, 4, 1, 3), 9)
    torch.testing.assert_close(aggregate(moved[None], [sample]), expected)


def test_weighted_lies_between_choice_and_mean():
    hypotheses, target, sample = make_clip(num_hypotheses=8)
    several = hypotheses[None]
    sharp = WeightedAggregator(sigma=1e-3)(several, [sample])
    flat = WeightedAggregator(sigma=1e6)(several, [sample])
    torch.testing.assert_close(sharp, JointReprojectionAggregator()(several, [sample]))
    torch.testing.assert_close(flat, MeanAggregator()(several))
    assert error(WeightedAggregator(sigma=10.0)(several, [sample])[0], target) < error(flat[0], target)


@pytest.mark.parametrize('root', ['estimate', 'ground_truth'])
def test_where_the_input_lacks_a_joint_the_mean_is_taken(root):
    hypotheses, _, sample = make_clip()
    aggregate = JointReprojectionAggregator(root)
    mask = np.ones((4, 17), np.float32)
    mask[1, 5] = 0
    mask[2] = 0
    keypoints = sample.input_keypoints_2d.copy()
    keypoints[mask == 0] = 0
    sample.set_metainfo({'input_keypoint_mask': mask, 'input_keypoints_2d': keypoints})
    chosen = aggregate(hypotheses[None], [sample])[0]
    assert torch.isfinite(chosen).all()
    mean = hypotheses.mean(0)
    torch.testing.assert_close(chosen[1, 5], mean[1, 5])
    torch.testing.assert_close(chosen[2], mean[2])
    assert not torch.allclose(chosen[3], mean[3])


def test_what_is_missing_is_named():
    hypotheses, _, sample = make_clip()
    aggregate = JointReprojectionAggregator()
    with pytest.raises(ValueError, match='data_samples'):
        aggregate(hypotheses[None])
    with pytest.raises(ValueError, match=r"'clip' has no camera"):
        aggregate(hypotheses[None], [{**sample.to_dict(), 'camera': None}])
    with pytest.raises(ValueError, match='root_position'):
        JointReprojectionAggregator('ground_truth')(hypotheses[None], [{**sample.to_dict(), 'gt_instances': {}}])
    with pytest.raises(ValueError, match='1 data samples for hypotheses of 2 clips'):
        aggregate(hypotheses[None].expand(2, -1, -1, -1, -1), [sample])
    with pytest.raises(ValueError, match='3D poses'):
        aggregate(draw((1, 5, 15, 12, 8)), [sample])
    with pytest.raises(ValueError, match='M >= 1'):
        MeanAggregator()(torch.zeros(2, 0, 4, 17, 3))


@pytest.mark.parametrize(
    ('name', 'option'),
    [
        ('JointReprojectionAggregator', {'root': 'guess'}),
        ('MedianAggregator', {'kind': 'x'}),
        ('WeightedAggregator', {'sigma': 0}),
        ('DensityAggregator', {'select': 'frame'}),
        ('DensityAggregator', {'state': 'x'}),
        ('DensityAggregator', {'bandwidth': 0}),
    ],
)
def test_unknown_options_are_refused(name, option):
    with pytest.raises(ValueError, match=next(iter(option))):
        AGGREGATORS.build({'type': name, **option})


def test_autocast_does_not_move_joints_that_are_chosen_by_density():
    hypotheses = 200 + torch.randn(2, 5, 15, 2, generator=torch.Generator().manual_seed(0))
    aggregator = DensityAggregator()
    with torch.autocast('cpu', torch.bfloat16):
        found = aggregator(hypotheses, None)
    assert torch.equal(found, aggregator(hypotheses, None))
