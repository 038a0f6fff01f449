"""The denoiser of DiffHPE: graph convolutions over frames and joints (CT-GCN)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from posediff.models.denoisers.base import expand_to_rows
from posediff.models.denoisers.graph_inference import CTGCNParts, FoldedCTGCN
from posediff.models.denoisers.graph_layer import CTGCNLayer
from posediff.models.denoisers.prepared import ClipDenoiser
from posediff.models.layers.non_local import POOLING_ORDER
from posediff.models.layers.timestep_embedding import TabulatedStepEmbedding
from posediff.registry import DENOISERS
from posediff.structures.skeletons import get_skeleton


class CTGCNCondition(NamedTuple):
    """The contribution of the condition to the first layer, (B, T, K, C), and the folded network; None in training."""

    tokens: Tensor
    folded: FoldedCTGCN | None


@DENOISERS.register_module()
class CTGCNDenoiser(ClipDenoiser):
    """CT-GCN of DiffHPE (Rommel et al., ICCV workshops 2023, section 3.4), as in the official code.

    The input of the first layer is the concatenation of pose and condition; the pose is raw (DiffHPE-2D) or embedded
    (w_theta of DiffHPE-Wrapper). The condition is an input of this layer only.

    Args:
        num_frames: T; the weights depend on it.
        skeleton: Name in :mod:`posediff.structures.skeletons`; defines K and the graph.
        channels: C.
        num_layers: Residual layers.
        condition_channels: Width of the condition (2 for raw 2D, the lifter's width for its features).
        pose_channels: Width of the embedding of x_t; None: no embedding.
        step_channels: Width of the step embedding.
        dropout: Rate after every graph convolution.
        num_train_timesteps: Length of the table of step embeddings.
        pooling_order: Order in which joints are paired as keys of the non-local layers; None: that of the skeleton in
            :data:`POOLING_ORDER`, else storage order.
        init_cfg: See :class:`mmengine.model.BaseModule`.
    """

    def __init__(
        self,
        num_frames: int = 27,
        skeleton: str = 'h36m17',
        channels: int = 64,
        num_layers: int = 16,
        condition_channels: int = 64,
        pose_channels: int | None = None,
        step_channels: int = 128,
        dropout: float = 0.0,
        num_train_timesteps: int = 50,
        pooling_order: Sequence[int] | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(num_frames, skeleton, condition_channels, init_cfg)
        graph = get_skeleton(skeleton)
        order = pooling_order or POOLING_ORDER.get(skeleton) or tuple(range(graph.num_joints))
        self.pose_embedding = None if pose_channels is None else nn.Linear(3, pose_channels)
        self.step_embedding = TabulatedStepEmbedding(num_train_timesteps, step_channels)
        self.input_projection = nn.Linear((pose_channels or 3) + condition_channels, channels)
        self.layers = nn.ModuleList(
            CTGCNLayer(channels, num_frames, graph, step_channels, dropout, order) for _ in range(num_layers)
        )
        self.output_hidden = nn.Linear(channels, channels)
        self.output_projection = nn.Linear(channels, 3)
        for linear in (self.input_projection, self.output_hidden):
            nn.init.kaiming_normal_(linear.weight)
        nn.init.zeros_(self.output_projection.weight)

    def project(self, condition: Tensor) -> CTGCNCondition:
        """Apply the part of the input map that multiplies the condition.

        In eval mode without gradients, the result also contains the network with folded weights, :class:`FoldedCTGCN`.
        """
        tokens = F.linear(condition, self.input_projection.weight[:, -condition.shape[-1] :], self.pose_map()[1])
        if self.training or torch.is_grad_enabled():
            return CTGCNCondition(tokens, None)
        device = condition.device.type
        autocast = torch.is_autocast_enabled(device)
        dtype = torch.get_autocast_dtype(device) if autocast else self.input_projection.weight.dtype
        with torch.autocast(device, enabled=False):
            return CTGCNCondition(tokens, FoldedCTGCN(self._parts(), dtype))

    def denoise(self, x_t: Tensor, timestep: Tensor, prepared: CTGCNCondition) -> Tensor:
        tokens = expand_to_rows(prepared.tokens, x_t.shape[0])
        if prepared.folded is not None and not self.training and not torch.is_grad_enabled():
            return prepared.folded(x_t, timestep, tokens)
        x = F.linear(x_t.permute(2, 1, 0, 3).contiguous(), self.pose_map()[0])
        x = F.relu(x + tokens.permute(2, 1, 0, 3))
        step_embedding = self.step_embedding(timestep)
        bias = self.skip_bias()
        skips = bias.to(x.dtype).expand(x.shape[:-1].numel(), -1).contiguous()
        for layer in self.layers:
            x, skips = layer(x, skips, step_embedding)
        hidden = F.relu(self.output_hidden(skips / math.sqrt(len(self.layers))))
        return self.output_projection(hidden).view(*x.shape[:3], 3).permute(2, 1, 0, 3)

    def _parts(self) -> CTGCNParts:
        return CTGCNParts(
            layers=cast('list[CTGCNLayer]', list(self.layers)),
            step_embedding=self.step_embedding,
            pose_weight=self.pose_map()[0],
            output_hidden=self.output_hidden,
            output_projection=self.output_projection,
            skip_bias=self.skip_bias(),
        )

    def skip_bias(self) -> Tensor:
        """Return the sum (C,) of the biases of the skip connections of all layers."""
        layers = cast('Iterable[CTGCNLayer]', self.layers)
        return torch.stack([layer.skip_bias() for layer in layers]).sum(dim=0)

    def pose_map(self) -> tuple[Tensor, Tensor]:
        """Return the map from x_t to the first features: weight (C, 3), and bias (C,) with all input biases."""
        weight, bias = self.input_projection.weight, self.input_projection.bias
        weight = weight[:, : weight.shape[1] - self.condition_shape[-1]]
        if self.pose_embedding is None:
            return weight, bias
        return weight @ self.pose_embedding.weight, bias + weight @ self.pose_embedding.bias
