"""Refusing tensors of the wrong shape with a sentence."""

from __future__ import annotations

from torch import Tensor


def check_clip(owner: str, name: str, clip: Tensor, expected: tuple[int, int, int]) -> None:
    """Require (B, T, K, C) with the (T, K, C) that a network was built for.

    Args:
        owner: Class that was built.
        name: What the tensor is to it.
        clip: The tensor.
        expected: (T, K, C).

    Raises:
        ValueError: It has another number of axes, frames, joints or channels.
    """
    if clip.dim() != 4 or tuple(clip.shape[1:]) != expected:
        frames, joints, channels = expected
        raise ValueError(
            f'{owner} was built for {name} of shape (B, {frames} frames, {joints} joints, {channels} channels); '
            f'got {tuple(clip.shape)}'
        )


def check_maps(owner: str, name: str, maps: Tensor, expected: tuple[int, int, int]) -> None:
    """Require (N, C, H, W) with the (C, H, W) that a network was built for.

    Args:
        owner: Class that was built.
        name: What the tensor is to it.
        maps: The tensor.
        expected: (C, H, W).

    Raises:
        ValueError: It has another number of axes or channels, or another size.
    """
    if maps.dim() != 4 or tuple(maps.shape[1:]) != expected:
        raise ValueError(
            f'{owner} was built for {name} of shape (N, {", ".join(map(str, expected))}); got {tuple(maps.shape)}'
        )
