"""Load pickles without executing code from them."""

from __future__ import annotations

import io
import pickle
import zipfile
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

_NUMPY_MODULES = ('numpy', 'numpy.core.multiarray', 'numpy._core.multiarray')
_NUMPY_NAMES = ('ndarray', 'dtype', '_reconstruct', 'scalar')


class UnsafePickleError(ValueError):
    """A pickle refers to something other than plain data and numpy arrays."""


class _ArrayUnpickler(pickle.Unpickler):
    def __init__(self, file: BinaryIO, origin: str) -> None:
        # latin1 decodes arrays pickled by Python 2
        super().__init__(file, encoding='latin1')
        self._origin = origin

    def find_class(self, module: str, name: str) -> Any:
        if (module in _NUMPY_MODULES and name in _NUMPY_NAMES) or (module, name) == ('_codecs', 'encode'):
            return super().find_class(module, name)
        raise UnsafePickleError(
            f'{self._origin}: refused to unpickle {module}.{name}; only plain containers and numpy arrays are read'
        )


def load_pickle(path: str | Path) -> Any:
    """Read a pickle of plain containers and numpy arrays.

    Raises:
        FileNotFoundError: The file does not exist.
        UnsafePickleError: The pickle refers to another class or function; no code is executed.
        ValueError: The file is truncated or not a pickle.
    """
    path = Path(path)
    return _unpickle(io.BytesIO(path.read_bytes()), str(path))


def unpickle(content: bytes, origin: str) -> Any:
    """Read a pickle of plain containers and numpy arrays from memory.

    Args:
        content: The pickle.
        origin: Origin of the content, for messages.

    Raises:
        UnsafePickleError: The pickle refers to another class or function; no code is executed.
        ValueError: The content is truncated or not a pickle.
    """
    return _unpickle(io.BytesIO(content), origin)


def load_object_npz(path: str | Path) -> dict[str, Any]:
    """Read an ``.npz`` whose members may be object arrays (0-d arrays are unwrapped).

    Raises:
        FileNotFoundError: The file does not exist.
        UnsafePickleError: A member refers to a class or function other than numpy's arrays.
        ValueError: The file is truncated or not an npz.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f'{path}: no such file')
    try:
        with zipfile.ZipFile(path) as archive:
            return {
                name.removesuffix('.npy'): _read_npy(archive.read(name), f'{path}[{name}]')
                for name in archive.namelist()
            }
    except zipfile.BadZipFile as error:
        raise ValueError(f'{path}: not a complete npz file ({error})') from error


def _read_npy(content: bytes, origin: str) -> Any:
    stream = io.BytesIO(content)
    try:
        version = np.lib.format.read_magic(stream)
        read_header = {1: np.lib.format.read_array_header_1_0, 2: np.lib.format.read_array_header_2_0}[version[0]]
        shape, _, dtype = read_header(stream)
    except (ValueError, KeyError) as error:
        raise ValueError(f'{origin}: not a numpy array ({error})') from error
    if not dtype.hasobject:
        stream.seek(0)
        return np.lib.format.read_array(stream, allow_pickle=False)
    array = _unpickle(stream, origin)
    return array.item() if shape == () else array


def _unpickle(stream: BinaryIO, origin: str) -> Any:
    try:
        return _ArrayUnpickler(stream, origin).load()
    except UnsafePickleError:
        raise
    except (pickle.UnpicklingError, EOFError, ValueError, TypeError, AttributeError, IndexError, KeyError) as error:
        raise ValueError(f'{origin}: truncated or not a pickle ({error})') from error
