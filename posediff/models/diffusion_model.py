"""The diffusion model on tensors: components, condition, training loss, sampling."""

from __future__ import annotations

from typing import Any, TypeVar

import torch
from mmengine.model import BaseModel
from torch import Tensor

from posediff.diffusion.noise import DrawnNoise, Generators, GivenNoise, Noise, ZeroNoise
from posediff.models.consistency import ConsistencyLoss
from posediff.models.mirrored_steps import MirroredSteps, both_conditions
from posediff.models.options import TestOptions, TrainOptions, parse_options
from posediff.models.part_checks import check_noise_free, check_parts, single_hypothesis
from posediff.models.reflow import Teacher
from posediff.models.reverse import ReverseProcess
from posediff.models.start_state import StartNoise
from posediff.models.training_state import draw_times, loss_weight, training_state
from posediff.registry import AGGREGATORS, BACKBONES, CONDITIONERS, DENOISERS, HEADS, MODELS, NOISE_SCHEDULERS, SAMPLERS
from posediff.structures.references import refuse_references

Config = dict[str, Any]


Model = TypeVar('Model', bound='DiffusionModel')


class DiffusionModel(BaseModel):
    """A conditional diffusion model of poses, or a model without diffusion that predicts x_0 from the condition.

    This class works on tensors; :class:`posediff.models.estimator.PoseDiffusionEstimator` adds data samples, decoding
    and aggregation.

    Axes: B clips, M hypotheses, N = B·M rows, b-major.

    Args:
        conditioner, head: Configs; required.
        denoiser, noise_scheduler, sampler: Configs; all three, or none for a model without diffusion, whose head
            predicts x_0 from the condition.
        backbone: Config of an image backbone; None if the inputs are keypoints.
        aggregator: Config of the aggregation of M hypotheses; None: their mean.
        loss: Config of the loss between the output of the denoiser and its target (without diffusion: between x_0 and
            its label); None: the mean squared error.
        train_cfg: Fields of :class:`posediff.models.options.TrainOptions`.
        test_cfg: Fields of :class:`posediff.models.options.TestOptions`.
        data_preprocessor: Config of the data preprocessor.
        init_cfg: See :class:`mmengine.model.BaseModule`.

    Attributes:
        teacher: Makes x_0 of noise for training on pairs (:class:`posediff.engine.reflow.ReflowHook`); None: labels.
        consistency: The loss of a consistency model (:class:`posediff.engine.consistency.ConsistencyHook`); None:
            ``loss``.

    Raises:
        ValueError: A reference in the config is not resolved, only some of denoiser, noise_scheduler and sampler are
            given, or an option does not match them.
    """

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
        # built here because MMEngine's root registry resolves the scope posediff only inside a Runner
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
        # None if and only if the denoiser is None; typed as Any so that uses need no second check
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
        if self.train_cfg.backbone_gradient == 'none':
            if self.backbone is None:
                raise ValueError("train_cfg: backbone_gradient='none' needs a backbone")
            self.backbone.requires_grad_(False)
        check_parts(self)
        self.teacher: Teacher | None = None
        self.consistency: ConsistencyLoss | None = None

    def extract_features(self, inputs: Tensor) -> Tensor:
        """Return feature maps (B, T, C, h, w) of frames (B, T, 3, H, W); without a backbone, the inputs."""
        if self.backbone is None:
            return inputs
        if self.training and self.train_cfg.backbone_gradient == 'key_frame' and inputs.shape[1] > 1:
            middle = inputs.shape[1] // 2
            with torch.no_grad():
                before, after = self._maps(inputs[:, :middle]), self._maps(inputs[:, middle + 1 :])
            torch.clear_autocast_cache()  # weights that are cast without gradient would be used below, without one
            return torch.cat([before, self._maps(inputs[:, middle : middle + 1]), after], dim=1)
        return self._maps(inputs)

    def train(self: Model, mode: bool = True) -> Model:
        """Set the training mode of all parts; a backbone without gradient stays in evaluation mode."""
        super().train(mode)
        if self.backbone is not None and self.train_cfg.backbone_gradient == 'none':
            self.backbone.eval()
        return self

    def _maps(self, frames: Tensor) -> Tensor:
        maps = self.backbone(frames.flatten(0, 1))  # type: ignore[misc]
        maps = maps[-1] if isinstance(maps, (tuple, list)) else maps
        return maps.unflatten(0, frames.shape[:2])

    def compute_condition(self, inputs: Tensor) -> Tensor:
        """Return the condition (B, …) of preprocessed inputs (B, …)."""
        return self.conditioner(self.extract_features(inputs))

    def diffusion_loss(
        self,
        x_0: Tensor,
        condition: Tensor,
        timestep: Tensor | None = None,
        noise: Tensor | None = None,
        weight: Tensor | None = None,
    ) -> Tensor:
        """Return the training loss (DDPM, algorithm 1; or :attr:`consistency`), without diffusion that of the x_0.

        Args:
            x_0: (B, …) in head units.
            condition: (B, …).
            timestep: Times (B,) or (1,) of the noise scheduler, int64 on a table and float on a continuous path; None:
                drawn as ``train_cfg.time_distribution`` says, before the noise, or after it with a :attr:`teacher`.
            noise: (B, …) epsilon, or the noise of the conditioner's start state; None: drawn. If neither is given,
                ``train_cfg.states_per_clip`` states of every clip are drawn.
            weight: Broadcastable to x_0, or None.

        Returns:
            Scalar.

        Raises:
            ValueError: The shapes do not match, or a timestep is outside the schedule.
        """
        if condition.shape[0] != x_0.shape[0] or (noise is not None and noise.shape != x_0.shape):
            given = {'x_0': x_0, 'condition': condition, **({} if noise is None else {'noise': noise})}
            shapes = ', '.join(f'{name} {tuple(value.shape)}' for name, value in given.items())
            raise ValueError(f'x_0 and noise must have one shape, with a condition for each clip; got {shapes}')
        if self.denoiser is None:
            return self.loss_module(self.head(condition), x_0, weight)
        x_0 = self._without_mean(x_0, condition)
        states, drawn = self.train_cfg.states_per_clip, timestep is None and noise is None
        if drawn and self.training and self.teacher is not None:
            noise = torch.randn_like(x_0)
            x_0 = self.teacher.sample(condition, noise)
        if drawn and states > 1:
            if weight is not None and weight.shape[:1] == x_0.shape[:1]:
                weight = weight.repeat_interleave(states, dim=0)
            noise = None if noise is None else noise.repeat_interleave(states, dim=0)
            x_0 = x_0.repeat_interleave(states, dim=0)
        if drawn and self.training and self.consistency is not None:
            return self.consistency(self.denoiser, x_0, condition, self.train_cfg, weight)
        if timestep is None:
            timestep = draw_times(self.noise_scheduler, x_0.shape[0], x_0.device, self.train_cfg)
        elif timestep.shape not in {(1,), (x_0.shape[0],)}:
            raise ValueError(f'timestep must be ({x_0.shape[0]},), one for each clip, got {tuple(timestep.shape)}')
        if noise is None:
            noise = torch.randn_like(x_0)
        if (start := self.conditioner.start_state(condition)) is not None:
            x_0, noise = start.training_pair(x_0, noise, self.head.observed_channels)
        parts, own_states = (self.denoiser, self.noise_scheduler), self.train_cfg.own_states
        x_t, *estimate = training_state(*parts, x_0, noise, timestep, condition, own_states)
        output = self.denoiser(x_t, self.noise_scheduler.network_time(timestep), condition, *estimate)
        weight = loss_weight(self.noise_scheduler, timestep, x_0, self.train_cfg, weight)
        return self.loss_module(output, self.noise_scheduler.target(x_0, noise, timestep), weight)

    @torch.no_grad()
    def sample(
        self,
        condition: Tensor,
        num_hypotheses: int,
        num_inference_steps: int | None = None,
        generator: Generators = None,
        noise: Tensor | Noise | None = None,
        mirrored_condition: Tensor | None = None,
    ) -> Tensor:
        """Sample M hypotheses per clip.

        Args:
            condition: (B, …), computed once per clip.
            num_hypotheses: M.
            num_inference_steps: Denoiser calls per hypothesis; None: that of ``test_cfg``, else the sampler's default.
            generator: One generator or a list of B; None: the global CPU generator of torch. Numbers are drawn when
                they are needed and equal those of one large draw (:class:`posediff.diffusion.noise.DrawnNoise`).
            noise: (draws, B, M, …), replaces all random draws in order, also with ``test_cfg.noise_free``; ``noise[0]``
                is x_T, or the noise of the start state of the conditioner
                (:class:`posediff.models.start_state.StartState`).
            mirrored_condition: (B, …) condition of the mirrored inputs; given: every output of the denoiser is averaged
                with the one for the mirrored state (:class:`posediff.models.mirrored_steps.MirroredSteps`).

        Returns:
            x_0 (B, M, …) in head units.

        Raises:
            ValueError: M < 1, M > 1 for a model without diffusion, a wrong number of draws, or several draws or
                hypotheses with ``test_cfg.noise_free``.
        """
        if num_hypotheses < 1:
            raise ValueError(f'num_hypotheses must be at least 1, got {num_hypotheses}')
        if self.denoiser is None:
            if num_hypotheses != 1:
                raise single_hypothesis(num_hypotheses)
            return self.head(condition).unsqueeze(1)
        if num_hypotheses == 1 and self.test_cfg.keep_prior_mean:
            mean = self.conditioner.state_mean(condition)
            assert mean is not None, 'checked when the model is built'
            return mean.unsqueeze(1)
        steps = self.inference_steps(num_inference_steps)
        if noise is None:
            drawn = self.lazy_noise(condition, num_hypotheses, steps, generator)
            x_0 = self.sample(condition, num_hypotheses, steps, noise=drawn, mirrored_condition=mirrored_condition)
            drawn.finish()
            return x_0
        expected = self.sampler.num_draws(self.noise_scheduler, steps), len(condition), num_hypotheses
        if noise.shape[:3] != expected:
            raise ValueError(
                f'noise must be (draws, B, M, …) = {(*expected, "…")} for {steps} steps of '
                f'{type(self.sampler).__name__}, got {tuple(noise.shape)}'
            )
        noise = noise if isinstance(noise, Noise) else GivenNoise(noise)
        if (start := self.conditioner.start_state(condition)) is not None:
            first, _ = self.sampler.pairs(self.noise_scheduler, steps)[0]
            noise = StartNoise(noise, start, self.noise_scheduler.level(first).noise)
        denoiser: Any = self.denoiser
        if mirrored_condition is not None:
            condition = both_conditions(condition, mirrored_condition)
            denoiser = MirroredSteps(self.denoiser, self.head.flip_state)
        reverse = ReverseProcess(denoiser, self.noise_scheduler, self.sampler, self.test_cfg)
        x_0 = reverse(condition, noise, steps)
        return self._with_mean(x_0, condition)

    def _without_mean(self, x_0: Tensor, condition: Tensor) -> Tensor:
        mean = self.conditioner.state_mean(condition)
        return x_0 if mean is None else x_0 - mean

    def _with_mean(self, x_0: Tensor, condition: Tensor) -> Tensor:
        """Add the mean of the state (B, …) to sampled states (B, M, …)."""
        mean = self.conditioner.state_mean(condition)
        if mean is None:
            return x_0
        if self.test_cfg.keep_prior_mean:
            x_0 = x_0 - x_0.mean(1, keepdim=True)
        return x_0 + mean.unsqueeze(1)

    def draw_noise(
        self,
        condition: Tensor,
        num_hypotheses: int,
        num_inference_steps: int | None = None,
        generator: Generators = None,
    ) -> Tensor:
        """Return all noise of :meth:`sample` at once: float32 (draws, B, M, …)."""
        noise = self.lazy_noise(condition, num_hypotheses, num_inference_steps, generator)
        whole = noise.whole()
        noise.finish()
        return whole

    def inference_steps(self, num_inference_steps: int | None = None) -> int:
        """Return the denoiser calls per hypothesis; None: those of ``test_cfg``, else the sampler's default."""
        steps = self.test_cfg.num_inference_steps if num_inference_steps is None else num_inference_steps
        return self.sampler.default_steps(self.noise_scheduler) if steps is None else steps

    def lazy_noise(
        self, condition: Tensor, num_hypotheses: int, num_inference_steps: int | None, generator: Generators
    ) -> Noise:
        """Return the noise of :meth:`sample` as an object that draws it when it is read; zeros with ``noise_free``."""
        draws = self.sampler.num_draws(self.noise_scheduler, self.inference_steps(num_inference_steps))
        shape = self.head.state_shape(condition)
        if self.test_cfg.noise_free:
            check_noise_free(self.sampler, draws, num_hypotheses)
            return ZeroNoise((draws, len(condition), num_hypotheses, *shape), condition.device)
        return DrawnNoise(draws, len(condition), num_hypotheses, shape, condition.device, generator)
