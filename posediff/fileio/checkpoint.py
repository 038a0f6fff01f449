"""Load checkpoints without executing code from them."""

from __future__ import annotations

import pickle
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.logging import HistoryBuffer, print_log
from torch import Tensor, nn

from posediff.fileio.safetensors_files import SUFFIX, read_safetensors
from posediff.fileio.state_dicts import find_state, unwrapped

_PYTORCH = (b'PK', b'\x80')  # zip archives, and pickles as written by PyTorch before 1.6
_SAFETENSORS = re.compile(rb'.{7}\x00\{"', re.DOTALL)  # length of the header, then the header in JSON


class UnsafeCheckpointError(RuntimeError):
    """A checkpoint contains objects other than tensors and plain data; loading it could execute code."""


def _history_method(owner: type, name: str) -> Any:
    """Return a public method of ``HistoryBuffer``; replaces ``getattr``, by which pickled histories refer to methods.

    Raises:
        pickle.UnpicklingError: Something else is requested.
    """
    if owner is not HistoryBuffer or name.startswith('_'):
        raise pickle.UnpicklingError(f'GLOBAL getattr({owner!r}, {name!r})')
    return getattr(owner, name)


class _InertGenerator:
    """Replacement for numpy's random generators in MixSTE and D3DP checkpoints; the state is discarded."""

    def __init__(self, *_: Any) -> None:
        pass

    def __setstate__(self, state: Any) -> None:
        pass


_GENERATOR_NAMES = (
    'numpy.random._pickle.__randomstate_ctor',
    'numpy.random._pickle.__bit_generator_ctor',
    'numpy.random._mt19937.MT19937',
    'numpy.random.__RandomState_ctor',  # before numpy 1.17
)


def _safe_types() -> list[Any]:
    """Return the types allowed besides tensors: numpy scalars, arrays and generators, and MMEngine's histories."""
    scalar_types = [np.dtype(code) for code in ('f8', 'f4', 'f2', 'i8', 'i4', 'i2', 'i1', 'u1', 'u2', 'u4', 'u8', '?')]
    reconstruct = np.empty(0).__reduce__()[0]
    scalar = np.float64(0).__reduce__()[0]
    return [
        HistoryBuffer,
        (_history_method, 'builtins.getattr'),
        (_history_method, '__builtin__.getattr'),
        np.ndarray,
        np.dtype,
        reconstruct,
        scalar,
        (reconstruct, 'numpy.core.multiarray._reconstruct'),  # name in numpy 1
        (scalar, 'numpy.core.multiarray.scalar'),
        *((_InertGenerator, name) for name in _GENERATOR_NAMES),
        *{type(dtype) for dtype in scalar_types},
    ]


def load_checkpoint(path: str | Path, map_location: Any = 'cpu') -> dict[str, Any]:
    """Load a checkpoint file with ``weights_only`` semantics.

    Args:
        path: A PyTorch checkpoint, or a safetensors file, whose tensors are a state dict. A file named ``.safetensors``
            is never unpickled, whatever its content.
        map_location: As for :func:`torch.load`; a device for safetensors.

    Raises:
        FileNotFoundError: The file does not exist.
        UnsafeCheckpointError: The pickle refers to code.
        ValueError: The file is truncated, not a checkpoint, or not a dictionary.
    """
    file = Path(path).expanduser()
    if not file.is_file():
        raise FileNotFoundError(f'checkpoint {file} does not exist')
    with file.open('rb') as content:
        begin = content.read(64)
    pointer = ': it is a Git LFS pointer; git lfs pull downloads the file' if b'git-lfs' in begin else ''
    if _SAFETENSORS.match(begin) or (file.suffix == SUFFIX and not pointer):
        return dict(read_safetensors(file, str(map_location or 'cpu')))
    if begin and not begin.startswith(_PYTORCH):
        raise ValueError(
            f'{file} is not a readable checkpoint: it begins with {begin[:24]!r}, unlike files of PyTorch{pointer}'
        )
    try:
        with torch.serialization.safe_globals(_safe_types()):
            checkpoint = torch.load(file, map_location=map_location, weights_only=True)
    except pickle.UnpicklingError as error:
        reason = str(error).split('GLOBAL ')
        if len(reason) > 1:
            raise UnsafeCheckpointError(
                f'checkpoint {file} refers to {reason[1].split()[0]}, which loading would execute; it was '
                'not loaded. Only tensors and plain data are accepted'
            ) from None
        raise ValueError(f'{file} is not a readable checkpoint: {_first_line(error)}') from error
    except (OSError, RuntimeError, EOFError, ValueError, KeyError, AttributeError) as error:
        raise ValueError(f'{file} is not a readable checkpoint (truncated?): {_first_line(error)}') from error
    if isinstance(checkpoint, list):
        checkpoint = _named_entries(checkpoint)
    if not isinstance(checkpoint, Mapping):
        raise ValueError(f'checkpoint {file} holds a {type(checkpoint).__name__}, not a dictionary')
    return dict(checkpoint)


def _named_entries(checkpoint: list[Any]) -> Any:
    """Return the entries that the code of DDIM stores in a list, by name; another list as it is.

    They are weights, optimizer, epoch, step and, if there are any, averaged weights.
    """
    if len(checkpoint) not in (4, 5) or not isinstance(checkpoint[0], Mapping):
        return checkpoint
    return dict(zip(('model', 'optimizer', 'epoch', 'step', 'ema'), checkpoint, strict=False))


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


def load_state(path: str | Path, ema: bool = False) -> dict[str, Tensor]:
    """Load the flat state dict of a checkpoint in any known wrapping, see :mod:`posediff.fileio.state_dicts`.

    Args:
        path: A ``.pth`` or ``.safetensors`` file.
        ema: Use the averaged weights (EMA), which the file must contain.

    Raises:
        ValueError: The file has no tensors; otherwise as :func:`load_checkpoint`.
    """
    return state_of(load_checkpoint(path), path, ema)


def state_of(checkpoint: Mapping[str, Any], path: str | Path, ema: bool = False) -> dict[str, Tensor]:
    """Return the flat state dict of a loaded checkpoint, with the parameter names of the model.

    Args:
        checkpoint: From :func:`load_checkpoint`.
        path: Path of the checkpoint, for messages.
        ema: As for :func:`load_state`. If the file has both kinds of weights, the choice is logged.

    Raises:
        ValueError: The state dict has no tensors, or holds objects other than tensors.
    """
    found = find_state(checkpoint, path, ema)
    if found.choice:
        print_log(f'{path}: {found.choice}', logger='current')
    state = unwrapped(found.state, path)
    tensors = {name: value for name, value in state.items() if isinstance(value, Tensor)}
    if not tensors or len(tensors) != len(state):
        raise ValueError(
            f'checkpoint {path} holds no state dict of tensors (top-level keys: {", ".join(map(str, checkpoint))})'
        )
    return tensors


def check_state(module: nn.Module, state: Mapping[str, Tensor], path: str | Path) -> None:
    """Check that a state dict matches the module exactly.

    Raises:
        ValueError: Keys or shapes differ, or only one of two tensors is of floating point; the message names the file
            and the first few differences.
    """
    own = module.state_dict()
    problems = [f'missing {key}' for key in own if key not in state]
    problems += [f'unexpected {key}' for key in state if key not in own]
    problems += [
        f'{key} is {tuple(state[key].shape)}, the model has {tuple(own[key].shape)}'
        for key in own
        if key in state and own[key].shape != state[key].shape
    ]
    problems += [
        f'{key} is {_dtype(state[key])}, the model has {_dtype(own[key])}'
        for key in own
        if key in state and own[key].is_floating_point() != state[key].is_floating_point()
    ]
    if problems:
        raise ValueError(f'{path} does not fit the model ({len(problems)} differences): {"; ".join(problems[:4])}')


def _dtype(value: Tensor) -> str:
    return str(value.dtype).removeprefix('torch.')


@contextmanager
def safe_loading() -> Iterator[None]:
    """Let MMEngine read local checkpoints through :func:`load_checkpoint` within the block.

    MMEngine's Runner (``load_from``, ``resume``) and its initialisation from files (``init_cfg``) fall back to
    unrestricted unpickling if safe loading fails. Weights in other known wrappings are returned as ``state_dict``. The
    previous loader of MMEngine is restored at the end.
    """

    def load(filename: str, map_location: Any = 'cpu') -> dict[str, Any]:
        checkpoint = load_checkpoint(filename, map_location)
        try:
            state = state_of(checkpoint, filename)
        except ValueError:  # no known weights: MMEngine reports what it needs
            return checkpoint
        return {**checkpoint, 'state_dict': state}

    from mmengine.runner.checkpoint import CheckpointLoader  # here: models that only run do without MMEngine's Runner

    before = CheckpointLoader._schemes['']
    CheckpointLoader.register_scheme('', loader=load, force=True)
    try:
        yield
    finally:
        CheckpointLoader.register_scheme('', loader=before, force=True)
