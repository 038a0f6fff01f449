"""The interface of exporters."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar

from posediff.export.motion import Motion
from posediff.structures.component_choices import CommandLineChoice


class BaseExporter(ABC):
    """Writes the motion of one person to one file. Constructor arguments are the options of the format.

    Attributes:
        suffix: Suffix of the file, with its dot.
        track_options: Options for persons of a video, whose motion may have gaps and joints that are never known.
    """

    command_line: ClassVar[tuple[CommandLineChoice, ...]] = ()
    """One choice: the registered name with its help, and the options that a user may set."""

    suffix: ClassVar[str]
    track_options: ClassVar[Mapping[str, Any]] = MappingProxyType({})

    @abstractmethod
    def __call__(self, motion: Motion, path: Path) -> dict[str, Any]:
        """Write a motion atomically, block by block (:meth:`Motion.blocks`) if the format allows.

        Args:
            motion: The motion, which is not changed.
            path: Output file.

        Returns:
            Description of the file, for JSON: ``'unit'``, ``'axes'``, ``'gaps'`` (representation of frames without the
            person), ``'start'`` (first frame of the person), and format-specific entries.

        Raises:
            ValueError: The format cannot hold this motion.
            ImportError: The package that writes the format is not installed.
        """

    def refusal(self, motion: Motion) -> str | None:
        """Return why the format cannot hold the motion of a person of a video, or None if it can.

        The other formats of that person are written anyway, and the description file states the reason.
        """
        return None
