"""Tracking evaluation over sequences."""

from __future__ import annotations

import numpy as np

from posediff.evaluation.posetrack.protocols import Protocol
from posediff.evaluation.posetrack.sequence import Persons, PoseTrackSequence
from posediff.evaluation.posetrack.tracking_frames import tracked_sequence
from posediff.evaluation.posetrack.tracking_result import TrackingResult


class TrackingEvaluator:
    """Counts of all sequences for MOTA as in poseval and HOTA as in PoseTrack21.

    Args:
        protocol: Defines the valid frames, persons and joints of both.
    """

    def __init__(self, protocol: Protocol) -> None:
        from posediff.evaluation.posetrack.clear_mot import ClearMot  # scipy is needed for tracks only
        from posediff.evaluation.posetrack.hota import Hota

        self.clear_mot, self.hota = ClearMot(), Hota(protocol.odd_empty_frames)

    def add(self, true: Persons, predicted: Persons, sequence: PoseTrackSequence) -> None:
        """Add the valid persons of a sequence.

        Raises:
            ValueError: A track id is missing, not a number, or occurs twice in a frame.
        """
        tracked = tracked_sequence(true, predicted, np.flatnonzero(sequence.evaluated), sequence.frame_names)
        self.clear_mot.add(tracked)
        self.hota.add(tracked)

    def result(self) -> TrackingResult:
        """Return the figures of all added sequences."""
        return TrackingResult(
            figures={**self.clear_mot.figures(), **self.hota.figures()}, num_switches=self.clear_mot.switches.copy()
        )
