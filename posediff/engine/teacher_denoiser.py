"""The denoiser of a trained model, as the teacher of a model of the same config."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import torch

from posediff.fileio.checkpoint import load_state
from posediff.models.denoisers.base import BaseDenoiser


def teacher_denoiser(model: Any, checkpoint: Path, owner: str) -> BaseDenoiser:
    """Return a copy of the model's denoiser with the weights of a checkpoint.

    Args:
        model: A :class:`posediff.models.diffusion_model.DiffusionModel` with a denoiser.
        checkpoint: Checkpoint of a trained model of the same config.
        owner: Class that asks, for messages.

    Raises:
        ValueError: The checkpoint does not fit the denoiser, or a part besides the denoiser would be trained or differs
            from the checkpoint, so that the condition would not be that of the teacher.
    """
    state = load_state(checkpoint)
    _check_others(model, state, checkpoint, owner)
    denoiser = copy.deepcopy(model.denoiser)
    try:
        denoiser.load_state_dict({
            key.removeprefix('denoiser.'): value for key, value in state.items() if key.startswith('denoiser.')
        })  # fmt: skip
    except RuntimeError as error:
        raise ValueError(f'the denoiser in {checkpoint} does not fit the one in the config: {error}') from error
    return denoiser


def _check_others(model: Any, state: dict[str, torch.Tensor], checkpoint: Path, owner: str) -> None:
    """Check that the condition is the one that the teacher was trained with."""
    for name in ('backbone', 'conditioner'):
        part = getattr(model, name)
        if part is None:
            continue
        trained = [key for key, parameter in part.named_parameters() if parameter.requires_grad]
        if trained:
            raise ValueError(
                f'{owner} trains the denoiser alone, but {name}.{trained[0]} is trained too: the condition '
                'would not be that of the teacher'
            )
        for key, value in part.state_dict().items():
            known = state.get(f'{name}.{key}')
            if known is None or not torch.equal(known.cpu(), value.cpu()):
                raise ValueError(f'{name}.{key} of the model is not that of {checkpoint}')
