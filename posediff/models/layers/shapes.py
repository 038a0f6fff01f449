"""Sizes of tensors that modules agree on, and checks of shapes."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

HEATMAP_FACTOR = 4
"""Size of a heatmap, and of a finer map that is added to a condition, divided by that of the spatiotemporal feature."""

CLIP_AXES = ('frames', 'joints', 'channels')
"""Names of the axes (T, K, C) of a clip, for error messages."""


def check_shape(owner: str, name: str, tensor: Tensor, expected: tuple[int, ...], axes: Sequence[str] = ()) -> None:
    """Check that a batch has the shape that a network was built for.

    Args:
        owner: Class name of the network, for the message.
        name: Name of the argument, for the message.
        tensor: (N, …) any number of rows.
        expected: Shape without the leading axis.
        axes: Name of each of these axes; empty: the message states sizes only.

    Raises:
        ValueError: The tensor has another shape.
    """
    if tensor.dim() == len(expected) + 1 and tuple(tensor.shape[1:]) == expected:
        return
    sizes = [f'{size} {axis}' for size, axis in zip(expected, axes, strict=True)] if axes else map(str, expected)
    raise ValueError(f'{owner} was built for {name} of shape (N, {", ".join(sizes)}); got {tuple(tensor.shape)}')
