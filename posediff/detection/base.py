"""What every detector promises."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

from posediff.structures.people import People
from posediff.structures.video_frame import VideoFrame


class BaseDetector(ABC):
    """Finds people in frames. Each frame is looked at for itself: results do not depend on what else is in a batch."""

    @abstractmethod
    def __call__(self, frames: Sequence[VideoFrame]) -> list[People]:
        """Find the people of each frame; boxes have an area and lie at least partly in the image."""

    @classmethod
    @abstractmethod
    def contract_cases(cls) -> list[dict[str, Any]]:
        """Arguments to build instances with for the contract tests."""
