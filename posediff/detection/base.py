"""The interface of detectors."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from posediff.structures.component_choices import CommandLineChoice
from posediff.structures.person_boxes import PersonBoxes
from posediff.structures.video_frame import VideoFrame


@dataclass(frozen=True)
class ProcessedVideo:
    """How much of a video was processed.

    Attributes:
        num_frames: Number of processed frames.
        num_pictures: Number of pictures of the video; None if unknown.
        is_complete: Whether the video was processed to its end.
        is_resumed: Whether the first frames were processed in an earlier run, without this detector.
    """

    num_frames: int
    num_pictures: int | None
    is_complete: bool
    is_resumed: bool = False


class BaseDetector(ABC):
    """A detector of persons. Frames are processed independently: results do not depend on the rest of the batch."""

    command_line: ClassVar[tuple[CommandLineChoice, ...]] = ()
    """Names by which users select the component on the command line; empty: it cannot be selected there."""

    @abstractmethod
    def __call__(self, frames: Sequence[VideoFrame]) -> list[PersonBoxes]:
        """Detect the persons of each frame; boxes have a positive area and lie at least partly in the image."""

    def metadata(self) -> dict[str, Any]:
        """Return entries for the header of the result files, e.g. the names of the tracks."""
        return {}

    def warnings(self, processed: ProcessedVideo) -> list[str]:
        """Return sentences for the user after a video, e.g. about entries of a file after the end of the video.

        Raises:
            ValueError: No detection lies in the video, so they must belong to another one.
        """
        return []
