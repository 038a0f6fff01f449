"""Use the whole frame as the box of one person."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from posediff.detection.base import BaseDetector
from posediff.registry import DETECTORS
from posediff.structures.component_choices import CommandLineChoice
from posediff.structures.person_boxes import PersonBoxes
from posediff.structures.video_frame import VideoFrame


@DETECTORS.register_module()
class WholeFrameDetector(BaseDetector):
    """A detector that returns one box per frame, the whole image."""

    command_line = (CommandLineChoice('whole-frame', 'one person who fills the image'),)

    def __call__(self, frames: Sequence[VideoFrame]) -> list[PersonBoxes]:
        found = []
        for frame in frames:
            height, width = frame.image.shape[:2]
            found.append(PersonBoxes(np.array([[0, 0, width, height]], np.float32), np.ones(1, np.float32)))
        return found
