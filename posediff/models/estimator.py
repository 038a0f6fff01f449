"""The estimator: training, testing and prediction on data samples, for heatmaps and 3D joints."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from torch import Tensor

from posediff.diffusion.guidance import drop_condition
from posediff.diffusion.noise import Generators, GivenNoise, MirroredNoise, Noise
from posediff.fileio.model_card import ModelCard
from posediff.models import pretrained_folder
from posediff.models.device_copies import to_device
from posediff.models.diffusion_model import DiffusionModel
from posediff.models.mirrored_hypotheses import sample_both_views
from posediff.models.stream_spec import StreamSpec, common_window_length
from posediff.registry import MODELS
from posediff.structures.named_generators import seeded_generator
from posediff.structures.samples import PoseDataSample


@MODELS.register_module()
class PoseDiffusionEstimator(DiffusionModel):
    """A pose estimator: training loss and prediction of a diffusion model on data samples.

    Its arguments are those of :class:`~posediff.models.diffusion_model.DiffusionModel`.

    Attributes:
        cfg: The whole config that the model was built from, set by :func:`posediff.init_model`; None if the model was
            built without a config file.
    """

    cfg: Any = None

    def forward(
        self, inputs: Tensor, data_samples: Sequence[PoseDataSample] | None = None, mode: str = 'tensor'
    ) -> dict[str, Tensor] | list[PoseDataSample] | Tensor:
        """Run the model on preprocessed inputs.

        Args:
            inputs: (B, …) output of the data preprocessor.
            data_samples: B samples; with labels for ``'loss'``.
            mode: ``'loss'``, ``'predict'`` or ``'tensor'``.

        Returns:
            For ``'loss'`` a dict of losses, for ``'predict'`` the samples with predictions, for ``'tensor'`` x_0
            (B, M, …) in head units.

        Raises:
            ValueError: The mode is unknown, or data_samples are missing.
        """
        if mode == 'tensor':
            return self.sample(self.compute_condition(inputs), self.test_cfg.num_hypotheses)
        if data_samples is None:
            raise ValueError(f"mode {mode!r} needs data_samples; only mode 'tensor' does without")
        if mode == 'loss':
            return self.loss(inputs, data_samples)
        if mode == 'predict':
            return self.predict(inputs, data_samples)
        raise ValueError(f"mode must be 'loss', 'predict' or 'tensor', got {mode!r}")

    def loss(self, inputs: Tensor, data_samples: Sequence[PoseDataSample]) -> dict[str, Tensor]:
        """Return the training loss of a batch as ``loss``, and the auxiliary losses of the head."""
        labels, weight = self.head.targets(data_samples)
        x_0 = to_device(labels, inputs.device)
        weight = None if weight is None else to_device(weight, inputs.device)
        condition = self.compute_condition(inputs)
        auxiliary = self.head.auxiliary_losses(condition, data_samples)
        if self.denoiser is not None and self.train_cfg.condition_dropout > 0:
            condition = drop_condition(condition, self.train_cfg.condition_dropout)
        return {'loss': self.diffusion_loss(x_0, condition, weight=weight), **auxiliary}

    @torch.no_grad()
    def sample_inputs(
        self,
        inputs: Tensor,
        num_hypotheses: int | None = None,
        num_inference_steps: int | None = None,
        generator: Generators = None,
        noise: Tensor | Noise | None = None,
    ) -> Tensor:
        """Sample x_0 for preprocessed inputs with the options of ``test_cfg``, including ``flip_test``.

        Args:
            inputs: (B, …).
            num_hypotheses: M; None: that of ``test_cfg``.
            num_inference_steps, generator, noise: As for :meth:`sample`.

        Returns:
            x_0 (B, M, …) in head units. With ``flip_test``, each sample is averaged with a second one: the sample for
            the mirrored input, drawn with the mirrored noise and mirrored back. With ``flip_hypotheses``, every second
            hypothesis is a sample for the mirrored input, drawn with its own noise and mirrored back. With
            ``flip_steps``, the outputs of the denoiser are averaged with those for the mirrored state and input.
        """
        return self.sample_features(
            self.view_features(inputs), num_hypotheses, num_inference_steps, generator=generator, noise=noise
        )

    def view_features(self, inputs: Tensor) -> tuple[Tensor, ...]:
        """Return the features of preprocessed inputs (B, …), with an option ``flip_…`` also those of the mirrored ones.

        Those of video are maps (B, T, C, h, w) of single frames: they may be computed frame by frame and joined to
        windows for :meth:`predict_features`.
        """
        views = (inputs, self.head.flip_inputs(inputs)) if self.test_cfg.uses_mirrored_inputs else (inputs,)
        return tuple(self.extract_features(view) for view in views)

    @torch.no_grad()
    def sample_features(
        self,
        features: Sequence[Tensor],
        num_hypotheses: int | None = None,
        num_inference_steps: int | None = None,
        generator: Generators = None,
        noise: Tensor | Noise | None = None,
    ) -> Tensor:
        """Sample x_0 (B, M, …) as :meth:`sample_inputs` does, for the result of :meth:`view_features`."""
        conditions = self.view_conditions(features)
        x_0 = self.sample_conditions(conditions, num_hypotheses, num_inference_steps, generator=generator, noise=noise)
        return self.head.calibrate(x_0, features[0])

    def view_conditions(self, features: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Return the conditions (B, …) of the result of :meth:`view_features`, of the mirrored inputs if needed."""
        views = features if self.test_cfg.uses_mirrored_inputs else features[:1]
        return tuple(self.conditioner(view) for view in views)

    @torch.no_grad()
    def sample_conditions(
        self,
        conditions: Sequence[Tensor],
        num_hypotheses: int | None = None,
        num_inference_steps: int | None = None,
        generator: Generators = None,
        noise: Tensor | Noise | None = None,
    ) -> Tensor:
        """Sample x_0 (B, M, …) for the result of :meth:`view_conditions`, without the calibration of the head."""
        num_hypotheses = self.test_cfg.num_hypotheses if num_hypotheses is None else num_hypotheses
        condition = conditions[0]
        drawn = noise if noise is None or isinstance(noise, Noise) else GivenNoise(noise)
        if self.denoiser is not None and drawn is None:
            drawn = self.lazy_noise(condition, num_hypotheses, num_inference_steps, generator)
        if drawn is not None and self.test_cfg.flip_hypotheses:
            x_0 = sample_both_views(
                lambda given, part: self.sample(given, part.shape[2], num_inference_steps, noise=part),
                (condition, conditions[1]),
                drawn,
                self.head.flip_state,
            )
            drawn.finish()
            return x_0
        mirrored_condition = conditions[1] if self.test_cfg.flip_steps else None
        x_0 = self.sample(
            condition, num_hypotheses, num_inference_steps, noise=drawn, mirrored_condition=mirrored_condition
        )
        for mirrored_view in conditions[1:] if self.test_cfg.flip_test else ():
            flipped = None if drawn is None else MirroredNoise(drawn, self.head.flip_state)
            mirrored = self.sample(mirrored_view, num_hypotheses, num_inference_steps, noise=flipped)
            x_0 = (x_0 + self.head.flip_state(mirrored)) / 2
        if drawn is not None:
            drawn.finish()
        return x_0

    @torch.no_grad()
    def predict(self, inputs: Tensor, data_samples: Sequence[PoseDataSample]) -> list[PoseDataSample]:
        """Sample, decode and aggregate the hypotheses, and return the data samples with their predictions.

        The noise of a sample depends only on ``test_cfg.seed`` and its ``sample_id``.
        """
        self.head.check_skeleton(data_samples)
        return self._with_poses(self.sample_inputs(inputs, generator=self._generators(data_samples)), data_samples)

    @torch.no_grad()
    def predict_features(
        self, features: Sequence[Tensor], data_samples: Sequence[PoseDataSample]
    ) -> list[PoseDataSample]:
        """Predict as :meth:`predict` does, for the result of :meth:`view_features`."""
        self.head.check_skeleton(data_samples)
        return self._with_poses(self.sample_features(features, generator=self._generators(data_samples)), data_samples)

    def _with_poses(self, x_0: Tensor, data_samples: Sequence[PoseDataSample]) -> list[PoseDataSample]:
        hypotheses, roots = self.head.decode(x_0.float()), self.head.root_positions(x_0.float())
        _set_roots(data_samples, roots)
        poses = self.aggregator(hypotheses, data_samples)
        if self.aggregator.uses_ground_truth:
            for sample in data_samples:
                sample.set_metainfo({'uses_gt_root': True})
        self.head.attach(data_samples, poses, hypotheses)
        _set_roots(data_samples, None if roots is None else roots.cpu())
        return list(data_samples)

    def save_pretrained(
        self,
        folder: str | Path,
        card: ModelCard | None = None,
        *,
        config: Config | None = None,
        half: bool = False,
        overwrite: bool = False,
    ) -> None:
        """Write config, weights and model card to a new folder that :func:`posediff.from_pretrained` reads.

        See :func:`posediff.models.pretrained_folder.save_pretrained` for the arguments.
        """
        pretrained_folder.save_pretrained(self, folder, card, config=config, half=half, overwrite=overwrite)

    def ready_to_train(self) -> str | None:
        """Return a sentence that says what training lacks, e.g. the weights of a frozen lifter; None if nothing."""
        return self.conditioner.ready_to_train()

    @property
    def window_length(self) -> int:
        """T, the number of frames of the windows that the networks were built for.

        Raises:
            ValueError: No network has a window length, or their window lengths differ.
        """
        parts = {'conditioner': self.conditioner, 'denoiser': self.denoiser}
        return common_window_length({name: part.num_frames for name, part in parts.items() if part is not None})

    @property
    def fps(self) -> float | None:
        """Frame rate of the training clips, ``fps`` of the config; None if the config does not state it."""
        return None if self.cfg is None else self.cfg.get('fps')

    def stream_spec(
        self, num_hypotheses: int | None = None, num_inference_steps: int | None = None, seed: int | None = None
    ) -> StreamSpec:
        """Return the properties of this lifter that a stream of keypoints needs to cut windows for it.

        Args:
            num_hypotheses, num_inference_steps, seed: None: those of ``test_cfg``.
        """
        steps = None if self.denoiser is None else self.inference_steps(num_inference_steps)
        drawless = steps is None or self.test_cfg.noise_free
        return StreamSpec(
            skeleton=self.head.skeleton,
            num_frames=self.window_length,
            fps=self.fps,
            num_hypotheses=self.test_cfg.num_hypotheses if num_hypotheses is None else num_hypotheses,
            num_inference_steps=steps,
            num_draws=0 if drawless else self.sampler.num_draws(self.noise_scheduler, steps),
            seed=self.test_cfg.seed if seed is None else seed,
            input_mask=getattr(self.data_preprocessor, 'input_mask', False),
            device=next(self.parameters()).device,
            state_channels=3 + self.head.observed_channels,
        )

    def _generators(self, data_samples: Sequence[PoseDataSample]) -> list[torch.Generator]:
        return [
            seeded_generator(self.test_cfg.seed, sample.get('sample_id', index))
            for index, sample in enumerate(data_samples)
        ]


def _set_roots(data_samples: Sequence[PoseDataSample], roots: Tensor | None) -> None:
    """Write the root positions (B, M, T, 3) of the hypotheses into the samples."""
    if roots is not None:
        for sample, root in zip(data_samples, roots, strict=True):
            sample.set_metainfo({'hypothesis_root_position': root})
