"""Keypoints that other programs wrote, in their formats: read into people by picture, in pixels.

:func:`~posediff.fileio.keypoint_files.reading.read_keypoint_file` is the way in. ``formats`` has the formats by name,
with a module for each; ``documents`` opens files and folders; ``contents`` is what a format hands over;
``frame_numbers``, ``coordinates`` and ``track_ids`` are the rules that all formats share; ``record`` is what comes out.
"""

from posediff.fileio.keypoint_files import (  # noqa: F401  they register themselves
    coco,
    deeplabcut,
    mediapipe_tasks,
    mmpose,
    openpose,
    pose_format,
    posediff_poses,
    rtmlib,
    yolo,
)
from posediff.fileio.keypoint_files.coordinates import COORDINATES
from posediff.fileio.keypoint_files.formats import FORMATS, KeypointFormat, register_format
from posediff.fileio.keypoint_files.reading import read_keypoint_file
from posediff.fileio.keypoint_files.record import FoundPerson, KeypointRecord

__all__ = [
    'COORDINATES',
    'FORMATS',
    'FoundPerson',
    'KeypointFormat',
    'KeypointRecord',
    'read_keypoint_file',
    'register_format',
]
