"""Average precision and tracking of multi-person poses in videos, as PoseTrack measures them.

From files to figures: ``entries`` and ``posetrack17``, ``posetrack18``, ``posetrack21`` read, ``regions`` drops what
lies in ignore regions, ``matching`` assigns predicted persons to true ones, ``average_precision`` makes figures of
scores and labels. ``clear_mot`` and ``hota`` measure tracks, frame by frame (``tracking_frames``). ``protocols`` says
what the two evaluators do differently, ``evaluator`` puts it together, ``bootstrap`` says how far a
difference of two results is chance. Numpy alone is imported, and scipy for tracks.
"""

from posediff.evaluation.posetrack.average_precision import PoseTrackResult
from posediff.evaluation.posetrack.bootstrap import Difference, bootstrap_differences
from posediff.evaluation.posetrack.evaluator import PoseTrackEvaluator, evaluate_folders, read_folders
from posediff.evaluation.posetrack.protocols import PROTOCOLS
from posediff.evaluation.posetrack.tracking_result import TrackingResult

__all__ = [
    'PROTOCOLS',
    'Difference',
    'PoseTrackEvaluator',
    'PoseTrackResult',
    'TrackingResult',
    'bootstrap_differences',
    'evaluate_folders',
    'read_folders',
]
