"""Activations of a heatmap denoiser in each step, as in DiffPose's Figure 4."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor, nn

from posediff.diffusion.noise import GivenNoise
from posediff.fileio.atomic_files import atomic_write
from posediff.models.reverse import ReverseProcess


@dataclass
class StepActivations:
    """Activations of one denoiser call.

    Attributes:
        timestep: t of the noise scheduler, 0 = least noise on a table.
        features: (h, w) in 0..1: maximum over channels of the detection head's input.
        heatmaps: (K, h, w) predicted x_0, head units.
        masks: Lookup masks (h, w) in 0..1 from low to high resolution; empty without lookups.
    """

    timestep: float
    features: np.ndarray
    heatmaps: np.ndarray
    masks: list[np.ndarray] = field(default_factory=list)


class ActivationRecorder:
    """Record the steps of a denoiser whose last convolution is called ``detection``; only the first row of each batch.

    Use it as a context manager, and inside it as the ``watch`` of :class:`posediff.models.reverse.ReverseProcess`.

    Args:
        model: A :class:`posediff.models.estimator.PoseDiffusionEstimator` for heatmaps.

    Attributes:
        steps: The records, one per denoiser call.

    Raises:
        ValueError: The model has no such denoiser.
    """

    def __init__(self, model: Any) -> None:
        detection = getattr(model.denoiser, 'detection', None)
        if not isinstance(detection, nn.Module):
            raise ValueError(
                f'{type(model.denoiser).__name__} has no layer "detection": only denoisers of heatmaps are recorded'
            )
        self.model = model
        self.steps: list[StepActivations] = []
        self._detection: nn.Module = detection
        self._stack = ExitStack()
        self._features: Tensor | None = None

    def __enter__(self) -> ActivationRecorder:
        handle = self._detection.register_forward_pre_hook(lambda _, inputs: self._see(inputs[0]))
        self._stack.callback(handle.remove)
        for part in self._lookups():
            self._stack.callback(setattr, part, 'keep_mask', part.keep_mask)
            self._stack.callback(setattr, part, 'last_mask', None)
            part.keep_mask = True
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _lookups(self) -> list[Any]:
        return [part for part in self.model.denoiser.modules() if hasattr(part, 'keep_mask')]

    def _see(self, features: Tensor) -> None:
        self._features = features

    def __call__(self, timestep: float, output: Tensor) -> None:
        """Record a step after its denoiser call, from its timestep and output (N, K, h, w)."""
        assert self._features is not None
        strongest = self._features[0].float().amax(0)
        low, high = strongest.min(), strongest.max()
        self.steps.append(
            StepActivations(
                timestep=timestep,
                features=((strongest - low) / (high - low).clamp_min(1e-9)).cpu().numpy(),
                heatmaps=output[0].float().cpu().numpy(),
                masks=[part.last_mask[0, 0].float().cpu().numpy() for part in self._lookups()],
            )
        )


def record_activations(model: Any, inputs: Tensor, num_inference_steps: int, seed: int = 0) -> list[StepActivations]:
    """Sample one hypothesis of one clip and return the activations of every denoiser call, in order.

    Args:
        model: An estimator of heatmaps.
        inputs: (1, T, 3, H, W) preprocessed frames.
        num_inference_steps: Number of denoiser calls.
        seed: Seed of the noise.

    Raises:
        ValueError: The model has no heatmap denoiser.
    """
    with torch.no_grad(), ActivationRecorder(model) as recorder:
        condition = model.conditioner(model.extract_features(inputs))
        generator = torch.Generator().manual_seed(seed)
        noise = model.draw_noise(condition, 1, num_inference_steps, generator)
        reverse = ReverseProcess(model.denoiser, model.noise_scheduler, model.sampler, model.test_cfg)
        reverse(condition, GivenNoise(noise), num_inference_steps, recorder)
    return recorder.steps


def save_activations(path: str | Path, frame: np.ndarray, runs: Sequence[tuple[str, list[StepActivations]]]) -> None:
    """Write a PNG with one row per model and step: key frame, activations over it, masks and predicted heatmaps.

    Args:
        path: Output file.
        frame: (H, W, 3) uint8 RGB, the key frame's crop.
        runs: (name, steps) of one or several models.
    """
    rows = [(f'{name}\nstep {number}, t = {step.timestep:g}', step) for name, steps in runs
            for number, step in enumerate(steps, start=1)]  # fmt: skip
    columns = 3 + max(len(step.masks) for _, step in rows)
    height, width = frame.shape[:2]
    size = (1.9 * columns + 0.8, len(rows) * 1.9 * height / width + 0.4)
    figure = Figure(figsize=size, dpi=100, layout='constrained')
    axes = figure.subplots(len(rows), columns, squeeze=False)
    extent = (0.0, float(width), float(height), 0.0)
    for row, (line, (name, step)) in enumerate(zip(axes, rows, strict=True)):
        line[0].set_ylabel(name, fontsize=8)
        panels = [('key frame', None), ('activations', step.features), ('x_0, all joints', step.heatmaps.max(0))]
        panels += [(f'mask {mask.shape[1]}x{mask.shape[0]}', mask) for mask in step.masks]
        for ax, (title, layer) in zip(line, panels, strict=False):
            ax.imshow(frame, extent=extent, alpha=1.0 if layer is None else 0.5)
            if layer is not None:
                ax.imshow(layer, extent=extent, cmap='inferno', alpha=0.6, interpolation='bilinear')
            if row == 0:
                ax.set_title(title, fontsize=8)
        for ax in line:
            ax.set_xticks([])
            ax.set_yticks([])
        for ax in line[len(panels) :]:
            ax.set_axis_off()
    with atomic_write(path) as draft:
        figure.savefig(draft)
