"""Other people in the crop."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Any

import numpy as np

from posediff.datasets.transforms.random_clip import RandomClipTransform, inside_picture
from posediff.fileio.images import read_image
from posediff.registry import TRANSFORMS
from posediff.structures.argument_checks import require_finite

# Draws of a person of another video before the transform gives up: with one video there is none.
_TRIES = 4
# The mask is |x|^p + |y|^p <= 1: an ellipse at 2; more shows heads and feet, and more background in the corners.
_ROUNDNESS = 3
# Width of the mask's soft edge, as a share of half the patch.
_EDGE = 0.15


@TRANSFORMS.register_module()
class PasteOtherPerson(RandomClipTransform):
    """Paste a person of another video at the left or right of the crop; runs after ``TopdownAffine``.

    The patch is a rounded mask with a soft edge that touches the sides of the other person's box: it shows that person
    and some background. It is one still that moves with constant velocity over the frames, in front of the target. It
    is no segmented person, its limbs do not move, its colours are not fitted to the picture, and it is never behind
    the target. Nothing is pasted outside of the picture.

    The joints of the target keep their labels, covered ones too.

    The other person is one of ``results['people']`` in ``results['dataset']``, the source of the clip: one that the
    dataset itself has as an item, so that no held-out person is pasted. ``img_path`` of its record is read. If every
    draw is of the same folder of frames as the target, nothing is pasted.

    Args:
        prob: Probability, in [0, 1].
        height: Range of the patch's height as a share of the crop's, in [0.1, 3].
        max_cover: Largest share of the target that the patch's box covers in any frame, in [0, 1]. The target is the
            box of its annotated joints inside the crop. The share of the frame with the deepest cover is drawn
            uniformly from a quarter of this value to the whole; the rounded mask covers less.
        max_speed: Largest movement from frame to frame, as a share of the crop's width, in [0, 1]; a fifth of it
            vertically.

    Raises:
        ValueError: An argument is out of range.
    """

    keeps_border = False  # the patch is masked instead

    def __init__(
        self,
        prob: float = 0.2,
        height: Sequence[float] = (0.5, 1.1),
        max_cover: float = 0.5,
        max_speed: float = 0.04,
    ) -> None:
        super().__init__(prob)
        owner = type(self).__name__
        self.height = self.interval('height', height, 0.1, 3)
        require_finite(owner, {'max_cover': max_cover, 'max_speed': max_speed}, least=0, most=1)
        self.max_cover = max_cover
        self.max_speed = max_speed

    def change(self, frames: list[np.ndarray], results: dict[str, Any]) -> list[np.ndarray]:
        target = joints_box(results, frames[0].shape[:2])
        other = draw_other(results)
        if target is None or other is None:
            return frames
        crop_height, crop_width = frames[0].shape[:2]
        patch = scaled_person(other, round(np.random.uniform(*self.height) * crop_height), 2 * crop_width)
        if patch is None:
            return frames
        height, width = patch.shape[:2]
        times = np.arange(len(frames)) - len(frames) // 2
        steps = np.random.uniform(-1, 1, 2) * self.max_speed * crop_width * (1, 0.2)
        moves = times[:, None] * steps
        # The patch's inner side is at most this far inside the target, so it covers at most this share of its box.
        depth = np.random.uniform(0.25, 1) * self.max_cover * (target[2] - target[0])
        if np.random.rand() < 0.5:
            left = target[0] + depth - width - moves[:, 0].max()
        else:
            left = target[2] - depth - moves[:, 0].min()
        middle = (target[1] + target[3]) / 2 + np.random.uniform(-0.15, 0.15) * crop_height
        corners = moves + (left, middle - height / 2)
        # Rounded away from the target, whose share would grow otherwise.
        columns = np.floor(corners[:, 0]) if left + width / 2 < (target[0] + target[2]) / 2 else np.ceil(corners[:, 0])
        rows = np.rint(corners[:, 1])
        opacity = rounded_mask(height, width)
        inside = inside_picture(frames) > 0
        return [
            pasted(frame, patch, opacity, inside, int(column), int(row))
            for frame, column, row in zip(frames, columns, rows)
        ]


def joints_box(results: dict[str, Any], size: tuple[int, int]) -> np.ndarray | None:
    """Return the box of the annotated joints inside a crop: (x1, y1, x2, y2) px; None if there is none.

    Args:
        results: With ``transformed_keypoints`` and ``keypoints_visible`` of one person.
        size: Height and width of the crop.
    """
    visible = results['keypoints_visible'][0]
    labelled = (visible if visible.ndim == 1 else visible[:, 0]) > 0
    joints = results['transformed_keypoints'][0, labelled, :2]
    limits = np.array([size[1] - 1, size[0] - 1])
    joints = joints[((joints >= 0) & (joints <= limits)).all(axis=1)]
    return np.concatenate([joints.min(axis=0), joints.max(axis=0)]) if len(joints) else None


def draw_other(results: dict[str, Any]) -> dict[str, Any] | None:
    """Return the record of a random person of another video of the dataset; None if no draw is of another."""
    source, people = results['dataset'], results['people']
    paths = results['img_path']
    folder = PurePosixPath(paths if isinstance(paths, str) else paths[0]).parent
    for _ in range(_TRIES):
        record: dict[str, Any] = source.get_data_info(int(people[np.random.randint(len(people))]))
        if PurePosixPath(record['img_path']).parent != folder:
            return record
    return None


def scaled_person(record: dict[str, Any], height: int, max_width: int) -> np.ndarray | None:
    """Return the picture in a person's box, scaled to a height: (height, w, 3) uint8; None if the box has no pixel.

    Args:
        record: With ``img_path``, and ``bbox`` (1, 4) px as x1, y1, x2, y2.
        height: In px, at least 1.
        max_width: A wider person is scaled to this width instead, in px.
    """
    import cv2  # imported here because lifting runs without OpenCV

    image = read_image(record['img_path'])
    limits = np.array([image.shape[1], image.shape[0]] * 2)
    x1, y1, x2, y2 = np.clip(np.rint(record['bbox'][0]), 0, limits).astype(int)
    if x2 <= x1 or y2 <= y1:
        return None
    scale = min(height / (y2 - y1), max_width / (x2 - x1))
    size = max(round((x2 - x1) * scale), 1), max(round((y2 - y1) * scale), 1)
    shrinks = scale < 1
    return cv2.resize(image[y1:y2, x1:x2], size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)


def rounded_mask(height: int, width: int) -> np.ndarray:
    """Return the opacity of a patch: (height, width, 1) float32, 0 in the corners, soft edge."""
    y = (np.arange(height, dtype=np.float32) + 0.5) / height * 2 - 1
    x = (np.arange(width, dtype=np.float32) + 0.5) / width * 2 - 1
    radius = (np.abs(y[:, None]) ** _ROUNDNESS + np.abs(x) ** _ROUNDNESS) ** (1 / _ROUNDNESS)
    return np.clip((1 - radius) / _EDGE, 0, 1)[..., None]


def pasted(
    frame: np.ndarray, patch: np.ndarray, opacity: np.ndarray, inside: np.ndarray, column: int, row: int
) -> np.ndarray:
    """Return a copy of a frame with a patch blended in.

    Args:
        frame: (H, W, 3) uint8.
        patch: (h, w, 3) uint8.
        opacity: (h, w, 1) float32, in [0, 1].
        inside: (H, W) bool, where pixels may change.
        column, row: Of the patch's upper left corner in the frame; parts outside of the frame are left out.
    """
    height, width = patch.shape[:2]
    top, bottom = max(row, 0), min(row + height, frame.shape[0])
    left, right = max(column, 0), min(column + width, frame.shape[1])
    result = frame.copy()
    if top >= bottom or left >= right:
        return result
    part = slice(top - row, bottom - row), slice(left - column, right - column)
    region = slice(top, bottom), slice(left, right)
    weight = opacity[part] * inside[region][..., None]
    below = frame[region].astype(np.float32)
    result[region] = np.rint(below + weight * (patch[part] - below)).astype(np.uint8)
    return result
