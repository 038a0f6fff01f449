"""Convert checkpoints of the official FMPose3D code to this project's parameter names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from posediff.engine.model_building import init_model
from posediff.fileio.atomic_files import atomic_write
from posediff.fileio.checkpoint import load_checkpoint
from posediff.fileio.state_dicts import find_state, unwrapped
from posediff.integrations.official_checkpoints import check_fit
from posediff.models.layers.joint_messages import message_matrices
from posediff.structures.skeletons import Skeleton

LICENCE = (
    "FMPose3D's official weights are for non-commercial use only (README: CC BY-NC-ND 4.0), and were trained "
    'on Human3.6M, which is for research only: do not pass the converted file on'
)

# Official name of a module → name in this project.
_MODULES = {
    'time_embed.proj.0': 'time_embedding.hidden',
    'time_embed.proj.2': 'time_embedding.output',
    'encoder.fc1': 'embedding',
    'encoder.fc2': 'embedding_output',
    'FMPose3D.norm_mu': 'final_norm',
    'pred_mu.fc1': 'output_hidden',
    'pred_mu.fc2': 'output_projection',
}
_BLOCK = {
    'norm1': 'graph_norm',
    'gcn1.conv1d': 'graph_conv.linear',
    'norm_att1': 'attention_norm',
    'attn.qkv': 'attention.qkv',
    'attn.proj': 'attention.projection',
    'norm_mlp': 'mlp_norm',
    'mlp.fc1': 'mlp_hidden',
    'mlp.fc2': 'mlp_output',
}
_FREQUENCIES = {'time_embed.B': 'time_embedding.frequencies'}
_GRAPH = re.compile(r'A|FMPose3D\.blocks\.\d+\.gcn1\.adj')
_ANIMALS = re.compile(r'encoder_(pose_2d|y_t)\..*')


def convert_fmpose3d_state_dict(
    checkpoint: Mapping[str, Any], skeleton: Skeleton, source: str | Path = 'the checkpoint'
) -> dict[str, Tensor]:
    """Rename the parameters of an official checkpoint of FMPose3D's model of humans.

    The graph, which the file holds once for the model and once for each block, is compared with that of the skeleton
    and left out. The random frequencies of the time embedding are kept.

    Args:
        checkpoint: Content of the file: a state dict, bare or wrapped as in :mod:`posediff.fileio.state_dicts`.
        skeleton: Skeleton of the model that the weights are for.
        source: Path of the checkpoint, for messages.

    Returns:
        State dict of a :class:`posediff.models.estimator.PoseDiffusionEstimator` with ``FMPose3DDenoiser``, float32.

    Raises:
        ValueError: Keys are unknown, the graph is another one, or a weight is NaN or infinite; the message lists a few.
    """
    state = unwrapped(find_state(checkpoint, source).state, source)
    if any(_ANIMALS.fullmatch(name) for name in state):
        raise ValueError(f"{source} is FMPose3D's model of animals, which has another network; only humans convert")
    graphs = {name: value for name, value in state.items() if _GRAPH.fullmatch(name)}
    weights = {name: value for name, value in state.items() if name not in graphs}
    names = {name: _rename(name) for name in weights}
    unknown = [name for name, ours in names.items() if ours is None or not isinstance(weights[name], Tensor)]
    if unknown or not weights:
        raise ValueError(
            f'{source}: not a checkpoint of FMPose3D: {len(unknown)} of {len(state)} keys are unknown '
            f'({", ".join(unknown[:4])})'
        )
    expected = message_matrices(skeleton)
    other = [name for name, graph in graphs.items() if not _equal(graph, expected)]
    if other or not graphs:
        problem = f'{", ".join(other[:4])} differ from' if other else 'there is no graph (A) to compare with'
        raise ValueError(f'{source}: {problem} the graph of the skeleton {skeleton.name}')
    not_finite = [name for name, value in weights.items() if not torch.isfinite(value).all()]
    if not_finite:
        raise ValueError(
            f'{source}: {len(not_finite)} tensors hold NaN or infinite numbers: {", ".join(not_finite[:4])}'
        )
    return {f'denoiser.{names[name]}': _plain(name, value) for name, value in weights.items()}


def convert_fmpose3d_checkpoint(
    source: str | Path, destination: str | Path, config: str | Path, cfg_options: Mapping[str, Any] | None = None
) -> int:
    """Convert an official checkpoint to one that ``posediff.init_model(config, destination)`` loads strictly.

    :data:`LICENCE` is stored with the weights, under ``meta``.

    Args:
        source: Official checkpoint.
        destination: File to write, atomically.
        config: Config of a model with ``FMPose3DDenoiser`` of the same size.
        cfg_options: Overrides of the config, as for :func:`posediff.init_model`.

    Returns:
        Number of tensors written.

    Raises:
        FileNotFoundError, ValueError, posediff.fileio.checkpoint.UnsafeCheckpointError: A file is missing, malformed or
            not an official checkpoint, or its weights do not match the config.
    """
    model = init_model(config, cfg_options=cfg_options)
    state = convert_fmpose3d_state_dict(load_checkpoint(source), model.head.skeleton, source)
    check_fit(state, model.state_dict(), source, config)
    with atomic_write(destination) as temporary:
        torch.save({'state_dict': state, 'meta': {'converted_from': Path(source).name, 'licence': LICENCE}}, temporary)
    return len(state)


def _rename(name: str) -> str | None:
    """Return this project's name of an official parameter; None if it is unknown."""
    if name in _FREQUENCIES:
        return _FREQUENCIES[name]
    module, _, leaf = name.rpartition('.')
    if leaf not in ('weight', 'bias'):
        return None
    block = re.fullmatch(r'FMPose3D\.blocks\.(\d+)\.(.+)', module)
    if block is None:
        return f'{_MODULES[module]}.{leaf}' if module in _MODULES else None
    number, part = block.groups()
    return f'blocks.{number}.{_BLOCK[part]}.{leaf}' if part in _BLOCK else None


def _equal(graph: Any, expected: Tensor) -> bool:
    is_alike = isinstance(graph, Tensor) and graph.shape == expected.shape
    return is_alike and torch.allclose(
        graph.float(), expected, rtol=0, atol=1e-3 if graph.dtype == torch.half else 1e-6
    )


def _plain(name: str, value: Tensor) -> Tensor:
    """Return a copy in float32; 1x1 convolutions become the weights of linear layers."""
    value = value.detach().float()
    return (value.squeeze(-1) if name.endswith('conv1d.weight') and value.dim() == 3 else value).clone()
