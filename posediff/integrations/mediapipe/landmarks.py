"""MediaPipe's pose network: 33 landmarks of a person whose region is known."""

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
NUM_OUTPUTS = 39  # the landmarks, the two alignment points of the whole body, four more that MediaPipe does not use
NUM_LANDMARKS = MEDIAPIPE33.num_joints
ALIGNMENT_POINTS = (33, 34)
PRESENCE_THRESHOLD = 0.5
"""MediaPipe drops poses whose presence is not above this."""


@dataclass(frozen=True, eq=False)
class PersonLandmarks:
    """Poses in the skeleton ``mediapipe33``, one a region; float32.

    Attributes:
        keypoints: (N, 33, 2) px of the image.
        depths: (N, 33), in px as well, relative to the hips' middle, larger is farther from the camera.
        scores: (N, 33) in [0, 1], that the point is in the image and not hidden (MediaPipe's visibility).
        landmark_presence: (N, 33) in [0, 1], that the point is in the image, hidden or not.
        world: (N, 33, 3) m, relative to the hips' middle; x right, y down in the image, z away from the camera.
        presence: (N,) in [0, 1], that there is a person in the region at all. The other fields are filled either way,
            and mean nothing where it is low; MediaPipe itself asks for more than :data:`PRESENCE_THRESHOLD`.
        next_rois: (N, 4) float64, where to look for the person in the next frame.
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
    """Reads a pose in each region of an image, with MediaPipe's model of complexity 1 ("full").

    Args:
        num_threads: CPU threads.
        weights_file: ``pose_landmark_full.tflite``; None takes it from the cache, or downloads it
            (:data:`posediff.integrations.mediapipe.weights.WEIGHTS`).

    Raises:
        FileNotFoundError: ``weights_file`` does not exist.
        ImportError: ai-edge-litert is not installed.
        RuntimeError: The weights are not there, and could not be downloaded.
        ValueError: ``num_threads`` is not a positive number, or the file holds something else.
    """

    def __init__(self, num_threads: int = 1, weights_file: str | Path | None = None) -> None:
        self._network = Network(
            weights.WEIGHTS.fetch(weights.LANDMARKS) if weights_file is None else Path(weights_file),
            INPUT_SIZE,
            ((1, 5 * NUM_OUTPUTS), (1, 1), (1, 256, 256, 1), (1, 64, 64, NUM_OUTPUTS), (1, 3 * NUM_OUTPUTS)),
            num_threads,
        )

    def __call__(self, image: np.ndarray, rois: np.ndarray) -> PersonLandmarks:
        """Read one pose in each region.

        Args:
            image: (H, W, 3) uint8, RGB.
            rois: (N, 4), N may be 0: ``rois`` of :class:`~posediff.integrations.mediapipe.detection.PersonDetections`,
                ``next_rois`` of the frame before, or
                :func:`~posediff.integrations.mediapipe.rois.rois_from_boxes`. They may reach beyond the image, whose
                border is repeated there.

        Raises:
            ValueError: The image is empty, or of another shape or dtype; an ROI is not finite or of no positive size.
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
