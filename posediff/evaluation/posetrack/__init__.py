"""Average precision and tracking of multi-person poses in videos, as PoseTrack measures them.

``entries``, ``posetrack17``, ``posetrack18`` and ``posetrack21`` read files, ``regions`` drops joints in ignore
regions, ``matching`` assigns predicted to true persons, and ``average_precision`` computes figures from scores and
labels. ``clear_mot`` and ``hota`` measure tracks, frame by frame (``tracking_frames``). ``protocols`` defines the
differences of the two official evaluators, ``evaluator`` combines the steps, and ``bootstrap`` estimates confidence
intervals of the difference of two results. The package imports only numpy, and scipy for tracks.
"""

from posediff.evaluation.bootstrap import Difference
from posediff.evaluation.posetrack.average_precision import PoseTrackResult
from posediff.evaluation.posetrack.bootstrap import bootstrap_differences
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
