"""The interface of exporters."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar

from posediff.export.motion import Motion


class BaseExporter(ABC):
    """Writes the motion of one person as one file. Constructor arguments are the options of the format.

    Attributes:
        suffix: End of the file's name, with its dot.
        track_options: Options for the persons of a video, whose motion may have gaps and joints that are never known.
    """

    suffix: ClassVar[str]
    track_options: ClassVar[Mapping[str, Any]] = MappingProxyType({})

    @abstractmethod
    def __call__(self, motion: Motion, path: Path) -> dict[str, Any]:
        """Write a motion; the file is complete, or as it was before.

        Args:
            motion: What to write; it is not changed.
            path: The file.

        Returns:
            What the file holds, for JSON: ``'unit'``, ``'axes'``, ``'gaps'`` (how frames without the person are
            written), ``'start'`` (where the person begins), and what is particular to the format.

        Raises:
            ValueError: The format cannot hold this motion.
            ImportError: The package that writes the format is not installed.
        """

    def refusal(self, motion: Motion) -> str | None:
        """Return why the format cannot hold the motion of a person of a video, or None if it can.

        The other formats of that person are written all the same, and the file beside them states the reason.
        """
        return None
