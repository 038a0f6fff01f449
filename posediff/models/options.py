"""Options in ``train_cfg`` and ``test_cfg`` of a model."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from posediff.diffusion.loss_weights import LOSS_WEIGHTS
from posediff.diffusion.time_distributions import TIME_DISTRIBUTIONS
from posediff.structures.argument_checks import require_finite, require_one_of, require_whole

T = TypeVar('T')


@dataclass(frozen=True)
class TrainOptions:
    """``model.train_cfg``.

    Attributes:
        condition_dropout: Probability that the condition of a clip is replaced by zeros, for classifier-free guidance
            in sampling.
        backbone_gradient: ``'all'``: the image backbone is trained on all frames of a clip. ``'key_frame'``: on the
            middle frame; the other frames are encoded without gradient, which takes half of the time at T = 5.
            Backbones with BatchNorm normalise the frames before, at and after the key frame separately. ``'none'``: its
            weights are frozen, and it stays in evaluation mode.
        states_per_clip: Noisy states of every clip in a training step, each with its own timestep and noise; the
            condition is computed once.
        own_states: Probability that a batch is trained on states of the model's own sampler instead of noisy labels
            (:func:`posediff.models.training_state.own_state`), with the true x_0 as the target. This needs
            ``prediction_type='sample'``: the noise in such a state is not that of its target.
        time_distribution: ``'uniform'``, or ``'logit_normal'``: log(signal / noise) is normal with ``logit_mean`` and
            ``logit_std``, and a share ``uniform_share`` of the times is uniform
            (:func:`posediff.diffusion.time_distributions.draw_logit_normal`).
        loss_weight: ``'none'``, or ``'min_snr'`` with the maximum ``min_snr_gamma``
            (:func:`posediff.diffusion.loss_weights.min_snr_weight`); it needs the squared error as the loss.
    """

    condition_dropout: float = 0.0
    backbone_gradient: str = 'all'
    states_per_clip: int = 1
    own_states: float = 0.0
    time_distribution: str = 'uniform'
    logit_mean: float = 0.0
    logit_std: float = 1.0
    uniform_share: float = 0.1
    loss_weight: str = 'none'
    min_snr_gamma: float = 5.0

    def __post_init__(self) -> None:
        require_one_of('train_cfg', 'backbone_gradient', self.backbone_gradient, ('all', 'key_frame', 'none'))
        require_finite('train_cfg', {'condition_dropout': self.condition_dropout})
        require_whole('train_cfg', {'states_per_clip': self.states_per_clip}, least=1)
        if not 0 <= self.condition_dropout < 1:
            raise ValueError(f'train_cfg: condition_dropout must be in [0, 1), got {self.condition_dropout!r}')
        require_finite('train_cfg', {'own_states': self.own_states, 'uniform_share': self.uniform_share}, 0, 1)
        require_one_of('train_cfg', 'time_distribution', self.time_distribution, TIME_DISTRIBUTIONS)
        require_one_of('train_cfg', 'loss_weight', self.loss_weight, LOSS_WEIGHTS)
        require_finite('train_cfg', {'logit_mean': self.logit_mean})
        for name in ('logit_std', 'min_snr_gamma'):
            require_finite('train_cfg', {name: getattr(self, name)})
            if getattr(self, name) <= 0:
                raise ValueError(f'train_cfg: {name} must be positive, got {getattr(self, name)!r}')
        self._refuse_unused('time_distribution', 'uniform', ('logit_mean', 'logit_std', 'uniform_share'))
        self._refuse_unused('loss_weight', 'none', ('min_snr_gamma',))

    def _refuse_unused(self, choice: str, without: str, names: tuple[str, ...]) -> None:
        """Refuse values of options that have no effect if ``choice`` is ``without``."""
        for name in names:
            value = getattr(self, name)
            if getattr(self, choice) == without and value != getattr(type(self), name):
                raise ValueError(f'train_cfg: {name}={value!r} has no effect with {choice}={without!r}')


@dataclass(frozen=True)
class TestOptions:
    """``model.test_cfg``.

    Attributes:
        num_hypotheses: M, draws of x_T per clip.
        num_inference_steps: Denoiser calls per hypothesis; None: the length of the sampler's list of timesteps, or, if
            it has no list, the number of training steps (50 on a continuous path).
        guidance_scale: s in uncond + s·(cond - uncond) (:func:`posediff.diffusion.guidance.guide`); 1 switches
            guidance off.
        memory_budget_mb: Memory for activations, MiB; hypotheses are denoised in chunks that fit it. Results do not
            depend on it.
        seed: Seed of the noise in ``predict``, combined with the ``sample_id`` of each clip.
        flip_test: Average each prediction with the mirrored prediction for the mirrored input.
        flip_hypotheses: Draw every second hypothesis for the mirrored input, with its own noise, and mirror it back
            (FMPose3D). Nothing is averaged: M hypotheses are M draws.
        keep_prior_mean: Move the hypotheses of a clip so that their mean is the conditioner's mean of the state, the
            lifter's pose with ``PosePriorConditioner``; diffusion then gives their spread only. A single hypothesis is
            the mean itself, without a call of the denoiser.
        flip_steps: Average each output of the denoiser with the mirrored output for the mirrored state and input
            (D3DP). Of these three options, at most one is on.
        noise_free: Start from x_T = 0, the mean of the noise, instead of a draw: one pose that depends on no seed.
            M must be 1, and the sampler must draw no noise after x_T.
    """

    num_hypotheses: int = 1
    num_inference_steps: int | None = None
    guidance_scale: float = 1.0
    memory_budget_mb: float = 1024.0
    seed: int = 0
    flip_test: bool = False
    flip_hypotheses: bool = False
    flip_steps: bool = False
    keep_prior_mean: bool = False
    noise_free: bool = False

    __test__ = False  # not a test class, despite its name

    def __post_init__(self) -> None:
        counts = {'num_hypotheses': self.num_hypotheses, 'num_inference_steps': self.num_inference_steps}
        require_whole('test_cfg', {name: value for name, value in counts.items() if value is not None}, least=1)
        require_whole('test_cfg', {'seed': self.seed}, least=0)
        require_finite('test_cfg', {'guidance_scale': self.guidance_scale, 'memory_budget_mb': self.memory_budget_mb})
        if self.memory_budget_mb <= 0:
            raise ValueError(f'test_cfg: memory_budget_mb must be positive, got {self.memory_budget_mb!r}')
        flips = {name: getattr(self, name) for name in ('flip_test', 'flip_hypotheses', 'flip_steps')}
        switches = {**flips, 'keep_prior_mean': self.keep_prior_mean, 'noise_free': self.noise_free}
        for name, value in switches.items():
            if not isinstance(value, bool):
                raise ValueError(f'test_cfg: {name} must be True or False, got {value!r}')
        if self.noise_free and self.num_hypotheses != 1:
            raise ValueError(
                f'test_cfg: noise_free=True starts every hypothesis from x_T = 0, so that all are equal; it needs '
                f'num_hypotheses=1, got {self.num_hypotheses}'
            )
        if self.keep_prior_mean and (self.noise_free or self.flip_hypotheses):
            other = 'noise_free' if self.noise_free else 'flip_hypotheses'
            raise ValueError(f'test_cfg: keep_prior_mean moves all hypotheses of a clip together; set {other} to False')
        if sum(flips.values()) > 1:
            chosen = ' and '.join(name for name, value in flips.items() if value)
            raise ValueError(f'test_cfg: {chosen} mirror the input in different ways; choose one')

    @property
    def uses_mirrored_inputs(self) -> bool:
        """Whether the mirrored input is needed."""
        return self.flip_test or self.flip_hypotheses or self.flip_steps


def parse_options(cls: type[T], cfg: Mapping[str, Any] | None, origin: str) -> T:
    """Build an options object from a config dictionary.

    Raises:
        ValueError: A key is unknown; the message names ``origin`` and the keys that exist.
    """
    cfg = dict(cfg or {})
    known = [field.name for field in dataclasses.fields(cls)]  # type: ignore[arg-type]
    unknown = sorted(set(cfg) - set(known))
    if unknown:
        raise ValueError(f'{origin} has no option {", ".join(unknown)}; it has {", ".join(known)}')
    return cls(**cfg)
