"""MediaPipe's person detector and 2D pose network (BlazePose), run without the mediapipe package.

``detection`` detects persons and returns rotated square ROIs; ``rois`` crops them and maps points back to the image;
``landmarks`` predicts a pose in each ROI. ``ssd`` and ``heatmap_refinement`` post-process the outputs of the networks,
``network`` runs a .tflite file, ``weights`` downloads the files. All steps and constants are those of MediaPipe's
graphs ``pose_detection_cpu`` and ``pose_landmark_by_roi_cpu``, release 0.10.21; its temporal smoothing is not
included.

Reference: Bazarevsky et al., BlazePose: On-device real-time body pose tracking, 2020.
"""

from posediff.integrations.mediapipe.detection import PersonDetections, PoseDetectionNetwork
from posediff.integrations.mediapipe.landmarks import PersonLandmarks, PoseLandmarkNetwork

__all__ = ['PoseDetectionNetwork', 'PoseLandmarkNetwork', 'PersonDetections', 'PersonLandmarks']
