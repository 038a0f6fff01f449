"""Drawing of persons into the frames of a video."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from posediff.structures.results import PersonPose
from posediff.structures.skeletons import Skeleton
from posediff.visualization.drawing import joint_colors
from posediff.visualization.scene_layout import PERSON_COLORS

FAINT = 0.35
"""Opacity of unseen joints and segments."""


def draw_people(
    image: np.ndarray,
    people: Sequence[PersonPose],
    skeleton: Skeleton,
    score_threshold: float = 0.3,
    line_scale: float = 1.0,
    text_scale: float = 1.0,
) -> np.ndarray:
    """Draw keypoints, segments, boxes and track ids.

    Args:
        image: (H, W, 3) uint8, RGB.
        people: Persons of the frame; persons that are not observed are omitted.
        skeleton: Skeleton of the keypoints.
        score_threshold: Keypoints below this score are drawn with opacity :data:`FAINT`. So are keypoints outside the
            image, of which only the segments inside the image are visible.
        line_scale, text_scale: Factors of line widths and text sizes, which follow the size of the image.

    Returns:
        A new image of the same shape.
    """
    import cv2

    size = max(image.shape[:2])
    faint = image.copy()
    shown = [person for person in people if person.observed]
    for person in shown:
        _draw(faint, person, skeleton, score_threshold, line_scale * size, faint=True)
    drawn: np.ndarray = cv2.addWeighted(faint, FAINT, image, 1 - FAINT, 0)
    for person in shown:
        _draw(drawn, person, skeleton, score_threshold, line_scale * size, faint=False)
        _label(drawn, person, text_scale * size)
    return drawn


def _draw(
    image: np.ndarray, person: PersonPose, skeleton: Skeleton, score_threshold: float, size: float, faint: bool
) -> None:
    """Draw only the faint joints and segments, or only the others; a segment is faint if one of its ends is faint."""
    import cv2

    width, radius = max(1, round(size / 500)), max(2, round(size / 320))
    colors = [rgb(color) for color in joint_colors(skeleton)]
    points = np.round(person.keypoints_2d).astype(int)
    outside = ((person.keypoints_2d < 0) | (person.keypoints_2d > [image.shape[1], image.shape[0]])).any(-1)
    weak = (person.keypoint_scores < score_threshold) | outside
    for child, parent in skeleton.segments:
        if (weak[child] or weak[parent]) == faint:
            cv2.line(image, points[parent].tolist(), points[child].tolist(), colors[child], width, cv2.LINE_AA)
    for joint in np.flatnonzero(weak == faint).tolist():
        cv2.circle(image, points[joint].tolist(), radius, colors[joint], -1, cv2.LINE_AA)
        cv2.circle(image, points[joint].tolist(), radius, (255, 255, 255), 1, cv2.LINE_AA)


def _label(image: np.ndarray, person: PersonPose, size: float) -> None:
    """Draw the box, and the track id to its left, or to its right or inside if there is no room."""
    import cv2

    left, top, right, bottom = (round(float(side)) for side in person.box)
    text, scale, thick = f'{person.track_id}', size / 1400, max(1, round(size / 900))
    color = person_color(person.track_id)
    cv2.rectangle(image, (left, top), (right, bottom), color, max(1, round(size / 1800)), cv2.LINE_AA)
    (width, height), base = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, thick)
    width, height = width + base, height + base
    start = left - width if left >= width else right if right + width <= image.shape[1] else left
    top = min(max(top, 0), image.shape[0] - height)
    cv2.rectangle(image, (start, top), (start + width, top + height), color, -1)
    place = start + base // 2, top + height - base // 2
    cv2.putText(image, text, place, cv2.FONT_HERSHEY_SIMPLEX, scale, (255, 255, 255), thick, cv2.LINE_AA)


def person_color(track_id: int) -> tuple[int, int, int]:
    """Return the RGB colour of a person's box and label, the same in 2D and 3D."""
    return rgb(PERSON_COLORS[track_id % len(PERSON_COLORS)])


def rgb(color: str) -> tuple[int, int, int]:
    """Convert ``#RRGGBB`` to (red, green, blue), each from 0 to 255."""
    red, green, blue = (int(color[place : place + 2], 16) for place in (1, 3, 5))
    return red, green, blue
