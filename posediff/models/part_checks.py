"""Checks that the parts of a diffusion model fit each other, made when the model is built."""

from __future__ import annotations

from typing import Any

from posediff.diffusion.prediction import PREDICTION_TYPES
from posediff.models.conditioners.base import BaseConditioner
from posediff.models.heads.base import BaseHead
from posediff.models.layers.fourier_time_embedding import FourierTimeEmbedding
from posediff.models.layers.timestep_embedding import SinusoidalStepEmbedding, TabulatedStepEmbedding
from posediff.models.losses import SquaredErrorLoss


def check_parts(model: Any) -> None:
    """Check that denoiser, noise scheduler, sampler, head, aggregator, loss and options of a model fit each other.

    Args:
        model: A :class:`posediff.models.diffusion_model.DiffusionModel` with all its parts.

    Raises:
        ValueError: Two parts do not fit; the message names both.
    """
    denoiser, path, options = model.denoiser, model.noise_scheduler, model.train_cfg
    _check_root(model.head, model.aggregator)
    if getattr(model.head, 'calibrated_spread', False) and denoiser is None:
        raise ValueError('LiftingHead(calibrated_spread=True) needs a denoiser: without one there is no spread')
    _check_start_state(model)
    if denoiser is None:
        _check_regression(model)
        return
    _check_state_mean(model)
    known = getattr(denoiser, 'prediction_types', PREDICTION_TYPES)
    if path.prediction_type not in known:
        raise ValueError(
            f'{type(denoiser).__name__} predicts {", ".join(known)}, but the noise scheduler has prediction_type '
            f'{path.prediction_type!r}'
        )
    tabulated = any(isinstance(module, TabulatedStepEmbedding) for module in denoiser.modules())
    if tabulated and path.time_input != 'index':
        raise ValueError(
            f'{type(denoiser).__name__} looks up the timestep in a table and takes int64 indices, but the time of '
            f'{type(path).__name__} is a real number, time_input={path.time_input!r}; use a denoiser '
            'with a sinusoidal step embedding'
        )
    _check_time_range(denoiser, path)
    if options.own_states > 0 and path.prediction_type != 'sample':
        raise ValueError(_own_states(repr(path.prediction_type)))
    if options.loss_weight != 'none' and not isinstance(model.loss_module, SquaredErrorLoss):
        raise ValueError(
            f'train_cfg: loss_weight={options.loss_weight!r} is a weight of squared errors and needs SquaredErrorLoss, '
            f'got {type(model.loss_module).__name__}'
        )
    # raises now, not after training, if the spacing does not match the path
    draws = model.sampler.num_draws(path, model.inference_steps())
    if model.test_cfg.noise_free:
        check_noise_free(model.sampler, draws, model.test_cfg.num_hypotheses)


def check_noise_free(sampler: Any, draws: int, num_hypotheses: int) -> None:
    """Check that sampling without noise is defined: one hypothesis, and no draw after x_T.

    Args:
        sampler: The sampler, named in the error.
        draws: Its random draws per hypothesis.
        num_hypotheses: M.

    Raises:
        ValueError: There are several hypotheses or several draws.
    """
    if num_hypotheses != 1:
        raise ValueError(
            f'test_cfg: noise_free=True gives one pose per clip, x_T = 0; num_hypotheses={num_hypotheses} would be '
            f'{num_hypotheses} equal poses'
        )
    if draws != 1:
        raise ValueError(
            f'test_cfg: noise_free=True needs a deterministic sampler such as DDIMSampler; {type(sampler).__name__} '
            f'draws noise {draws - 1} times after x_T'
        )


def single_hypothesis(num_hypotheses: int) -> ValueError:
    """Return the error for several hypotheses of a model without diffusion."""
    return ValueError(
        f'a model without diffusion gives one pose per clip; num_hypotheses={num_hypotheses} needs a denoiser'
    )


def _check_time_range(denoiser: Any, path: Any) -> None:
    """Check that the times of the path are in the range that the time embedding of the denoiser resolves."""
    for embedding, times, wrong, use in (
        (SinusoidalStepEmbedding, '0 to 1000', ('time',), 'sigma_1000'),
        (FourierTimeEmbedding, '0 to 1', ('index', 'sigma_1000'), 'time'),
    ):
        if path.time_input in wrong and any(isinstance(module, embedding) for module in denoiser.modules()):
            raise ValueError(
                f'the time embedding of {type(denoiser).__name__} resolves times of {times}, not those of '
                f'{type(path).__name__}(time_input={path.time_input!r}); use time_input={use!r}'
            )


def _check_root(head: Any, aggregator: Any) -> None:
    predicts_root = getattr(head, 'predicts_root', type(head).root_positions is not BaseHead.root_positions)
    if getattr(aggregator, 'root', None) == 'predicted' and not predicts_root:
        raise ValueError(
            f"{type(aggregator).__name__}(root='predicted') needs a head that predicts the root position, such as "
            f'LiftingHead(predicts_root=True); got {type(head).__name__} without it'
        )


def _check_state_mean(model: Any) -> None:
    conditioner, options = model.conditioner, model.test_cfg
    has_mean = type(conditioner).state_mean is not BaseConditioner.state_mean
    if options.keep_prior_mean and not has_mean:
        raise ValueError(
            f'test_cfg: keep_prior_mean needs a conditioner with a mean of the state, such as PosePriorConditioner; '
            f'got {type(conditioner).__name__}'
        )
    if options.flip_steps and has_mean:
        raise ValueError(
            'test_cfg: flip_steps averages states of the input and of the mirrored input, whose means differ with '
            f'{type(conditioner).__name__}; use flip_test'
        )
    if model.train_cfg.condition_dropout > 0 and has_mean:
        raise ValueError(
            f'train_cfg: condition_dropout replaces the condition by zeros, in which {type(conditioner).__name__} has '
            'the mean of the state; set it to 0'
        )
    scale = getattr(conditioner, 'scale', None)
    if has_mean and scale is not None and scale != getattr(model.head, 'scale', scale):
        raise ValueError(
            f'{type(conditioner).__name__} has scale={scale}, but the head has scale={model.head.scale}: both must be '
            'the same'
        )


def _check_start_state(model: Any) -> None:
    """Check that what depends on noise without a mean, or on a changed condition, is not used with a start state."""
    head, conditioner = type(model.head).__name__, type(model.conditioner).__name__
    if not model.conditioner.has_start_state:
        if model.head.observed_channels:
            raise ValueError(
                f'{head} needs a conditioner with a start state, for its observed channels; got {conditioner}'
            )
        return
    if type(model.conditioner).state_mean is not BaseConditioner.state_mean:
        raise ValueError(f'{conditioner} has a mean of the state and a start state; only one of them can be used')
    if model.denoiser is None:
        raise ValueError(f'the start state of {conditioner} needs a denoiser')
    sampler = model.sampler
    if sampler.num_draws(model.noise_scheduler, model.inference_steps()) != 1:
        raise ValueError(
            f'{type(sampler).__name__} adds noise between steps, which a start state does not scale: {conditioner} '
            'needs a deterministic sampler'
        )
    options = {
        'train_cfg: own_states': model.train_cfg.own_states > 0,
        'train_cfg: condition_dropout': model.train_cfg.condition_dropout > 0,
        'test_cfg: guidance_scale': model.test_cfg.guidance_scale != 1,
    }
    for name, wanted in options.items():
        if wanted:
            raise ValueError(f'{name} does not work with the start state of {conditioner}')


def _check_regression(model: Any) -> None:
    options = model.train_cfg
    if options.own_states > 0:
        raise ValueError(_own_states('no noise scheduler'))
    needing = {
        'states_per_clip': options.states_per_clip > 1,
        'time_distribution': options.time_distribution != 'uniform',
        'loss_weight': options.loss_weight != 'none',
    }
    for name, wanted in needing.items():
        if wanted:
            raise ValueError(f'train_cfg: {name} needs a denoiser')
    if model.test_cfg.noise_free:
        raise ValueError('test_cfg: noise_free needs a denoiser; a model without diffusion has no noise')
    for name in ('flip_hypotheses', 'flip_steps'):
        if getattr(model.test_cfg, name):
            raise ValueError(f'test_cfg: {name} needs a denoiser; use flip_test')
    if model.test_cfg.num_hypotheses > 1:
        raise single_hypothesis(model.test_cfg.num_hypotheses)


def _own_states(got: str) -> str:
    return (
        "train_cfg: own_states needs a noise scheduler with prediction_type='sample': the target of its states is the "
        f'true x_0; got {got}'
    )
