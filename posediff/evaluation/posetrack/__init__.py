"""Average precision of multi-person poses in videos, as PoseTrack measures it; numpy alone is imported.

From files to figures: ``entries`` and ``posetrack17``, ``posetrack18``, ``posetrack21`` read, ``regions`` drops what
lies in ignore regions, ``matching`` assigns predicted persons to true ones, ``average_precision`` makes figures of
scores and labels. ``protocols`` says what the two evaluators do differently, ``evaluator`` puts it together.
"""

from posediff.evaluation.posetrack.average_precision import PoseTrackResult
from posediff.evaluation.posetrack.evaluator import PoseTrackEvaluator, evaluate_folders
from posediff.evaluation.posetrack.protocols import PROTOCOLS

__all__ = ['PROTOCOLS', 'PoseTrackEvaluator', 'PoseTrackResult', 'evaluate_folders']
