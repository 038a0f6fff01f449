"""How well persons are followed, sequence by sequence."""

from __future__ import annotations

import numpy as np

from posediff.evaluation.posetrack.protocols import Protocol
from posediff.evaluation.posetrack.sequence import Persons, PoseTrackSequence
from posediff.evaluation.posetrack.tracking_frames import tracked_sequence
from posediff.evaluation.posetrack.tracking_result import TrackingResult


class Tracking:
    """Collects the counts of all sequences, for MOTA as poseval has it and HOTA as PoseTrack21 has it.

    Args:
        protocol: Decides which frames, persons and joints count, for both.
    """

    def __init__(self, protocol: Protocol) -> None:
        from posediff.evaluation.posetrack.clear_mot import ClearMot  # both import scipy, which poses do without
        from posediff.evaluation.posetrack.hota import Hota

        self.clear_mot, self.hota = ClearMot(), Hota(protocol.odd_empty_frames)

    def add(self, true: Persons, predicted: Persons, sequence: PoseTrackSequence) -> None:
        """Take in the persons of a sequence that count.

        Raises:
            ValueError: A track id is missing, no number, or occurs twice in a frame.
        """
        tracked = tracked_sequence(true, predicted, np.flatnonzero(sequence.counts), sequence.frame_names)
        self.clear_mot.add(tracked)
        self.hota.add(tracked)

    def result(self) -> TrackingResult:
        """The figures of everything that was added."""
        return TrackingResult(
            figures={**self.clear_mot.figures(), **self.hota.figures()}, num_switches=self.clear_mot.switches.copy()
        )
