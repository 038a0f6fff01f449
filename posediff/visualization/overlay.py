"""Draw people into the frames of a video."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from posediff.pipeline.results import PersonPose
from posediff.skeletons import Skeleton
from posediff.visualization.drawing import joint_colors

FAINT = 0.35
"""Opacity of what was scored below the threshold."""


def draw_people(
    image: np.ndarray, people: Sequence[PersonPose], skeleton: Skeleton, score_threshold: float = 0.3
) -> np.ndarray:
    """Draw keypoints, segments and track ids.

    Args:
        image: (H, W, 3) uint8, red first.
        people: Of the frame; those not observed are left out.
        skeleton: Of their keypoints.
        score_threshold: Keypoints scored below are faint.

    Returns:
        A new image of the same shape.
    """
    import cv2

    sure, unsure = image.copy(), image.copy()
    size = max(image.shape[:2])
    width, radius = max(1, round(size / 500)), max(2, round(size / 320))
    colors = [rgb(color) for color in joint_colors(skeleton)]
    for person in people:
        if not person.observed:
            continue
        points = np.round(person.keypoints_2d).astype(int)
        strong = person.keypoint_scores >= score_threshold
        for child, parent in skeleton.segments:
            layer = sure if strong[child] and strong[parent] else unsure
            cv2.line(layer, points[parent].tolist(), points[child].tolist(), colors[child], width, cv2.LINE_AA)
        for joint, point in enumerate(points):
            layer = sure if strong[joint] else unsure
            cv2.circle(layer, point.tolist(), radius, colors[joint], -1, cv2.LINE_AA)
            cv2.circle(layer, point.tolist(), radius, (255, 255, 255), 1, cv2.LINE_AA)
        _label(sure, person, size)
    changed = (unsure != image).any(-1) & (sure == image).all(-1)
    sure[changed] = (FAINT * unsure[changed] + (1 - FAINT) * image[changed]).astype(np.uint8)
    return sure


def _label(image: np.ndarray, person: PersonPose, size: int) -> None:
    import cv2

    left, top, right, bottom = (round(float(side)) for side in person.box)
    scale, thick = size / 1400, max(1, round(size / 900))
    cv2.rectangle(image, (left, top), (right, bottom), (200, 200, 200), 1, cv2.LINE_AA)
    text = f'{person.track_id}'
    (width, height), base = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, thick)
    cv2.rectangle(image, (left, top), (left + width + base, top + height + 2 * base), (60, 60, 60), -1)
    place = (left + base // 2, top + height + base)
    cv2.putText(image, text, place, cv2.FONT_HERSHEY_SIMPLEX, scale, (255, 255, 255), thick, cv2.LINE_AA)


def rgb(color: str) -> tuple[int, int, int]:
    """From ``#RRGGBB``."""
    red, green, blue = (int(color[place : place + 2], 16) for place in (1, 3, 5))
    return red, green, blue
