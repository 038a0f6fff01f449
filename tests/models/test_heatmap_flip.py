"""Mirrored heatmaps are the heatmaps of the mirrored picture, whatever the codec's grid."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip('mmpose')

from posediff.models.heads.heatmap import HeatmapHead

WIDTH, HEIGHT = 48, 64
CODECS = {
    'UDP': {'type': 'UDPHeatmap'},
    'MSRA': {'type': 'MSRAHeatmap', 'unbiased': True},
    'rounded MSRA': {'type': 'MSRAHeatmap'},
    'Megvii': {'type': 'MegviiHeatmap', 'kernel_size': 5},
}
SHIFTS = {'UDP': 0, 'MSRA': 3, 'rounded MSRA': 4, 'Megvii': 0}  # px, at 4 px to a cell


def make_head(name: str) -> HeatmapHead:
    size = {'input_size': (WIDTH, HEIGHT), 'heatmap_size': (12, 16)}
    codec = {**CODECS[name], **size, **({} if name == 'Megvii' else {'sigma': 1.0})}
    return HeatmapHead(codec=codec)


def heatmaps_of(head: HeatmapHead, picture: torch.Tensor) -> torch.Tensor:
    """What a perfect network would say of a picture (H, W) with one bright pixel: all joints are there."""
    y, x = divmod(int(picture.argmax()), WIDTH)
    points = np.full((1, head.skeleton.num_joints, 2), (x, y), np.float32)
    encoded = head.codec.encode(points, np.ones(points.shape[:2], np.float32))
    return torch.from_numpy(encoded['heatmaps'])


@pytest.mark.parametrize(('name', 'shift'), SHIFTS.items())
@given(x=st.integers(10, WIDTH - 11), y=st.integers(6, HEIGHT - 7))
@settings(deadline=None, max_examples=40)
def test_a_perfect_network_says_the_same_of_the_mirrored_picture(name, shift, x, y):
    head = make_head(name)
    assert head.flip_shift == shift
    picture = torch.zeros(HEIGHT, WIDTH)
    picture[y, x] = 1
    expected = heatmaps_of(head, picture)
    mirrored = head.flip_inputs(picture)
    assert mirrored.shape == picture.shape
    torch.testing.assert_close(head.flip_state(heatmaps_of(head, mirrored)), expected, atol=1e-5, rtol=1e-4)
    # the mirror image by pixels alone is another one where there is a shift
    plain = head.flip_state(heatmaps_of(head, picture.flip(-1)))
    assert torch.allclose(plain, expected, atol=1e-5) or shift
    assert not torch.allclose(plain, expected, atol=1e-5) or shift != 3
