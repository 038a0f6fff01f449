"""The CT-GCN at inference: batch normalisation, step projections and biases are folded into the weights."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple, cast

import torch
from torch import Tensor, nn

from posediff.models.denoisers.graph_layer import CTGCNLayer
from posediff.models.layers.timestep_embedding import TabulatedStepEmbedding, check_timesteps

# Rows per thread that are processed together on a CPU: with fewer, the matrix products are small; with more, the
# activations do not fit the cache.
ROWS_PER_THREAD = 8
SQRT_HALF = math.sqrt(0.5)


def norm_scale_shift(norm: nn.modules.batchnorm._BatchNorm) -> tuple[Tensor, Tensor]:
    """Return scale and shift (C,) of a batch normalisation in eval mode: ``x * scale + shift``."""
    mean, variance = cast(Tensor, norm.running_mean), cast(Tensor, norm.running_var)
    scale = norm.weight * (variance + norm.eps).rsqrt()
    return scale, norm.bias - mean * scale


@dataclass
class FoldedLayer:
    """A residual layer with folded normalisations and biases.

    Features are (K, T, N, C), or the same memory with flattened axes.

    Attributes:
        frame_own, frame_neighbours: (K, T, T) maps over frames, applied from the left.
        frame_bias: (T, 1, 1).
        frame_gain: (K, T, 1, 1), output of the frame convolution for features of ones.
        channel_own, channel_neighbours: (K, C, C).
        channel_bias: (C,).
        query: (C,), divided by the number of keys.
        key_value: (C, C) and bias (C,).
        key_score, score_bias: (C / 2,), and the bias of the score.
        attended: (C / 2, C), output map of the non-local layer; its bias is included in those of gate and value.
        gate, value: (C, C) and biases (C,); those of the gate are halved.
        residual, skip: (C, C).
    """

    frame_own: Tensor
    frame_neighbours: Tensor
    frame_bias: Tensor
    frame_gain: Tensor
    channel_own: Tensor
    channel_neighbours: Tensor
    channel_bias: Tensor
    query: Tensor
    key_value: Tensor
    key_value_bias: Tensor
    key_score: Tensor
    score_bias: Tensor
    attended: Tensor
    gate: Tensor
    gate_bias: Tensor
    value: Tensor
    value_bias: Tensor
    residual: Tensor
    skip: Tensor

    @classmethod
    def fold(cls, layer: CTGCNLayer, dtype: torch.dtype) -> FoldedLayer:
        """Fold a layer in eval mode; the results are converted to ``dtype``."""
        channels = layer.mid_projection.in_features
        frame_scale, frame_shift = norm_scale_shift(layer.frame_norm)
        channel_scale, channel_shift = norm_scale_shift(layer.channel_norm)
        frame_own, frame_neighbours = (m.transpose(1, 2) * frame_scale[:, None] for m in layer.frame_conv.matrices())
        channel_own, channel_neighbours = (m * channel_scale for m in layer.channel_conv.matrices())
        mixing = layer.frame_conv.adjacency_neighbours
        non_local = layer.non_local
        query, query_bias = non_local.query_map()
        key_value, key_value_bias = non_local.key_value_map()
        output_scale, output_shift = norm_scale_shift(non_local.norm)
        output_bias = non_local.output.bias * output_scale + output_shift
        mid = layer.mid_projection.weight
        mid_bias = layer.mid_projection.bias + mid @ output_bias
        output = layer.output_projection.weight
        parts = {
            'frame_own': frame_own,
            'frame_neighbours': frame_neighbours,
            'frame_bias': (layer.frame_conv.bias * frame_scale + frame_shift)[:, None, None],
            'frame_gain': (frame_own.sum(2) + mixing @ frame_neighbours.sum(2))[..., None, None],
            'channel_own': channel_own,
            'channel_neighbours': channel_neighbours,
            'channel_bias': layer.channel_conv.bias * channel_scale + channel_shift,
            'query': query[0] / len(non_local.pairs),
            'key_value': key_value.t(),
            'key_value_bias': key_value_bias,
            'key_score': non_local.score.weight[0, channels // 2 :] / len(non_local.pairs),
            'score_bias': query_bias / len(non_local.pairs),
            'attended': (non_local.output.weight * output_scale[:, None]).t(),
            'gate': mid[:channels].t() / 2,
            'gate_bias': mid_bias[:channels] / 2,
            'value': mid[channels:].t(),
            'value_bias': mid_bias[channels:],
            'residual': output[:channels].t() * (SQRT_HALF / 2),
            'skip': output[channels:].t() / 2,
        }
        return cls(**{name: part.to(dtype).contiguous() for name, part in parts.items()})


@dataclass
class Workspace:
    """Buffers shared by all layers."""

    features: Tensor  # (K, R, C)
    mixed: Tensor  # (K, R, C)
    messages: Tensor  # (K + 1, R * C): messages of the joints to their neighbours, and a row for the bias
    pooled: Tensor  # (P, R, C)
    skips: Tensor  # (K * R, C)

    @classmethod
    def like(cls, x: Tensor, num_pairs: int) -> Workspace:
        """Allocate the buffers for features (K, T, N, C), with the dtype and device of ``x``."""
        joints, frames, rows, channels = x.shape
        size = (frames * rows, channels)
        return cls(
            features=x.new_empty(joints, *size),
            mixed=x.new_empty(joints, *size),
            messages=x.new_empty(joints + 1, size[0] * size[1]),
            pooled=x.new_empty(num_pairs, *size),
            skips=x.new_zeros(joints * size[0], channels),
        )


class CTGCNParts(NamedTuple):
    """The parts of a CT-GCN in eval mode.

    Attributes:
        layers: Residual layers.
        step_embedding: Embedding of the diffusion step.
        pose_weight: (C, 3), the map from x_t to the first features.
        output_hidden, output_projection: The output layers.
        skip_bias: (C,), sum of the biases of the skip connections of all layers.
    """

    layers: list[CTGCNLayer]
    step_embedding: TabulatedStepEmbedding
    pose_weight: Tensor
    output_hidden: nn.Linear
    output_projection: nn.Linear
    skip_bias: Tensor


class FoldedCTGCN:
    """A CT-GCN with folded batch normalisation, step projections and biases.

    It shares no memory with the module; later changes of its weights have no effect.

    Args:
        parts: Parts of the module.
        dtype: Dtype of the computation.
    """

    def __init__(self, parts: CTGCNParts, dtype: torch.dtype) -> None:
        layers = parts.layers
        self.layers = [FoldedLayer.fold(layer, dtype) for layer in layers]
        self.layer_inputs = _layer_inputs(parts.step_embedding, layers).to(dtype)
        self.pairs = layers[0].non_local.pairs
        self.mixing = layers[0].frame_conv.adjacency_neighbours.to(dtype)
        self.mixing_and_bias = torch.cat([self.mixing, self.mixing.new_ones(len(self.mixing), 1)], dim=1)
        self.pose = parts.pose_weight.t().to(dtype).contiguous()
        hidden, depth = parts.output_hidden, math.sqrt(len(layers))
        self.hidden = (hidden.weight.t() / depth).to(dtype)
        self.hidden_bias = (hidden.bias + hidden.weight @ parts.skip_bias / depth).to(dtype)
        self.output = parts.output_projection.weight.t().to(dtype)
        self.output_bias = parts.output_projection.bias.to(dtype)

    def __call__(self, x_t: Tensor, timestep: Tensor, tokens: Tensor) -> Tensor:
        """Evaluate the network.

        Args:
            x_t: (N, T, K, 3).
            timestep: int64 (N,) or (1,).
            tokens: (N, T, K, C), contribution of the condition to the first layer, with the bias.

        Returns:
            (N, T, K, 3).
        """
        check_timesteps(timestep, len(self.layer_inputs))
        output = torch.empty_like(x_t)
        rows = x_t.shape[0]
        if x_t.device.type == 'cpu':
            rows = ROWS_PER_THREAD * torch.get_num_threads()
        with torch.autocast(x_t.device.type, enabled=False):
            for start in range(0, x_t.shape[0], rows):
                chunk = slice(start, start + rows)
                steps = timestep if timestep.shape[0] == 1 else timestep[chunk]
                output[chunk] = self._run(x_t[chunk], self.layer_inputs[steps], tokens[chunk])
        return output

    def _run(self, x_t: Tensor, layer_inputs: Tensor, tokens: Tensor) -> Tensor:
        pose = x_t.permute(2, 1, 0, 3).to(self.pose.dtype)
        x = (pose @ self.pose).add_(tokens.permute(2, 1, 0, 3)).relu_()
        work = Workspace.like(x, len(self.pairs))
        for index, layer in enumerate(self.layers):
            self._mix_frames(layer, x, layer_inputs[:, index], work)
            self._mix_channels(layer, work)
            self._attend(layer, work)
            y = work.mixed.flatten(0, 1)
            gate = torch.addmm(layer.gate_bias, y, layer.gate).tanh_()
            value = torch.addmm(layer.value_bias, y, layer.value).tanh_()
            value.addcmul_(gate, value)
            x.view(value.shape).addmm_(value, layer.residual, beta=SQRT_HALF)
            work.skips.addmm_(value, layer.skip)
        hidden = torch.addmm(self.hidden_bias, work.skips, self.hidden).relu_()
        return torch.addmm(self.output_bias, hidden, self.output).view(pose.shape).permute(2, 1, 0, 3)

    def _mix_frames(self, layer: FoldedLayer, x: Tensor, layer_input: Tensor, work: Workspace) -> None:
        """Compute ``features`` from x and layer_input (N or 1, C)."""
        mixed = work.features.view(x.shape)
        mixed.copy_(torch.addcmul(layer.frame_bias, layer.frame_gain, layer_input))
        x = x.flatten(2)
        messages = work.messages[:-1]
        torch.bmm(layer.frame_neighbours, x, out=messages.view(x.shape))
        mixed.view(x.shape).baddbmm_(layer.frame_own, x)
        work.features.flatten(1).addmm_(self.mixing, messages).relu_()

    def _mix_channels(self, layer: FoldedLayer, work: Workspace) -> None:
        """Compute ``mixed`` from ``features``."""
        x = work.features
        torch.bmm(x, layer.channel_neighbours, out=work.messages[:-1].view(x.shape))
        work.messages[-1].view(x.shape[1:]).copy_(layer.channel_bias)
        torch.bmm(x, layer.channel_own, out=work.mixed)
        work.mixed.flatten(1).addmm_(self.mixing_and_bias, work.messages).relu_()

    def _attend(self, layer: FoldedLayer, work: Workspace) -> None:
        """Add the output of the non-local layer, without its bias, to ``mixed``."""
        x = work.mixed
        key_value = torch.matmul(x, layer.key_value)
        for pair, (first, second) in enumerate(self.pairs):
            torch.maximum(key_value[first], key_value[second], out=work.pooled[pair])
        keys, values = work.pooled.add_(layer.key_value_bias).chunk(2, dim=-1)
        query_score = torch.matmul(x, layer.query).t().contiguous()
        key_score = torch.matmul(keys, layer.key_score).add_(layer.score_bias).t().contiguous()
        weights = (query_score.unsqueeze(2) + key_score.unsqueeze(1)).relu_()
        attended = torch.bmm(weights, values.transpose(0, 1))
        x.baddbmm_(attended.transpose(0, 1), layer.attended.expand(x.shape[0], -1, -1))


def _layer_inputs(step_embedding: TabulatedStepEmbedding, layers: list[CTGCNLayer]) -> Tensor:
    """Return the terms (num_train_timesteps, L, C) that are added to the features before each frame convolution.

    They are the projection of the step embedding and the accumulated biases of the residual path, which are therefore
    not added to the features.
    """
    table = step_embedding.table
    embedding = step_embedding(torch.arange(table.shape[0], device=table.device))
    channels = layers[0].mid_projection.in_features
    inputs, offset = [], embedding.new_zeros(channels)
    for layer in layers:
        inputs.append(layer.step_projection(embedding) + offset)
        offset = (offset + layer.output_projection.bias[:channels]) * SQRT_HALF
    return torch.stack(inputs, dim=1)
