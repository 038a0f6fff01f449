"""A denoiser of the joint coordinates of one person, which looks up features at the noisy joints."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from posediff.models.denoisers.base import expand_to_rows
from posediff.models.denoisers.prepared import PreparedDenoiser
from posediff.models.layers.keypoint_refinement import CropUnits, KeypointEvidence, KeypointRefinement, PointSampling
from posediff.models.layers.step_rescaling import StepRescaling
from posediff.models.layers.timestep_embedding import SinusoidalStepEmbedding
from posediff.registry import DENOISERS


@DENOISERS.register_module()
class KeypointDecoder(PreparedDenoiser):
    """A denoiser of joints (N, K, 2) whose condition is a feature map with heatmaps; predicts x_0.

    Joints are read from the heatmaps, once per clip
    (:class:`posediff.models.layers.keypoint_refinement.KeypointRefinement`). Noisy joints, rescaled by the step
    embedding, are the points around which the maps are sampled. The token of a joint is the sum of embeddings of both
    samples, the heatmap's statistics, the coordinates and the step. After transformer layers over the joints,
    x_0 = base + correction + gate · (point - base), where correction and gate are 0 at initialisation.

    Args:
        num_joints: K.
        input_size: (w, h) of the crop, px.
        heatmap_size: (h, w) of the condition.
        map_channels: Channels of the feature map; the condition has K more.
        scale: That of :class:`posediff.models.heads.keypoint.KeypointHead`.
        channels, depth, num_heads, mlp_ratio, window, spacings: See
            :class:`posediff.models.layers.keypoint_refinement.KeypointRefinement`.
        step_channels: Width of the step embedding that rescales x_t.
        init_cfg: See :class:`mmengine.model.BaseModule`.
    """

    prediction_types = ('sample',)  # the output starts from joints read from the heatmaps

    def __init__(
        self,
        num_joints: int = 15,
        input_size: tuple[int, int] = (192, 256),
        heatmap_size: tuple[int, int] = (64, 48),
        map_channels: int = 64,
        scale: float = 2.0,
        channels: int = 128,
        depth: int = 2,
        num_heads: int = 8,
        mlp_ratio: float = 2.0,
        window: int = 3,
        spacings: Sequence[float] = (1, 3),
        step_channels: int = 128,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        self.state_shape = (num_joints, 2)  # type: ignore[assignment]  # two axes, unlike other states
        self.condition_shape = (map_channels + num_joints, *heatmap_size)
        units = CropUnits((input_size[0], input_size[1]), scale)
        self.refinement = KeypointRefinement(
            num_joints, map_channels, units, channels, depth, num_heads, mlp_ratio, window, spacings
        )
        self.rescaling = StepRescaling(num_joints, step_channels)
        self.sampling = PointSampling(map_channels, channels, units, spacings)
        self.coordinates = nn.Linear(4, channels, bias=False)
        self.step_embedding = SinusoidalStepEmbedding(channels, 2 * channels)
        self.gate = nn.Linear(channels, 1)
        nn.init.zeros_(self.gate.weight)
        nn.init.zeros_(self.gate.bias)

    def project(self, condition: Tensor) -> KeypointEvidence:
        """Read keypoints from the heatmaps, and describe them."""
        return self.refinement.prepare(condition)

    def denoise(self, x_t: Tensor, timestep: Tensor, prepared: KeypointEvidence) -> Tensor:
        points = self.rescaling(x_t.unsqueeze(-1), timestep).squeeze(-1).float()
        base = expand_to_rows(prepared.base, x_t.shape[0])
        away = points - base
        tokens = expand_to_rows(prepared.tokens, x_t.shape[0])
        tokens = tokens + self.sampling(points, prepared.features, prepared.heatmaps)
        tokens = tokens + self.coordinates(torch.cat([points, away], dim=-1).to(self.coordinates.weight.dtype))
        tokens = self.refinement.interact(tokens + self.step_embedding(timestep)[:, None])
        return base + self.refinement.correction(tokens).float() + self.gate(tokens).float() * away
