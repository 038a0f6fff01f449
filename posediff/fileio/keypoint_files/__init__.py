"""Read keypoint files of other programs: persons by picture, with keypoints in px.

The entry point is :func:`~posediff.fileio.keypoint_files.reading.read_keypoint_file`. ``formats`` registers the formats
by name, with one module per format; ``documents`` opens files and folders; ``contents`` is the result of a format's
reader; ``frame_numbers``, ``coordinates`` and ``track_ids`` are the rules shared by all formats; ``record`` is the
final result.
"""

from posediff.fileio.keypoint_files import (  # noqa: F401  imported to register the formats
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
