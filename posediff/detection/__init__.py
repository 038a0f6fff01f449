"""Person detectors."""

from posediff.detection.base import BaseDetector, ProcessedVideo
from posediff.detection.boxes_file import BoxesFileDetector
from posediff.detection.keypoints_file import KeypointsFileDetector
from posediff.detection.mediapipe_detector import MediaPipeDetector
from posediff.detection.mmdet_models import MMDetDetector
from posediff.detection.whole_frame import WholeFrameDetector
from posediff.structures.person_boxes import PersonBoxes

__all__ = [
    'BaseDetector',
    'BoxesFileDetector',
    'KeypointsFileDetector',
    'MMDetDetector',
    'MediaPipeDetector',
    'PersonBoxes',
    'ProcessedVideo',
    'WholeFrameDetector',
]
