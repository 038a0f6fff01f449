"""Coherence measures against the official code and closed forms."""

import pytest
import torch

from posediff.evaluation import coherence
from posediff.structures.skeletons import H36M17, Skeleton


@pytest.fixture(scope='module')
def official(reference_data):
    return torch.load(reference_data / 'diffhpe_cases' / 'metrics_skeleton.pt', weights_only=True)


@pytest.fixture(scope='module')
def pose(official):
    return official['pred_BCJL'].double().permute(0, 3, 2, 1)


def test_segments_equal_official(official):
    assert coherence.coherence_segments(H36M17) == tuple(map(tuple, official['bones'].tolist()))


def test_lengths_equal_official(official, pose):
    lengths = coherence.segment_lengths(pose, coherence.coherence_segments(H36M17))
    torch.testing.assert_close(lengths.transpose(1, 2), official['bones_length_BSL'].double(), rtol=1e-5, atol=1e-7)


def test_symmetry_gap_equals_official(official, pose):
    gap = coherence.symmetry_gap(pose)
    assert gap.shape == (4, 27)
    assert gap.mean().item() == pytest.approx(official['sym_average_abs'].item(), rel=1e-5)


def test_segment_std_equals_official(official, pose):
    std = coherence.segment_std(pose)
    assert std.shape == (4,)
    assert std.mean().item() == pytest.approx(official['seg_std'].item(), rel=1e-5)


def test_readings_differ_as_named(pose):
    assert not torch.allclose(coherence.segment_std(pose, segments='skeleton'), coherence.segment_std(pose))
    biased = coherence.segment_std(pose, unbiased=False)
    torch.testing.assert_close(biased, coherence.segment_std(pose) * (26 / 27) ** 0.5)


def test_a_rigid_symmetric_figure_is_coherent_in_the_skeleton_reading():
    figure = torch.randn(17, 3, dtype=torch.float64)
    figure[[0, 7, 8, 9, 10], 0] = 0
    figure[list(H36M17.left)] = figure[list(H36M17.right)] * torch.tensor([-1.0, 1.0, 1.0])
    clip = figure.expand(9, 17, 3) + torch.randn(9, 1, 3, dtype=torch.float64)
    for segments in ('official', 'skeleton'):
        assert coherence.symmetry_gap(clip, segments=segments).max() < 1e-12
        assert coherence.segment_std(clip, segments=segments) < 1e-12


def test_closed_form_of_one_longer_leg():
    clip = torch.zeros(4, 17, 3, dtype=torch.float64)
    clip[:, 6, 1] = torch.tensor([60.0, 60.0, 0.0, 0.0])  # left foot off its knee, which stays at the origin
    torch.testing.assert_close(coherence.symmetry_gap(clip), torch.tensor([10.0, 10.0, 0.0, 0.0], dtype=torch.float64))
    assert coherence.segment_std(clip, unbiased=False).item() == pytest.approx(30 / 16)
    assert coherence.segment_std(clip).item() == pytest.approx(30 * (4 / 3) ** 0.5 / 16)


def test_frame_mask_equals_leaving_frames_out(pose):
    mask = torch.ones(4, 27)
    mask[:, 20:] = 0
    torch.testing.assert_close(coherence.segment_std(pose, frame_mask=mask), coherence.segment_std(pose[:, :20]))
    mask[1, 1:] = 0
    assert coherence.segment_std(pose, frame_mask=mask).isnan().tolist() == [False, True, False, False]


def test_official_reading_of_another_skeleton_is_refused():
    stick = Skeleton('stick', ('a', 'b'), (-1, 0), (), ())
    with pytest.raises(ValueError, match="'stick'"):
        coherence.coherence_segments(stick)
    assert coherence.coherence_segments(stick, 'skeleton') == ((1, 0),)


def test_wrong_shape_is_refused():
    with pytest.raises(ValueError, match='h36m17'):
        coherence.symmetry_gap(torch.zeros(4, 16, 3))
