"""MediaPipe's person detector, with weights from PyPI."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from posediff.detection.base import BaseDetector
from posediff.geometry.similarity import box_iou
from posediff.integrations import mediapipe
from posediff.integrations.mediapipe.rois import circle_boxes
from posediff.registry import DETECTORS
from posediff.structures.argument_checks import require_whole
from posediff.structures.component_choices import CommandLineChoice
from posediff.structures.person_boxes import PersonBoxes
from posediff.structures.video_frame import VideoFrame

IOU_THRESHOLD = 0.3
"""IoU above which boxes of two crops belong to the same person."""

MIN_CROP_SIZE = 32
"""Minimum side of a crop, px. Persons are not detectable in smaller crops, and an image of a few rows would need
hundreds of them."""


@DETECTORS.register_module()
class MediaPipeDetector(BaseDetector):
    """MediaPipe's person detector (:class:`posediff.integrations.mediapipe.PoseDetectionNetwork`) at several scales.

    The network's input is 224×224 px, in which distant persons are too small. It therefore also runs on overlapping
    square crops with the length of the image's shorter side, on crops half as large, and so on.

    Args:
        levels: Number of scales. 1: the whole image only; 2: also the square crops; 3: also crops half as large; and so
            on. Each crop costs as much as the whole image.
        score_threshold, iou_threshold, num_threads: See
            :class:`posediff.integrations.mediapipe.PoseDetectionNetwork`.
    """

    command_line = (
        CommandLineChoice(
            'mediapipe',
            "MediaPipe's person detector",
            options={
                'levels': 'number of image scales; each finds smaller persons',
                'score_threshold': 'discard persons with a lower score',
            },
        ),
    )

    def __init__(
        self, levels: int = 2, score_threshold: float = 0.5, iou_threshold: float = 0.3, num_threads: int = 1
    ) -> None:
        require_whole(type(self).__name__, {'levels': levels}, 1)
        self.levels = levels
        self.detector = mediapipe.PoseDetectionNetwork(score_threshold, iou_threshold, num_threads)

    def __call__(self, frames: Sequence[VideoFrame]) -> list[PersonBoxes]:
        return [self._find(frame.image) for frame in frames]

    def _find(self, image: np.ndarray) -> PersonBoxes:
        rois, scores = np.zeros((0, 4)), np.zeros(0, np.float32)
        for left, top, side_x, side_y in search_crops(image.shape[:2], self.levels):
            found = self.detector(image[top : top + side_y, left : left + side_x])
            rois = np.concatenate([rois, found.rois + [left, top, 0, 0]])
            scores = np.concatenate([scores, found.scores])
        kept = _box_nms(circle_boxes(rois), scores)
        height, width = image.shape[:2]
        boxes = np.clip(circle_boxes(rois[kept]), 0, [width, height, width, height]).astype(np.float32)
        inside = (boxes[:, 2:] > boxes[:, :2]).all(-1)
        return PersonBoxes(boxes[inside], scores[kept][inside], rois[kept][inside].astype(np.float32))


def search_crops(img_shape: tuple[int, int], levels: int) -> Iterator[tuple[int, int, int, int]]:
    """Yield (left, top, width, height) px of the whole image, then of square crops that overlap by half or more.

    Args:
        img_shape: (h, w) px of the image.
        levels: Number of scales, see :class:`MediaPipeDetector`.
    """
    height, width = img_shape
    yield 0, 0, width, height
    for level in range(levels - 1):
        side = min(height, width) // 2**level
        if side < MIN_CROP_SIZE:
            return
        places = [(left, top) for top in _starts(height, side) for left in _starts(width, side)]
        if len(places) > 1:
            yield from ((left, top, side, side) for left, top in places)


def _starts(length: int, side: int) -> list[int]:
    count = int(np.ceil(2 * (length - side) / side)) + 1
    return np.linspace(0, length - side, count).round().astype(int).tolist()


def _box_nms(boxes: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Return the rows kept by non-maximum suppression, best score first."""
    overlap, kept = box_iou(boxes, boxes), list[int]()
    for row in np.argsort(-scores, kind='stable').tolist():
        if (overlap[row, kept] <= IOU_THRESHOLD).all():
            kept.append(row)
    return np.array(kept, dtype=int)
