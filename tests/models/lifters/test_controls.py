"""Lifters that serve as controls: linear, residual perceptron, temporal convolution."""

from __future__ import annotations

import pytest
import torch

from posediff.models.lifters import LinearLifter, ResidualMLP, TemporalConvolution

SMALL = {'num_frames': 7, 'skeleton': 'h36m17', 'in_channels': 2}
PER_FRAME = [LinearLifter(**SMALL), ResidualMLP(**SMALL, hidden_channels=16)]
ALL = [*PER_FRAME, TemporalConvolution(**SMALL, hidden_channels=16, kernel_sizes=(3, 3))]


def name(lifter):
    return type(lifter).__name__


@pytest.mark.parametrize('lifter', ALL, ids=name)
def test_shapes(lifter):
    assert lifter.eval()(torch.randn(3, 7, 17, 2)).shape == (3, 7, 17, 3)
    for shape in [(1, 6, 17, 2), (1, 7, 16, 2), (1, 7, 17, 3), (7, 17, 2)]:
        with pytest.raises(ValueError, match='7 frames, 17 joints, 2 channels'):
            lifter(torch.zeros(shape))


@pytest.mark.parametrize('lifter', PER_FRAME, ids=name)
def test_frames_do_not_influence_each_other(lifter):
    x = torch.randn(1, 7, 17, 2)
    changed = x.clone()
    changed[:, 3] += 1
    differs = (lifter.eval()(x) != lifter(changed)).any(-1).any(-1)[0]
    assert differs.tolist() == [number == 3 for number in range(7)]


def test_the_linear_lifter_is_linear():
    lifter = LinearLifter(**SMALL).double()
    x, y = torch.randn(2, 1, 7, 17, 2, dtype=torch.float64)
    zero = lifter(torch.zeros_like(x))
    torch.testing.assert_close(lifter(2 * x - 3 * y) - zero, 2 * (lifter(x) - zero) - 3 * (lifter(y) - zero))


def test_receptive_field():
    lifter = TemporalConvolution(**{**SMALL, 'num_frames': 21}, hidden_channels=16, kernel_sizes=(3, 3)).eval()
    assert lifter.receptive_field == 9
    x = torch.randn(1, 21, 17, 2, requires_grad=True)
    lifter(x)[0, 10].sum().backward()
    assert (x.grad[0].abs().sum((-1, -2)) > 0).nonzero().flatten().tolist() == list(range(6, 15))


def test_every_frame_is_predicted_as_the_middle_of_a_longer_clip():
    options = {'hidden_channels': 16, 'kernel_sizes': (3, 3)}
    long = TemporalConvolution(**{**SMALL, 'num_frames': 31}, **options).eval()
    short = TemporalConvolution(**{**SMALL, 'num_frames': 9}, **options).eval()
    short.load_state_dict(long.state_dict())
    x = torch.randn(1, 31, 17, 2)
    whole = long(x)
    for middle in (4, 15, 26):
        torch.testing.assert_close(short(x[:, middle - 4 : middle + 5])[:, 4], whole[:, middle])
    # beyond the ends the end frame is repeated
    padded = torch.cat([x[:, :1].expand(-1, 4, -1, -1), x[:, :5]], dim=1)
    torch.testing.assert_close(short(padded)[:, 4], whole[:, 0])


def test_sizes_of_the_papers():
    """8.56 M parameters for 27 frames and 16.95 M for 243 (VideoPose3D, table 5); the head has 12 more here."""
    for sizes, millions in (((3, 3, 3), 8.56), ((3, 3, 3, 3, 3), 16.95)):
        lifter = TemporalConvolution(kernel_sizes=sizes)
        assert sum(one.numel() for one in lifter.parameters()) / 1e6 == pytest.approx(millions, abs=0.005)
    assert sum(one.numel() for one in ResidualMLP().parameters()) / 1e6 == pytest.approx(4.29, abs=0.01)


@pytest.mark.parametrize('sizes', [(), (2,), (3, 4), (0,), (-3,)])
def test_even_kernels_are_refused(sizes):
    with pytest.raises(ValueError, match='kernel_sizes must be odd numbers'):
        TemporalConvolution(kernel_sizes=sizes)
