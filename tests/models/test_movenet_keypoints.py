"""Decoding of MoveNet's maps against maps with known maxima."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from posediff.models.backbones.movenet import MoveNetBackbone
from posediff.models.backbones.movenet_keypoints import (
    JOINTS,
    SIGMA,
    STRIDE,
    MoveNetHeads,
    decode_person,
    mirrored_maps,
    person_maps,
)
from posediff.structures.skeletons import COCO17

HEIGHT, WIDTH = 16, 12
FLIP = torch.tensor(COCO17.flip_indices)


def maps_of(cells: torch.Tensor, offsets: torch.Tensor, center: tuple[int, int]) -> dict[str, torch.Tensor]:
    """Return maps with the joints in cells (17, 2), (y, x), and their offsets (17, 2)."""
    heatmap = torch.full((1, 17, HEIGHT, WIDTH), 0.1)
    heatmap[0, torch.arange(17), cells[:, 0], cells[:, 1]] = 0.9
    middle = torch.zeros(1, 1, HEIGHT, WIDTH)
    middle[0, 0, center[0], center[1]] = 1.0
    to_joints = cells + offsets - torch.tensor(center)
    regression = to_joints.float()[None, :, :, None, None].expand(1, 17, 2, HEIGHT, WIDTH)
    offset = offsets.float()[None, :, :, None, None].expand(1, 17, 2, HEIGHT, WIDTH)
    return {'heatmap': heatmap, 'center': middle, 'regression': regression, 'offset': offset}


seeds = st.integers(0, 2**32 - 1)


def drawn(seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    cells = torch.stack([torch.randint(side, (17,), generator=generator) for side in (HEIGHT, WIDTH)], 1)
    return cells, torch.rand(17, 2, generator=generator)


@given(seeds)
def test_joints_are_at_the_maxima_plus_their_offsets(seed):
    cells, offsets = drawn(seed)
    keypoints, scores = decode_person(maps_of(cells, offsets, (7, 5)))
    torch.testing.assert_close(keypoints[0], STRIDE * (cells + offsets).flip(-1), atol=1e-4, rtol=0)
    torch.testing.assert_close(scores, torch.full((1, 17), 0.9))


@given(seeds)
def test_maps_of_the_mirror_image_give_mirrored_joints(seed):
    cells, offsets = drawn(seed)
    maps = maps_of(cells, offsets, (7, 5))
    mirrored = mirrored_maps(maps, FLIP)
    keypoints, _ = decode_person(maps)
    other, _ = decode_person(mirrored)
    expected = keypoints[:, FLIP] * torch.tensor([-1.0, 1.0]) + torch.tensor([4.0 * WIDTH, 0.0])
    torch.testing.assert_close(other, expected, atol=1e-3, rtol=0)
    for name, values in mirrored_maps(mirrored, FLIP).items():
        torch.testing.assert_close(values, maps[name])


def test_the_person_in_the_middle_is_taken():
    """Two persons with equal values of the centre map: the nearer one to the middle of the image counts."""
    cells, offsets = drawn(0)
    maps = maps_of(cells, offsets, (8, 6))
    maps['center'][0, 0, 0, 0] = 1.0
    maps['regression'] = maps['regression'].clone()
    maps['regression'][..., 0, 0] = 0.0  # the other person's joints are all in the corner
    keypoints, _ = decode_person(maps)
    torch.testing.assert_close(keypoints[0], STRIDE * (cells + offsets).flip(-1), atol=1e-4, rtol=0)


def test_heads_give_the_maps_that_are_decoded():
    maps = MoveNetHeads()(torch.randn(2, 24, HEIGHT, WIDTH))
    assert {name: tuple(values.shape[1:-2]) for name, values in maps.items()} == {
        'heatmap': (17,), 'center': (1,), 'regression': (17, 2), 'offset': (17, 2),
    }  # fmt: skip
    keypoints, scores = decode_person(maps)
    assert keypoints.shape == (2, 17, 2)
    assert ((scores > 0) & (scores < 1)).all()


@given(seeds)
def test_person_maps_are_gaussians_at_the_keypoints_times_their_scores(seed):
    cells, offsets = drawn(seed)
    found = person_maps(maps_of(cells, offsets, (7, 5)))[0]
    y, x = torch.meshgrid(torch.arange(HEIGHT), torch.arange(WIDTH), indexing='ij')
    for joint, (down, across) in enumerate(cells + offsets):
        expected = 0.9 * torch.exp(-((y - down) ** 2 + (x - across) ** 2) / (2 * SIGMA**2))
        torch.testing.assert_close(found[joint], expected, atol=1e-5, rtol=0)


def test_the_score_of_a_person_is_the_mean_maximum_of_the_heatmaps():
    backbone = MoveNetBackbone(keypoints=True).eval()
    with torch.no_grad():
        maps = backbone(torch.randn(2, 3, 64, 64))
        expected = backbone.heads(maps[:, : -2 * JOINTS])['heatmap'].flatten(2).amax(2).mean(1)
    torch.testing.assert_close(backbone.person_scores(maps), expected)
    with pytest.raises(ValueError, match='no scores of a person without keypoints=True'):
        MoveNetBackbone().person_scores(maps)
