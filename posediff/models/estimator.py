"""The one estimator: for heatmaps and 3D joints, with diffusion and without."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config as ConfigFile
from mmengine.model import BaseModel
from torch import Tensor

from posediff.diffusion.guidance import drop_condition
from posediff.diffusion.noise import DrawnNoise, Generators, GivenNoise, MirroredNoise, Noise
from posediff.diffusion.seeds import seeded_generator
from posediff.fileio.model_card import ModelCard
from posediff.models import pretrained_folder
from posediff.models.device_copies import to_device
from posediff.models.options import TestOptions, TrainOptions, parse_options
from posediff.models.reverse import ReverseProcess
from posediff.models.stream_spec import StreamSpec, common_window_length
from posediff.registry import AGGREGATORS, BACKBONES, CONDITIONERS, DENOISERS, HEADS, MODELS, NOISE_SCHEDULERS, SAMPLERS
from posediff.structures.references import refuse_references
from posediff.structures.samples import PoseDataSample

Config = dict[str, Any]


@MODELS.register_module()
class PoseDiffusionEstimator(BaseModel):
    """frames or keypoints → condition, once per clip; x_T × M → sampler × denoiser → x_0 → poses → one pose.

    Axes: B clips, M hypotheses, N = B·M rows, b-major.

    Args:
        conditioner, head: Configs; every model has them.
        denoiser, noise_scheduler, sampler: Configs; all three, or none for a model without diffusion, whose head
            predicts x_0 from the condition.
        backbone: Config of an image backbone; None where the inputs are keypoints.
        aggregator: Config; what makes one pose of M hypotheses.
        loss: Config of the loss between the denoiser's output and its target (or x_0 and its label without diffusion).
        train_cfg: :class:`posediff.models.options.TrainOptions`.
        test_cfg: :class:`posediff.models.options.TestOptions`.

    Raises:
        ValueError: A reference in the config was not resolved; the parts do not fit together.

    Attributes:
        cfg: The whole config that the model was built from, as :func:`posediff.init_model` sets it; None if the model
            was built without a config file.
    """

    cfg: Any = None

    def __init__(
        self,
        conditioner: Config,
        head: Config,
        denoiser: Config | None = None,
        noise_scheduler: Config | None = None,
        sampler: Config | None = None,
        backbone: Config | None = None,
        aggregator: Config | None = None,
        loss: Config | None = None,
        train_cfg: Config | None = None,
        test_cfg: Config | None = None,
        data_preprocessor: Config | None = None,
        init_cfg: Config | None = None,
    ) -> None:
        parts = {
            'data_preprocessor': data_preprocessor, 'backbone': backbone, 'conditioner': conditioner,
            'denoiser': denoiser, 'noise_scheduler': noise_scheduler, 'sampler': sampler, 'head': head,
            'aggregator': aggregator, 'loss': loss, 'train_cfg': train_cfg, 'test_cfg': test_cfg, 'init_cfg': init_cfg,
        }  # fmt: skip
        refuse_references(parts, type(self).__name__, 'model')
        # Built here: MMEngine would look it up in its root, which knows our scope only inside a Runner.
        super().__init__(None if data_preprocessor is None else MODELS.build(data_preprocessor), init_cfg)
        of_diffusion = ('denoiser', 'noise_scheduler', 'sampler')
        given = [name for name in of_diffusion if parts[name] is not None]
        if len(given) not in (0, len(of_diffusion)):
            raise ValueError(
                f'a diffusion model needs denoiser, noise_scheduler and sampler; got only {", ".join(given)}'
            )
        self.backbone = None if backbone is None else BACKBONES.build(backbone)
        self.conditioner = CONDITIONERS.build(conditioner)
        self.denoiser = None if denoiser is None else DENOISERS.build(denoiser)
        # Both are None exactly when the denoiser is; Any spares each use a second check.
        self.noise_scheduler: Any = None if noise_scheduler is None else NOISE_SCHEDULERS.build(noise_scheduler)
        self.sampler: Any = None if sampler is None else SAMPLERS.build(sampler)
        self.head = HEADS.build(head)
        predicts_x_0 = getattr(self.noise_scheduler, 'prediction_type', None) == 'sample'
        if self.denoiser is not None and predicts_x_0 and self.head.background_value is not None:
            self.denoiser.initialize_output(self.head.background_value)
        self.aggregator = AGGREGATORS.build(aggregator or {'type': 'MeanAggregator'})
        self.loss_module = MODELS.build(loss or {'type': 'SquaredErrorLoss'})
        self.train_cfg = parse_options(TrainOptions, train_cfg, 'model.train_cfg')
        self.test_cfg = parse_options(TestOptions, test_cfg, 'model.test_cfg')
        if self.sampler is not None:  # a spacing that does not fit the schedule is found before any training
            self.sampler.num_draws(self.noise_scheduler, self.inference_steps())
        elif self.test_cfg.num_hypotheses > 1:
            raise _single_hypothesis(self.test_cfg.num_hypotheses)

    def forward(
        self, inputs: Tensor, data_samples: Sequence[PoseDataSample] | None = None, mode: str = 'tensor'
    ) -> dict[str, Tensor] | list[PoseDataSample] | Tensor:
        """Run the model on preprocessed inputs.

        Args:
            inputs: (B, …) as the data preprocessor gives them.
            data_samples: B samples; with labels for ``'loss'``.
            mode: ``'loss'`` → dict of losses; ``'predict'`` → the samples with predictions; ``'tensor'`` → x_0 (B, M,
                …).
        """
        if mode == 'tensor':
            return self.sample(self._condition(inputs), self.test_cfg.num_hypotheses)
        if data_samples is None:
            raise ValueError(f"mode {mode!r} needs data_samples; only mode 'tensor' does without")
        if mode == 'loss':
            return self.loss(inputs, data_samples)
        if mode == 'predict':
            return self.predict(inputs, data_samples)
        raise ValueError(f"mode must be 'loss', 'predict' or 'tensor', got {mode!r}")

    def extract_features(self, inputs: Tensor) -> Tensor:
        """Maps (B, T, C, h, w) of frames (B, T, 3, H, W); without a backbone the inputs themselves."""
        if self.backbone is None:
            return inputs
        maps = self.backbone(inputs.flatten(0, 1))
        maps = maps[-1] if isinstance(maps, (tuple, list)) else maps
        return maps.unflatten(0, inputs.shape[:2])

    def loss(self, inputs: Tensor, data_samples: Sequence[PoseDataSample]) -> dict[str, Tensor]:
        """Training loss of a batch, as a dict with one entry."""
        labels, weight = self.head.targets(data_samples)
        x_0 = to_device(labels, inputs.device)
        weight = None if weight is None else to_device(weight, inputs.device)
        condition = self._condition(inputs)
        if self.denoiser is not None and self.train_cfg.condition_dropout > 0:
            condition = drop_condition(condition, self.train_cfg.condition_dropout)
        return {'loss': self.diffusion_loss(x_0, condition, weight=weight)}

    def diffusion_loss(
        self,
        x_0: Tensor,
        condition: Tensor,
        timestep: Tensor | None = None,
        noise: Tensor | None = None,
        weight: Tensor | None = None,
    ) -> Tensor:
        """Noise x_0, let the denoiser look at it, compare (DDPM, algorithm 1).

        Args:
            x_0: (B, …) in head units.
            condition: (B, …).
            timestep: int64 (B,) or (1,); drawn uniformly when None, before the noise.
            noise: (B, …) epsilon; drawn when None.
            weight: Broadcastable to x_0, or None.

        Returns:
            Scalar. Without diffusion: the loss of the head's x_0.

        Raises:
            ValueError: The shapes do not belong together, or a timestep lies outside the schedule.
        """
        if condition.shape[0] != x_0.shape[0] or (noise is not None and noise.shape != x_0.shape):
            given = {'x_0': x_0, 'condition': condition, **({} if noise is None else {'noise': noise})}
            shapes = ', '.join(f'{name} {tuple(value.shape)}' for name, value in given.items())
            raise ValueError(f'x_0 and noise must have one shape, with a condition for each clip; got {shapes}')
        if self.denoiser is None:
            return self.loss_module(self.head(condition), x_0, weight)
        if timestep is None:
            timestep = self.noise_scheduler.draw_timesteps(x_0.shape[0], x_0.device)
        elif timestep.shape not in {(1,), (x_0.shape[0],)}:
            raise ValueError(f'timestep must be ({x_0.shape[0]},), one for each clip, got {tuple(timestep.shape)}')
        if noise is None:
            noise = torch.randn_like(x_0)
        x_t = self.noise_scheduler.add_noise(x_0, noise, timestep)
        output = self.denoiser(x_t, timestep, condition)
        return self.loss_module(output, self.noise_scheduler.target(x_0, noise, timestep), weight)

    @torch.no_grad()
    def sample(
        self,
        condition: Tensor,
        num_hypotheses: int,
        num_inference_steps: int | None = None,
        generator: Generators = None,
        noise: Tensor | Noise | None = None,
    ) -> Tensor:
        """Draw M poses per clip.

        Args:
            condition: (B, …), computed once per clip.
            num_hypotheses: M.
            num_inference_steps: Denoiser calls per hypothesis; None: ``test_cfg``'s, else the sampler's default.
            generator: One generator or a list of B; None: torch's global one on the CPU. Draws are made when they are
                needed (:class:`posediff.diffusion.noise.DrawnNoise`), of the values that one draw of everything has.
            noise: (draws, B, M, …): replaces every random draw in order, ``noise[0]`` = x_T.

        Returns:
            x_0 (B, M, …) in head units.

        Raises:
            ValueError: M < 1, M > 1 of a model without diffusion, or the wrong number of draws.
        """
        if num_hypotheses < 1:
            raise ValueError(f'num_hypotheses must be at least 1, got {num_hypotheses}')
        if self.denoiser is None:
            if num_hypotheses != 1:
                raise _single_hypothesis(num_hypotheses)
            return self.head(condition).unsqueeze(1)
        steps = self.inference_steps(num_inference_steps)
        if noise is None:
            drawn = self._noise(condition, num_hypotheses, steps, generator)
            x_0 = self.sample(condition, num_hypotheses, steps, noise=drawn)
            drawn.finish()
            return x_0
        expected = self.sampler.num_draws(self.noise_scheduler, steps), len(condition), num_hypotheses
        if noise.shape[:3] != expected:
            raise ValueError(
                f'noise must be (draws, B, M, …) = {(*expected, "…")} for {steps} steps of '
                f'{type(self.sampler).__name__}, got {tuple(noise.shape)}'
            )
        reverse = ReverseProcess(self.denoiser, self.noise_scheduler, self.sampler, self.test_cfg)
        return reverse(condition, noise if isinstance(noise, Noise) else GivenNoise(noise), steps)

    @torch.no_grad()
    def sample_inputs(
        self,
        inputs: Tensor,
        num_hypotheses: int | None = None,
        num_inference_steps: int | None = None,
        generator: Generators = None,
        noise: Tensor | Noise | None = None,
    ) -> Tensor:
        """Draw poses for preprocessed inputs as ``test_cfg`` says, ``flip_test`` included.

        Args:
            inputs: (B, …).
            num_hypotheses: M; None: ``test_cfg``'s.
            num_inference_steps, generator, noise: As for :meth:`sample`.

        Returns:
            x_0 (B, M, …) in head units. With ``flip_test`` the average of a hypothesis and the mirrored one that was
            drawn for the mirrored input with the mirrored noise.
        """
        num_hypotheses = self.test_cfg.num_hypotheses if num_hypotheses is None else num_hypotheses
        condition = self._condition(inputs)
        drawn = noise if noise is None or isinstance(noise, Noise) else GivenNoise(noise)
        if self.denoiser is not None and drawn is None:
            drawn = self._noise(condition, num_hypotheses, num_inference_steps, generator)
        x_0 = self.sample(condition, num_hypotheses, num_inference_steps, noise=drawn)
        if self.test_cfg.flip_test:
            flipped = None if drawn is None else MirroredNoise(drawn, self.head.flip_state)
            condition = self._condition(self.head.flip_inputs(inputs))
            mirrored = self.sample(condition, num_hypotheses, num_inference_steps, noise=flipped)
            x_0 = (x_0 + self.head.flip_state(mirrored)) / 2
        if drawn is not None:
            drawn.finish()
        return x_0

    def draw_noise(
        self,
        condition: Tensor,
        num_hypotheses: int,
        num_inference_steps: int | None = None,
        generator: Generators = None,
    ) -> Tensor:
        """Draw what :meth:`sample` would, all of it at once: float32 (draws, B, M, …)."""
        noise = self._noise(condition, num_hypotheses, num_inference_steps, generator)
        whole = noise.whole()
        noise.finish()
        return whole

    @torch.no_grad()
    def predict(self, inputs: Tensor, data_samples: Sequence[PoseDataSample]) -> list[PoseDataSample]:
        """Draw, decode and aggregate; a sample's noise follows from ``test_cfg.seed`` and its ``sample_id`` alone."""
        self.head.check_skeleton(data_samples)
        x_0 = self.sample_inputs(inputs, generator=self._generators(data_samples))
        hypotheses = self.head.decode(x_0.float())
        poses = self.aggregator(hypotheses, data_samples)
        self.head.attach(data_samples, poses, hypotheses)
        return list(data_samples)

    def save_pretrained(
        self,
        folder: str | Path,
        card: ModelCard | None = None,
        *,
        config: ConfigFile | None = None,
        half: bool = False,
        overwrite: bool = False,
    ) -> None:
        """Write config, weights and model card to a new folder that :func:`posediff.from_pretrained` reads.

        See :func:`posediff.models.pretrained_folder.save_pretrained` for the arguments.
        """
        pretrained_folder.save_pretrained(self, folder, card, config=config, half=half, overwrite=overwrite)

    def ready_to_train(self) -> str | None:
        """None, or one sentence that says what is missing before training may start."""
        return self.conditioner.ready_to_train()

    def inference_steps(self, num_inference_steps: int | None = None) -> int:
        """Denoiser calls per hypothesis: as asked for, else ``test_cfg``'s, else the sampler's default."""
        steps = self.test_cfg.num_inference_steps if num_inference_steps is None else num_inference_steps
        return self.sampler.default_steps(self.noise_scheduler) if steps is None else steps

    @property
    def window_length(self) -> int:
        """T, frames of the windows that the networks were built for.

        Raises:
            ValueError: No network has a window length, or they differ.
        """
        parts = {'conditioner': self.conditioner, 'denoiser': self.denoiser}
        return common_window_length({name: part.num_frames for name, part in parts.items() if part is not None})

    @property
    def fps(self) -> float | None:
        """Frame rate of the training clips, as the config says; None if it does not."""
        return None if self.cfg is None else self.cfg.get('fps')

    def stream_spec(
        self, num_hypotheses: int | None = None, num_inference_steps: int | None = None, seed: int | None = None
    ) -> StreamSpec:
        """Describe this lifter to whatever cuts keypoints into windows for it.

        Args:
            num_hypotheses, num_inference_steps, seed: None takes that of ``test_cfg``.
        """
        steps = None if self.denoiser is None else self.inference_steps(num_inference_steps)
        return StreamSpec(
            skeleton=self.head.skeleton,
            num_frames=self.window_length,
            fps=self.fps,
            num_hypotheses=self.test_cfg.num_hypotheses if num_hypotheses is None else num_hypotheses,
            num_inference_steps=steps,
            num_draws=0 if steps is None else self.sampler.num_draws(self.noise_scheduler, steps),
            seed=self.test_cfg.seed if seed is None else seed,
            input_mask=getattr(self.data_preprocessor, 'input_mask', False),
            device=next(self.parameters()).device,
        )

    def _noise(
        self, condition: Tensor, num_hypotheses: int, num_inference_steps: int | None, generator: Generators
    ) -> DrawnNoise:
        draws = self.sampler.num_draws(self.noise_scheduler, self.inference_steps(num_inference_steps))
        shape = self.head.state_shape(condition)
        return DrawnNoise(draws, len(condition), num_hypotheses, shape, condition.device, generator)

    def _condition(self, inputs: Tensor) -> Tensor:
        return self.conditioner(self.extract_features(inputs))

    def _generators(self, data_samples: Sequence[PoseDataSample]) -> list[torch.Generator]:
        return [
            seeded_generator(self.test_cfg.seed, sample.get('sample_id', index))
            for index, sample in enumerate(data_samples)
        ]


def _single_hypothesis(num_hypotheses: int) -> ValueError:
    return ValueError(
        f'a model without diffusion gives one pose per clip; num_hypotheses={num_hypotheses} needs a denoiser'
    )
