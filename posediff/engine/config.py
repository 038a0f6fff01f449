"""Read configs and check them before anything is built."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, cast

from mmengine.config import Config

from posediff.engine.config_files import find_config
from posediff.engine.config_references import enclosing_reference, resolve_references
from posediff.engine.removed_configs import describe_removed
from posediff.plugins.entry_points import describe_clash

# The arguments of MMEngine's Runner, listed here because importing the Runner takes longer than building a model.
RUNNER_KEYS = (
    'model', 'work_dir', 'train_dataloader', 'val_dataloader', 'test_dataloader', 'train_cfg', 'val_cfg', 'test_cfg',
    'auto_scale_lr', 'optim_wrapper', 'param_scheduler', 'val_evaluator', 'test_evaluator', 'default_hooks',
    'custom_hooks', 'data_preprocessor', 'load_from', 'resume', 'launcher', 'env_cfg', 'log_processor', 'log_level',
    'visualizer', 'default_scope', 'randomness', 'experiment_name', 'cfg',
)  # fmt: skip
# Keys that MMEngine's tools read, besides the Runner's arguments.
TOOL_KEYS = (
    'auto_scale_lr',
    'compile',
    'custom_imports',
    'default_scope',
    'find_unused_parameters',
    'launcher',
    'sync_bn',
    'work_dir',
)


def load_config(config: str | Path | Config, cfg_options: Mapping[str, Any] | None = None) -> Config:
    """Read a config, apply overrides, check its top-level keys and resolve its references.

    Args:
        config: A ``.py`` file, the name of a packaged config, or a loaded config, which is copied.
        cfg_options: Overrides, ``{'model.test_cfg.num_hypotheses': 5, …}``.

    Returns:
        A config without references.

    Raises:
        FileNotFoundError: The file, or a file in its ``_base_``, does not exist.
        ValueError: The file is not valid Python, a module in its ``custom_imports`` cannot be imported or registers a
            name that is taken, a key is misspelt, or a reference (``'${num_frames}'``) cannot be resolved.
    """
    if isinstance(config, Config):
        cfg, origin = config.copy(), config.filename or 'the config'
    else:
        file = find_config(config)
        cfg, origin = _read(file), str(file)
    known = _runner_keys()
    _check_misspelt(cfg, known, origin)
    if cfg_options:
        for key in cfg_options:
            top = key.split('.')[0]
            if top not in cfg and top not in known:
                raise ValueError(
                    f'cfg-options: {origin} has no key {top!r} to set {key!r} in{_suggest(top, [*known, *cfg])}'
                )
            if enclosing := enclosing_reference(cfg, key):
                raise ValueError(
                    f'cfg-options: {key!r} is part of {enclosing[0]} = {enclosing[1]!r} in {origin}: set the '
                    'referenced value instead'
                )
        try:
            cfg.merge_from_dict(dict(cfg_options))
        except (KeyError, TypeError, AssertionError) as error:
            raise ValueError(f'cfg-options do not fit {origin}: {error}') from error
    return resolve_references(cfg, origin)


def require_parts(cfg: Config, *keys: str) -> None:
    """Require that a config has the parts that a command needs.

    Args:
        cfg: The config.
        keys: Dotted keys, such as ``'test_dataloader.dataset'``.

    Raises:
        ValueError: A part is missing; the message names the config and the key.
    """
    for key in keys:
        part: Any = cfg
        for name in key.split('.'):
            part = part.get(name) if isinstance(part, (Config, dict)) else None
        if part is None:
            raise ValueError(f'{cfg.filename or "the config"} has no {key}')


def _read(file: Path) -> Config:
    try:
        return Config.fromfile(str(file))
    except FileNotFoundError as error:
        if error.filename is None:
            raise FileNotFoundError(f'config {file} cannot be read: {error}') from error
        missing = error.filename
        raise FileNotFoundError(
            f'config {file}: {missing}, named in its _base_, does not exist{describe_removed(missing)}'
        ) from error
    except RecursionError as error:
        raise ValueError(f'config {file} cannot be read: it inherits from itself, or is nested too deeply') from error
    except Exception as error:  # a config is a program, which may raise anything
        reason = describe_clash(error) or f'{type(error).__name__}: {_root_cause(error)}'
        if 'U+FEFF' in reason:
            reason = 'it, or a file in its _base_, starts with a byte order mark: save it as UTF-8 without one'
        raise ValueError(f'config {file} cannot be read: {reason}') from error


def _root_cause(error: BaseException) -> BaseException:
    """Return the error of a module in ``custom_imports``; MMEngine wraps it in one that lists the search path."""
    while isinstance(error, ImportError) and (error.__cause__ or error.__context__) is not None:
        error = cast(BaseException, error.__cause__ or error.__context__)
    return error


def _runner_keys() -> set[str]:
    return {*RUNNER_KEYS, *TOOL_KEYS}


def _check_misspelt(cfg: Config, known: set[str], origin: str) -> None:
    """Raise an error for a key that resembles an argument of the Runner; MMEngine would ignore it without a message."""
    for key in cfg:
        near = difflib.get_close_matches(key, known, n=1, cutoff=0.9)
        if key not in known and near and near[0] not in cfg:
            raise ValueError(f'{origin} sets the unknown key {key!r}; did you mean {near[0]!r}?')


def _suggest(key: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(key, list(known), n=1, cutoff=0.6)
    return f'; did you mean {near[0]!r}?' if near else ''
