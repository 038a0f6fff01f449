"""Find the weights in a checkpoint and strip name prefixes, for the wrappings of various programs."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

WEIGHTS = (
    'state_dict', 'model_state_dict', 'model_state', 'model_pos', 'model', 'net', 'network', 'weights', 'params',
    'module', 'checkpoint',
)  # fmt: skip
"""Keys under which programs store weights."""

AVERAGED = (
    'ema_state_dict', 'state_dict_ema', 'model_ema', 'model_ema_state_dict', 'ema_model', 'ema_model_state_dict',
    'ema_weights', 'params_ema', 'averaged_model', 'ema', 'shadow',
)  # fmt: skip
"""Keys under which programs store weights averaged over training (EMA)."""

COMPILED = '_orig_mod.'
"""Prefix that ``torch.compile`` adds to parameter names, at any depth."""

WRAPPERS = ('module.', 'model.', 'net.', 'network.', 'ema_model.', 'averaged_model.')
"""Prefixes that DataParallel, Lightning, averaging and other wrappers add to all names."""

_COUNTERS = ('n_averaged', 'num_updates', 'steps', 'step', 'updates', 'decay', 'initted')
"""Entries of averaged models besides weights."""


@dataclass(frozen=True)
class FoundState:
    """The weights of a checkpoint.

    Attributes:
        state: Entries by the names in the file, including entries that are not tensors.
        key: Key of the weights, levels separated by dots; empty if the checkpoint is a bare state dict.
        choice: One sentence if the file has averaged weights; empty otherwise.
    """

    state: Mapping[str, Any]
    key: str
    choice: str


def find_state(checkpoint: Mapping[str, Any], path: str | Path, ema: bool = False) -> FoundState:
    """Find the weights in a loaded checkpoint.

    MMEngine's ``EMAHook`` stores averaged weights as ``state_dict`` and the trained ones as ``ema_state_dict``: both
    values of ``ema`` return the averaged ones in this case.

    Args:
        checkpoint: Content of the file.
        path: Path of the file, for messages.
        ema: Return the averaged weights; otherwise the trained ones, if the file has them.

    Raises:
        ValueError: There are weights under several keys, a key for weights holds something else, or there are no
            averaged weights.
    """
    trained, averaged = _candidates(checkpoint, WEIGHTS), _candidates(checkpoint, AVERAGED)
    if len(trained) > 1 or len(averaged) > 1:
        several = trained if len(trained) > 1 else averaged
        raise ValueError(f'{path} holds weights under {" and ".join(several)}: it is ambiguous which to load')
    by_mmengine = trained == ['state_dict'] and 'mmengine_version' in (checkpoint.get('meta') or {})
    if ema and not averaged:
        raise ValueError(f'{path} holds no averaged weights (top-level keys: {", ".join(map(str, checkpoint))})')
    if not trained and not averaged:
        _check_not_hidden(checkpoint, path)
        return FoundState(_without_counters(checkpoint), '', '')
    chosen = (averaged if (ema and not by_mmengine) or not trained else trained)[0]
    inner = find_state(checkpoint[chosen], path)
    key = f'{chosen}.{inner.key}' if inner.key else chosen
    return FoundState(inner.state, key, _choice(trained, averaged, chosen, by_mmengine))


def _candidates(checkpoint: Mapping[str, Any], keys: tuple[str, ...]) -> list[str]:
    """Return those of ``keys`` that hold tensors at any depth; if there are none, the first that holds a mapping."""
    present = [key for key in keys if isinstance(checkpoint.get(key), Mapping)]
    full = [key for key in present if _has_tensors(checkpoint[key])]
    return full or present[:1]


def _has_tensors(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(_has_tensors(inner) for inner in value.values())
    return isinstance(value, Tensor)


def _without_counters(state: Mapping[str, Any]) -> Mapping[str, Any]:
    """Remove the entries of an averaged model that are not its weights: counters, and the copy of the trained model.

    Other state dicts are returned unchanged.
    """
    weights = {str(name): value for name, value in state.items() if name not in _COUNTERS}
    averaged = {name: value for name, value in weights.items() if name.startswith('ema_model.')}
    if averaged and all(name.startswith(('ema_model.', 'online_model.')) for name in weights):
        return averaged
    return weights if weights and all(name.startswith((*WRAPPERS, COMPILED)) for name in weights) else state


def _check_not_hidden(checkpoint: Mapping[str, Any], path: str | Path) -> None:
    """Raise ValueError if a usual key of weights holds something other than a state dict."""
    for key in ('state_dict', 'model_state_dict', 'model_pos'):
        if key in checkpoint and not isinstance(checkpoint[key], Tensor):
            raise ValueError(f'{path}: {key} holds a {type(checkpoint[key]).__name__}, expected a state dict')


def _choice(trained: list[str], averaged: list[str], chosen: str, by_mmengine: bool) -> str:
    if not averaged or (trained and by_mmengine):
        return ''
    if not trained:
        return f'the weights are averaged ones, of {chosen!r}: the file has no others'
    if chosen in averaged:
        return f'the weights are the averaged ones, of {chosen!r}; those of {trained[0]!r} are ignored'
    return f'the weights are those of {chosen!r}; the averaged ones, of {averaged[0]!r}, are ignored (--ema)'


def unwrapped(state: Mapping[str, Any], path: str | Path) -> dict[str, Any]:
    """Return a state dict with the parameter names of the model.

    ``_orig_mod.`` is removed everywhere; a prefix of :data:`WRAPPERS` is removed if all names have it.

    Args:
        state: State dict from the file.
        path: Path of the file, for messages.

    Raises:
        ValueError: Two names become equal.
    """
    names = {str(name): str(name).replace(COMPILED, '') for name in state}
    while True:
        prefix = next((prefix for prefix in WRAPPERS if _all_begin(names.values(), prefix)), None)
        if prefix is None:
            break
        names = {name: short.removeprefix(prefix) for name, short in names.items()}
    first: dict[str, str] = {}
    for name, short in names.items():
        if short in first:
            raise ValueError(f'{path}: {first[short]} and {name} are the same parameter, {short}')
        first[short] = name
    by_text = {str(name): value for name, value in state.items()}
    return {short: by_text[name] for name, short in names.items()}


def _all_begin(names: Collection[str], prefix: str) -> bool:
    return bool(names) and all(name.startswith(prefix) for name in names)
