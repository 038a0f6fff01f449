"""The interface of detectors."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

from posediff.structures.component_choices import CommandLineChoice
from posediff.structures.person_boxes import PersonBoxes
from posediff.structures.video_frame import VideoFrame


class BaseDetector(ABC):
    """A detector of persons. Frames are processed independently: results do not depend on the rest of the batch."""

    command_line: ClassVar[tuple[CommandLineChoice, ...]] = ()
    """Words by which a command line names the component."""

    @abstractmethod
    def __call__(self, frames: Sequence[VideoFrame]) -> list[PersonBoxes]:
        """Detect the persons of each frame; boxes have a positive area and lie at least partly in the image."""
