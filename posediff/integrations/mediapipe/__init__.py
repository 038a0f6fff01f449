"""MediaPipe's person detector and 2D pose network (BlazePose), run without the mediapipe package.

From a frame to poses: ``detection`` finds people and says where to look, as rotated squares; ``rois`` cuts them out and
maps points back; ``landmarks`` reads a pose in each. ``ssd`` and ``heatmap_refinement`` are what they do to the
networks' outputs, ``network`` runs a .tflite file, ``weights`` gets the files. All steps and constants are those of
MediaPipe's graphs ``pose_detection_cpu`` and ``pose_landmark_by_roi_cpu``, release 0.10.21; its smoothing over time is
left out.

Reference: Bazarevsky et al., BlazePose: On-device real-time body pose tracking, 2020.
"""

from posediff.integrations.mediapipe.detection import PersonDetections, PoseDetectionNetwork
from posediff.integrations.mediapipe.landmarks import PersonLandmarks, PoseLandmarkNetwork

__all__ = ['PoseDetectionNetwork', 'PoseLandmarkNetwork', 'PersonDetections', 'PersonLandmarks']
