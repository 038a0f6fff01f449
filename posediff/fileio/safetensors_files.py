"""Read and write state dicts as safetensors files, which contain tensors and text but no code."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from posediff.fileio.atomic_files import atomic_write

SUFFIX = '.safetensors'


def read_safetensors(path: str | Path, device: str = 'cpu') -> dict[str, Tensor]:
    """Read all tensors of a safetensors file.

    Args:
        path: The file, with any suffix.
        device: Device of the tensors, e.g. ``'cuda:0'``.

    Raises:
        ValueError: The file is truncated or is not a safetensors file.
    """
    try:
        return dict(load_file(path, device=device))
    except (SafetensorError, OSError) as error:
        raise _unreadable(path, error) from error


def read_safetensors_metadata(path: str | Path) -> dict[str, str]:
    """Read the metadata of a safetensors file without its tensors.

    Raises:
        ValueError: The file is truncated or is not a safetensors file.
    """
    try:
        with safe_open(path, framework='pt') as content:
            return dict(content.metadata() or {})
    except (SafetensorError, OSError) as error:
        raise _unreadable(path, error) from error


def write_safetensors(path: str | Path, state: Mapping[str, Tensor], metadata: Mapping[str, object]) -> None:
    """Write a state dict as a safetensors file, atomically.

    Dtypes are kept. Tensors that share memory are written separately.

    Args:
        path: File to write.
        state: The tensors by name, on any device.
        metadata: Metadata for the header; values are converted by ``str``. The version of posediff is added as
            ``posediff_version``.
    """
    tensors = {name: value.detach().to('cpu', copy=True).contiguous() for name, value in state.items()}
    # Imported at run time, since the root package imports the inference API for type checkers, a layer above fileio.
    version = importlib.import_module('posediff').__version__
    texts = {'format': 'pt', **{key: str(value) for key, value in metadata.items()}, 'posediff_version': version}
    with atomic_write(path) as draft:
        draft.touch()
        mode = draft.stat().st_mode  # as the umask has it; save_file replaces the file by one for its owner only
        save_file(tensors, draft, metadata=texts)
        draft.chmod(mode)


def as_half(state: Mapping[str, Tensor], origin: str) -> dict[str, Tensor]:
    """Convert the floating-point tensors of a state dict to float16.

    Args:
        state: The tensors by name.
        origin: Origin of the tensors, for the message.

    Raises:
        ValueError: A value is finite and too large for float16.
    """
    return {name: _half(f'{origin}: {name}', values) for name, values in state.items()}


def _half(place: str, values: Tensor) -> Tensor:
    if not values.is_floating_point():
        return values
    half = values.half()
    if not torch.equal(half.isfinite(), values.isfinite()):
        raise ValueError(f'{place} goes up to {float(values.abs().max()):g}, which float16 cannot hold')
    return half


def _unreadable(path: str | Path, error: Exception) -> ValueError:
    reason = (str(error).splitlines() or [type(error).__name__])[0]
    return ValueError(f'{path} is not a readable checkpoint (truncated?): {reason}')
