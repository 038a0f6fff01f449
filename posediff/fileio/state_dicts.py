"""Where weights lie in a checkpoint, and what stands before their names: other programs wrap them in many ways."""

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
"""Keys under which programs keep weights."""

AVERAGED = (
    'ema_state_dict', 'state_dict_ema', 'model_ema', 'model_ema_state_dict', 'ema_model', 'ema_model_state_dict',
    'ema_weights', 'params_ema', 'averaged_model', 'ema',
)  # fmt: skip
"""Keys under which programs keep weights that were averaged over training."""

COMPILED = '_orig_mod.'
"""What ``torch.compile`` puts before the names of a module's parameters, at any depth."""

WRAPPERS = ('module.', 'model.', 'net.', 'network.', 'ema_model.', 'averaged_model.')
"""What DataParallel, Lightning, averaging and other wrappers put before all names."""

_COUNTERS = ('n_averaged', 'num_updates', 'steps', 'step', 'updates', 'decay', 'initted')
"""What averaged models hold beside weights."""


@dataclass(frozen=True)
class FoundState:
    """Weights in a checkpoint.

    Attributes:
        state: By the names that the file has; what is no tensor is still among them.
        key: Where they lie, dots between the levels; empty where the checkpoint is nothing but weights.
        choice: One sentence where the file holds both trained and averaged weights; empty otherwise.
    """

    state: Mapping[str, Any]
    key: str
    choice: str


def find_state(checkpoint: Mapping[str, Any], path: str | Path, ema: bool = False) -> FoundState:
    """Find the weights in a loaded checkpoint.

    MMEngine's ``EMAHook`` writes averaged weights as ``state_dict`` and the trained ones as ``ema_state_dict``: both
    ways of asking give the former.

    Args:
        checkpoint: What the file holds.
        path: Where it comes from, for messages.
        ema: Take the averaged weights. Otherwise those that were trained, if the file has them.

    Raises:
        ValueError: Weights lie under several keys, a key that stands for weights holds something else, or there are no
            averaged ones.
    """
    trained, averaged = _candidates(checkpoint, WEIGHTS), _candidates(checkpoint, AVERAGED)
    if len(trained) > 1 or len(averaged) > 1:
        several = trained if len(trained) > 1 else averaged
        raise ValueError(f'{path} holds weights under {" and ".join(several)}: which of them are meant is not clear')
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
    present = [key for key in keys if isinstance(checkpoint.get(key), Mapping)]
    full = [key for key in present if _has_tensors(checkpoint[key])]
    return full or present[:1]


def _has_tensors(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(_has_tensors(inner) for inner in value.values())
    return isinstance(value, Tensor)


def _without_counters(state: Mapping[str, Any]) -> Mapping[str, Any]:
    """Leave out what averaged models hold beside their weights: counters, and a copy of what was averaged."""
    weights = {str(name): value for name, value in state.items() if name not in _COUNTERS}
    averaged = {name: value for name, value in weights.items() if name.startswith('ema_model.')}
    if averaged and all(name.startswith(('ema_model.', 'online_model.')) for name in weights):
        return averaged
    return weights if weights and all(name.startswith((*WRAPPERS, COMPILED)) for name in weights) else state


def _check_not_hidden(checkpoint: Mapping[str, Any], path: str | Path) -> None:
    for key in ('state_dict', 'model_state_dict', 'model_pos'):
        if key in checkpoint and not isinstance(checkpoint[key], Tensor):
            raise ValueError(f'{path}: {key} holds a {type(checkpoint[key]).__name__}, expected a state dict')


def _choice(trained: list[str], averaged: list[str], chosen: str, by_mmengine: bool) -> str:
    if not averaged or (trained and by_mmengine):
        return ''
    if not trained:
        return f'the weights are averaged ones, of {chosen!r}: the file has no others'
    if chosen in averaged:
        return f'the weights are the averaged ones, of {chosen!r}; those of {trained[0]!r} are left aside'
    return f'the weights are those of {chosen!r}; the averaged ones, of {averaged[0]!r}, are left aside (--ema)'


def unwrapped(state: Mapping[str, Any], path: str | Path) -> dict[str, Any]:
    """A state dict under the names of the model itself.

    ``_orig_mod.`` goes wherever it is; a prefix of :data:`WRAPPERS` goes where all names have it.

    Args:
        state: As the file has it.
        path: Where it comes from, for messages.

    Raises:
        ValueError: Two names become one.
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
