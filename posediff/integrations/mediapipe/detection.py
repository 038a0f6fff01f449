"""MediaPipe's person detector."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.special import expit

from posediff.integrations.mediapipe import weights
from posediff.integrations.mediapipe.network import Network
from posediff.integrations.mediapipe.rois import check_image, circle_boxes, crop_roi, rois_from_circles
from posediff.integrations.mediapipe.ssd import anchor_centers, decode_boxes, weighted_nms
from posediff.structures.argument_checks import require_finite

INPUT_SIZE = 224
NUM_POINTS = 4
SCORE_CLIP = 100.0


@dataclass(frozen=True, eq=False)
class PersonDetections:
    """The persons in one image, best first; coordinates are in px of the image, float32, and may lie outside of it.

    Attributes:
        boxes: (N, 4) xyxy, squares around the head whose side is a fifth of the image's longer side, whatever the
            person's size. They are meant for non-maximum suppression; :attr:`person_boxes` cover the whole body.
        scores: (N,) in [0, 1].
        alignment_points: (N, 4, 2): hip centre, a point on the circle around the whole body, shoulder centre, a point
            on the circle around the upper body. The points on the circles are where the upward body axis intersects
            them.
    """

    boxes: np.ndarray
    scores: np.ndarray
    alignment_points: np.ndarray

    def __len__(self) -> int:
        return len(self.scores)

    @property
    def rois(self) -> np.ndarray:
        """(N, 4) ROI of each person, see :mod:`posediff.integrations.mediapipe.rois`."""
        return rois_from_circles(self.alignment_points[:, 0], self.alignment_points[:, 1])

    @property
    def person_boxes(self) -> np.ndarray:
        """(N, 4) xyxy, squares around the circle around the whole body; wider than an upright person.

        On five clips 99.5 % of the visible landmarks of 97 persons lie inside.
        """
        return circle_boxes(self.rois)


class PoseDetectionNetwork:
    """A person detector that finds heads and upper bodies, and predicts the position and size of the whole body.

    The image is resized to 224 px without smoothing, so only persons near the camera are detected: in a clip of two
    persons whose height is a fifth of the image's longer side, no person was detected in 14 of 46 frames.
    Detected persons are tracked better with ``next_rois`` of
    :class:`~posediff.integrations.mediapipe.landmarks.PersonLandmarks`.

    Args:
        score_threshold: Minimum score, in [0, 1]. MediaPipe uses 0.5; false detections above it occur (a table leg
            with 0.52).
        iou_threshold: Detections whose ``boxes`` have a larger IoU are merged, in [0, 1].
        num_threads: CPU threads.
        weights_file: ``pose_detection.tflite``; None: from the cache or downloaded
            (:data:`posediff.integrations.mediapipe.weights.WEIGHTS`).

    Raises:
        FileNotFoundError: ``weights_file`` does not exist.
        ImportError: ai-edge-litert is not installed.
        RuntimeError: The weights are not in the cache and could not be downloaded.
        ValueError: An option is out of range, or the file is another network.
    """

    def __init__(
        self,
        score_threshold: float = 0.5,
        iou_threshold: float = 0.3,
        num_threads: int = 1,
        weights_file: str | Path | None = None,
    ) -> None:
        thresholds = {'score_threshold': score_threshold, 'iou_threshold': iou_threshold}
        require_finite(type(self).__name__, thresholds, 0, 1)
        self.score_threshold = score_threshold
        self.iou_threshold = iou_threshold
        self._anchor_centers = anchor_centers(INPUT_SIZE)
        num_anchors = len(self._anchor_centers)
        self._network = Network(
            weights.WEIGHTS.fetch(weights.DETECTION) if weights_file is None else Path(weights_file),
            INPUT_SIZE,
            ((1, num_anchors, 4 + 2 * NUM_POINTS), (1, num_anchors, 1)),
            num_threads,
        )

    def __call__(self, image: np.ndarray) -> PersonDetections:
        """Detect persons.

        Args:
            image: (H, W, 3) uint8, RGB, of any size and aspect ratio.

        Raises:
            ValueError: The image is empty, or has another shape or dtype.
        """
        check_image(type(self).__name__, image)
        height, width = image.shape[:2]
        letterbox = np.array([width / 2, height / 2, max(width, height), 0.0])
        crop = crop_roi(image, letterbox, INPUT_SIZE, extend_border=False)
        raw, logits = self._network(crop.astype(np.float32) / np.float32(127.5) - np.float32(1))

        scores = expit(logits[:, 0].clip(-SCORE_CLIP, SCORE_CLIP))
        sure = scores >= self.score_threshold
        boxes, points = decode_boxes(raw[sure], self._anchor_centers[sure], INPUT_SIZE)
        boxes, scores, points = weighted_nms(boxes, scores[sure], points, self.iou_threshold)

        corner, scale = letterbox[:2] - letterbox[2] / 2, letterbox[2]
        return PersonDetections(
            boxes=(boxes * scale + np.tile(corner, 2)).astype(np.float32),
            scores=scores.astype(np.float32),
            alignment_points=(points * scale + corner).astype(np.float32),
        )
