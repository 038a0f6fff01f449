"""Read image files."""

from __future__ import annotations

import numpy as np


def read_image(path: str) -> np.ndarray:
    """Decode an image file to (H, W, 3) uint8 BGR.

    Raises:
        FileNotFoundError: The file does not exist.
        ValueError: The file is damaged or not an image.
    """
    import cv2  # imported here because lifting runs without OpenCV

    try:
        content = np.fromfile(path, np.uint8)
    except FileNotFoundError:
        raise FileNotFoundError(f'image {path} does not exist') from None
    image = cv2.imdecode(content, cv2.IMREAD_COLOR) if len(content) else None
    if image is None:
        raise ValueError(f'{path} is not a readable image (truncated?): {len(content)} bytes')
    return image
