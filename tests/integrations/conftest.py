"""An interpreter of TF.js graph models, node by node, for the operations that MoveNet has."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from posediff.integrations.movenet_weights import GraphModel


@pytest.fixture
def run_graph() -> Callable[[GraphModel, np.ndarray], dict[str, Any]]:
    """Return a function that evaluates a graph model node by node."""
    return evaluate


def evaluate(graph: GraphModel, image: np.ndarray) -> dict[str, Any]:
    """Return the outputs of all nodes for an image (1, H, W, 3) uint8."""
    values: dict[str, Any] = {'input': image, **graph.tensors}
    for node in graph.nodes:
        if node['op'] not in ('Const', 'Placeholder'):
            attributes = {name: attribute(value) for name, value in node.get('attr', {}).items()}
            arguments = [fetch(values, name) for name in node.get('input', [])]
            values[node['name']] = OPERATIONS[node['op']](attributes, *arguments)
    return values


def fetch(values: dict[str, Any], name: str) -> Any:
    node, _, output = name.partition(':')
    value = values[node]
    return value[int(output or 0)] if isinstance(value, list) else value


def attribute(value: dict[str, Any]) -> Any:
    ((kind, content),) = value.items()
    if kind == 's':
        return base64.b64decode(content).decode()
    if kind == 'list':
        return [int(number) for number in content.get('i', [])] or [
            base64.b64decode(text).decode() for text in content.get('s', [])
        ]
    return int(content) if kind == 'i' else content


def convolve(attributes: dict[str, Any], x: np.ndarray, kernel: np.ndarray, *bias: np.ndarray) -> np.ndarray:
    depthwise = kernel.shape[3] == 1 and kernel.shape[2] == x.shape[3] > 1 and attributes['depthwise']
    weight = torch.from_numpy(np.transpose(kernel, (2, 3, 0, 1) if depthwise else (3, 2, 0, 1)).copy())
    image = torch.from_numpy(np.transpose(x, (0, 3, 1, 2)).copy())
    stride = attributes['strides'][1]
    if attributes['padding'] == 'SAME':
        pads = [max((-(-size // stride) - 1) * stride + kernel.shape[0] - size, 0) for size in image.shape[2:]]
        image = F.pad(image, (pads[1] // 2, pads[1] - pads[1] // 2, pads[0] // 2, pads[0] - pads[0] // 2))
    out = F.conv2d(image, weight, *map(torch.from_numpy, bias), stride=stride, groups=len(weight) if depthwise else 1)
    for name in attributes.get('fused_ops', []):
        out = {'BiasAdd': lambda y: y, 'Relu': F.relu, 'Relu6': F.relu6}[name](out)
    return out.numpy().transpose(0, 2, 3, 1)


def resize(attributes: dict[str, Any], x: np.ndarray, size: np.ndarray) -> np.ndarray:
    """Half-pixel centres, no alignment of corners."""
    for axis, length in ((1, int(size[0])), (2, int(size[1]))):
        at = np.clip((np.arange(length) + 0.5) * x.shape[axis] / length - 0.5, 0, x.shape[axis] - 1)
        low = np.floor(at).astype(int)
        high = np.minimum(low + 1, x.shape[axis] - 1)
        weight = (at - low).astype(np.float32).reshape([-1 if dim == axis else 1 for dim in range(4)])
        x = x.take(low, axis) * (1 - weight) + x.take(high, axis) * weight
    return x


def cast(attributes: dict[str, Any], x: np.ndarray) -> np.ndarray:
    return x.astype({'DT_FLOAT': np.float32, 'DT_INT32': np.int32}[attributes['DstT']])


OPERATIONS: dict[str, Callable[..., Any]] = {
    '_FusedConv2D': lambda a, *v: convolve(a | {'depthwise': False}, *v),
    'FusedDepthwiseConv2dNative': lambda a, *v: convolve(a | {'depthwise': True}, *v),
    'DepthwiseConv2dNative': lambda a, *v: convolve(a | {'depthwise': True}, *v),
    'ResizeBilinear': resize,
    'AddV2': lambda a, x, y: x + y,
    'Sub': lambda a, x, y: x - y,
    'Mul': lambda a, x, y: x * y,
    'RealDiv': lambda a, x, y: x / y,
    'FloorDiv': lambda a, x, y: x // y,
    'SquaredDifference': lambda a, x, y: (x - y) ** 2,
    'Sqrt': lambda a, x: np.sqrt(x),
    'Sigmoid': lambda a, x: 1 / (1 + np.exp(-x)),
    'Cast': cast,
    'Identity': lambda a, x: x,
    'ArgMax': lambda a, x, axis: x.argmax(int(axis)),
    'Reshape': lambda a, x, shape: x.reshape(shape),
    'ExpandDims': lambda a, x, axis: np.expand_dims(x, int(axis)),
    'Squeeze': lambda a, x: x.squeeze(tuple(a.get('squeeze_dims', [])) or None),
    'Pack': lambda a, *v: np.stack(v, a.get('axis', 0)),
    'Unpack': lambda a, x: [part.squeeze(a.get('axis', 0)) for part in np.split(x, a['num'], a.get('axis', 0))],
    'ConcatV2': lambda a, *v: np.concatenate(v[:-1], int(v[-1])),
    'GatherNd': lambda a, x, index: x[tuple(np.moveaxis(index, -1, 0))],
}
