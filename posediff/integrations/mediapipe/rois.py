"""Regions of interest (ROIs): the rotated squares around persons that MediaPipe's networks use.

An ROI is a row (x, y, size, rotation): centre and side in px, and the clockwise angle in rad of the person in the image
relative to upright. Points in an ROI are (u, v): (0, 0) at its top left corner, (1, 1) at the opposite one, with the
person upright. Pixel coordinates are MediaPipe's: the value at row i, column j of an image or crop is at (j, i), and
the image ends at (W, H).
"""

from __future__ import annotations

import numpy as np

MARGIN = 1.25
"""Size of ROIs relative to the circle around the person, as in the training of MediaPipe's pose network."""


def rois_from_circles(centers: np.ndarray, rims: np.ndarray) -> np.ndarray:
    """Return the ROIs of persons given as circles, each by its centre and the rim point above the upright person.

    MediaPipe's two alignment points have this form: the hip centre, and the point above the head on the circle around
    the whole body with arms and legs stretched out.

    Args:
        centers, rims: (N, 2) px.

    Returns:
        (N, 4) float64; side 2.5 times the radius, rotation in [-π, π).
    """
    centers, rims = np.asarray(centers, np.float64), np.asarray(rims, np.float64)
    towards = rims - centers
    size = 2 * MARGIN * np.hypot(towards[:, 0], towards[:, 1])
    rotation = np.pi / 2 - np.arctan2(-towards[:, 1], towards[:, 0])
    rotation = rotation - 2 * np.pi * np.floor((rotation + np.pi) / (2 * np.pi))
    return np.column_stack([centers, size, rotation])


def rois_from_boxes(boxes: np.ndarray) -> np.ndarray:
    """Return upright ROIs (N, 4) around person boxes (N, 4) xyxy px from another detector."""
    boxes = np.asarray(boxes, np.float64).reshape(-1, 4)
    sides = boxes[:, 2:] - boxes[:, :2]
    size = MARGIN * sides.max(axis=1)
    return np.column_stack([(boxes[:, :2] + boxes[:, 2:]) / 2, size, np.zeros(len(boxes))])


def circle_boxes(rois: np.ndarray) -> np.ndarray:
    """Return boxes (N, 4) xyxy px around the circles of ROIs (N, 4); not clipped to the image."""
    rois = np.asarray(rois, np.float64).reshape(-1, 4)
    radius = rois[:, 2:3] / (2 * MARGIN)
    return np.concatenate([rois[:, :2] - radius, rois[:, :2] + radius], axis=1)


def roi_to_image(rois: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Map points (u, v) in ROIs (N, 4), of shape (N, K, 2) or (K, 2) for all ROIs, to px of the image (N, K, 2)."""
    rois = np.asarray(rois, np.float64).reshape(-1, 4)
    return rois[:, None, :2] + rois[:, None, 2:3] * (np.asarray(points) - 0.5) @ rotations(rois).swapaxes(1, 2)


def rotations(rois: np.ndarray) -> np.ndarray:
    """Return matrices (N, 2, 2) that rotate directions (x, y) from the ROI to the image."""
    cos, sin = np.cos(rois[:, 3]), np.sin(rois[:, 3])
    return np.stack([np.stack([cos, -sin], axis=-1), np.stack([sin, cos], axis=-1)], axis=-2)


def crop_roi(image: np.ndarray, roi: np.ndarray, crop_size: int, *, extend_border: bool) -> np.ndarray:
    """Crop one ROI, rotated upright.

    Args:
        image: (H, W, 3) uint8.
        roi: (4,) x, y, size, rotation, see the module.
        crop_size: Side of the crop, px.
        extend_border: Pad with the border of the image; otherwise with black.

    Returns:
        (crop_size, crop_size, 3) uint8, sampled bilinearly, without smoothing on downscaling, as in MediaPipe.
    """
    import cv2  # imported here because lifting runs without OpenCV

    roi = np.asarray(roi, np.float64)
    linear = rotations(roi[None])[0] * (roi[2] / crop_size)
    to_image = np.column_stack([linear, roi[:2] - linear @ np.full(2, crop_size / 2)])
    return cv2.warpAffine(
        np.ascontiguousarray(image),
        to_image,
        (crop_size, crop_size),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE if extend_border else cv2.BORDER_CONSTANT,
    )


def check_image(owner: str, image: np.ndarray) -> None:
    """Check that an image is (H, W, 3) uint8 with H and W at least 1.

    Raises:
        ValueError: It is not; the message says what was given.
    """
    is_array = isinstance(image, np.ndarray)
    if not is_array or image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or image.size == 0:
        given = f'shape {image.shape}, dtype {image.dtype}' if is_array else type(image).__name__
        raise ValueError(f'{owner}: the image must be an array (H, W, 3) uint8, RGB, not empty; got {given}')


def check_rois(owner: str, rois: np.ndarray) -> np.ndarray:
    """Return the ROIs as (N, 4) float64.

    Raises:
        ValueError: They have another shape, are not finite, or one has no positive size.
    """
    checked = np.asarray(rois, np.float64)
    if checked.ndim != 2 or checked.shape[1] != 4:
        raise ValueError(f'{owner}: rois must be (N, 4): x, y, size in px, rotation; got shape {checked.shape}')
    wrong = ~(np.isfinite(checked).all(axis=1) & (checked[:, 2] > 0))
    if wrong.any():
        number = int(np.flatnonzero(wrong)[0])
        raise ValueError(f'{owner}: roi {number} must be finite and of positive size, got {checked[number].tolist()}')
    return checked
