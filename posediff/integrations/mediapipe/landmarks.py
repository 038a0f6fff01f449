"""MediaPipe's pose network: 33 landmarks of a person in a given ROI."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.special import expit

from posediff.integrations.mediapipe import weights
from posediff.integrations.mediapipe.heatmap_refinement import refine_with_heatmaps
from posediff.integrations.mediapipe.network import Network
from posediff.integrations.mediapipe.rois import (
    check_image,
    check_rois,
    crop_roi,
    roi_to_image,
    rois_from_circles,
    rotations,
)
from posediff.structures.skeletons import MEDIAPIPE33

INPUT_SIZE = 256
NUM_OUTPUTS = 39  # the landmarks, two alignment points of the whole body, and four points that MediaPipe does not use
NUM_LANDMARKS = MEDIAPIPE33.num_joints
ALIGNMENT_POINTS = (33, 34)
PRESENCE_THRESHOLD = 0.5
"""MediaPipe discards poses whose presence is not above this."""


@dataclass(frozen=True, eq=False)
class PersonLandmarks:
    """Poses in the skeleton ``mediapipe33``, one per ROI; float32.

    Attributes:
        keypoints: (N, 33, 2) px of the image.
        depths: (N, 33) px, relative to the hip centre; larger is farther from the camera.
        scores: (N, 33) in [0, 1], probability that the point is in the image and visible (MediaPipe's visibility).
        landmark_presence: (N, 33) in [0, 1], probability that the point is in the image, visible or not.
        world: (N, 33, 3) m, relative to the hip centre; x right, y down in the image, z away from the camera.
        presence: (N,) in [0, 1], probability that the ROI contains a person. The other fields are meaningless if it is
            low; MediaPipe requires more than :data:`PRESENCE_THRESHOLD`.
        next_rois: (N, 4) float64, ROI of the person in the next frame.
    """

    keypoints: np.ndarray
    depths: np.ndarray
    scores: np.ndarray
    landmark_presence: np.ndarray
    world: np.ndarray
    presence: np.ndarray
    next_rois: np.ndarray

    def __len__(self) -> int:
        return len(self.presence)


class PoseLandmarkNetwork:
    """A pose estimator for the ROIs of an image: MediaPipe's model of complexity 1 ("full").

    Args:
        num_threads: CPU threads.
        weights_file: ``pose_landmark_full.tflite``; None: from the cache or downloaded
            (:data:`posediff.integrations.mediapipe.weights.WEIGHTS`).

    Raises:
        FileNotFoundError: ``weights_file`` does not exist.
        ImportError: ai-edge-litert is not installed.
        RuntimeError: The weights are not in the cache and could not be downloaded.
        ValueError: ``num_threads`` is not a positive integer, or the file is another network.
    """

    def __init__(self, num_threads: int = 1, weights_file: str | Path | None = None) -> None:
        self._network = Network(
            weights.WEIGHTS.fetch(weights.LANDMARKS) if weights_file is None else Path(weights_file),
            INPUT_SIZE,
            ((1, 5 * NUM_OUTPUTS), (1, 1), (1, 256, 256, 1), (1, 64, 64, NUM_OUTPUTS), (1, 3 * NUM_OUTPUTS)),
            num_threads,
        )

    def __call__(self, image: np.ndarray, rois: np.ndarray) -> PersonLandmarks:
        """Estimate one pose per ROI.

        Args:
            image: (H, W, 3) uint8, RGB.
            rois: (N, 4), N may be 0: ``rois`` of :class:`~posediff.integrations.mediapipe.detection.PersonDetections`,
                ``next_rois`` of the previous frame, or :func:`~posediff.integrations.mediapipe.rois.rois_from_boxes`.
                Parts outside the image are padded with its border.

        Raises:
            ValueError: The image is empty, or has another shape or dtype; an ROI is not finite or has no positive size.
        """
        check_image(type(self).__name__, image)
        rois = check_rois(type(self).__name__, rois)
        points = np.zeros((len(rois), NUM_OUTPUTS, 2))
        landmarks = np.zeros((len(rois), NUM_OUTPUTS, 5), np.float32)
        world = np.zeros((len(rois), NUM_OUTPUTS, 3))
        presence = np.zeros(len(rois), np.float32)
        for number, roi in enumerate(rois):
            crop = crop_roi(image, roi, INPUT_SIZE, extend_border=True)
            raw, present, _, heatmaps, raw_world = self._network(crop.astype(np.float32) / np.float32(255))
            presence[number] = present[0]
            landmarks[number] = raw.reshape(NUM_OUTPUTS, 5)
            points[number] = refine_with_heatmaps(landmarks[number, :, :2].astype(np.float64) / INPUT_SIZE, heatmaps)
            world[number] = raw_world.reshape(NUM_OUTPUTS, 3)

        in_image = roi_to_image(rois, points)
        world[..., :2] = world[..., :2] @ rotations(rois).swapaxes(1, 2)
        body = slice(NUM_LANDMARKS)
        return PersonLandmarks(
            keypoints=in_image[:, body].astype(np.float32),
            depths=(landmarks[:, body, 2] / INPUT_SIZE * rois[:, 2:3]).astype(np.float32),
            scores=expit(landmarks[:, body, 3]),
            landmark_presence=expit(landmarks[:, body, 4]),
            world=world[:, body].astype(np.float32),
            presence=presence,
            next_rois=rois_from_circles(*(in_image[:, point] for point in ALIGNMENT_POINTS)),
        )
