"""Write a model as a folder: config, weights as safetensors, model card."""

from __future__ import annotations

from pathlib import Path

from mmengine.config import Config
from torch import nn

from posediff.fileio.atomic_files import atomic_write_files, new_folder
from posediff.fileio.literal_config import parse_literal_config
from posediff.fileio.model_card import ModelCard
from posediff.fileio.safetensors_files import as_half, write_safetensors
from posediff.models.inference_config import inference_config
from posediff.models.pretrained_config import check_pretrained_config

CONFIG_NAME, WEIGHTS_NAME, CARD_NAME = 'config.py', 'model.safetensors', 'README.md'


def save_pretrained(
    model: nn.Module,
    folder: str | Path,
    card: ModelCard | None = None,
    *,
    config: Config | None = None,
    half: bool = False,
    overwrite: bool = False,
) -> None:
    """Write a model so that :func:`posediff.from_pretrained` reads it back.

    Args:
        model: The estimator.
        folder: Target folder; it is created with its parents, with all files or not at all.
        card: Model card; None: a card with ``not stated`` in every field.
        config: Config that the model was built from; None: ``model.cfg``, which :func:`posediff.init_model` sets.
        half: Write floating-point weights as float16; if False, each tensor keeps its dtype.
        overwrite: Replace the three files in an existing folder, all or none; other files in it stay.

    Raises:
        FileExistsError: The folder exists and ``overwrite`` is False, or the path is a file.
        ValueError: The config is not known, or :func:`posediff.from_pretrained` would refuse it; or a weight is too
            large for float16.
    """
    config = config if config is not None else getattr(model, 'cfg', None)
    if config is None:
        raise ValueError('the model was not built by posediff.init_model: give save_pretrained its config')
    text = _checked_text(config)
    state = model.state_dict()
    if half:
        state = as_half(state, type(model).__name__)
    target = Path(folder).expanduser()
    if target.exists() and not overwrite:
        raise FileExistsError(f'{target} exists already; overwrite=True replaces the model in it')
    if target.exists() and not target.is_dir():
        raise FileExistsError(f'{target} is not a folder')
    with atomic_write_files(target) if target.exists() else new_folder(target) as draft:
        (draft / CONFIG_NAME).write_text(text, encoding='utf-8')
        write_safetensors(draft / WEIGHTS_NAME, state, {})
        (draft / CARD_NAME).write_text((card or ModelCard()).text(), encoding='utf-8')


def _checked_text(config: Config) -> str:
    """Return the text of the config to store, after the check that :func:`posediff.from_pretrained` applies to it."""
    origin = config.filename or 'the config'
    try:
        text = inference_config(config).pretty_text
    except SyntaxError as error:  # a function or another object in the place of a value
        raise ValueError(f'{origin} has values that are not literals: {error}') from error
    check_pretrained_config(parse_literal_config(text, origin), origin)
    return text
