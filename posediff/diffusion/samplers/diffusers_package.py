"""The optional package diffusers, imported when a config names one of its schedulers."""

from __future__ import annotations

from typing import Any


def import_diffusers() -> Any:
    """Return the package diffusers.

    Raises:
        ImportError: It is not installed, or installed and does not import; the message says which.
    """
    try:
        import diffusers
    except ImportError as error:
        if not (isinstance(error, ModuleNotFoundError) and error.name == 'diffusers'):
            raise ImportError(f'the package diffusers is installed but cannot be imported: {error}') from error
        raise ImportError(
            "a 'diffusers.…' sampler needs the package diffusers: pip install 'posediff[diffusers]'"
        ) from error
    return diffusers
