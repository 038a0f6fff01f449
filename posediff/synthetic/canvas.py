"""Image buffer of the renderer: colour, depth and owner of every pixel at one instant."""

from __future__ import annotations

import numpy as np

from posediff.geometry.cameras import Camera

NEAR_MM = 250.0  # near clipping distance
NEARNESS_MM = 1000.0  # the depth buffer holds NEARNESS_MM / z, which is linear in image coordinates on planes


class Canvas:
    """Render target at one instant, with one ray per pixel.

    Args:
        camera: The camera.
        jitter: Shift of all rays in x and y, less than 1 px. The average of pictures with different shifts is
            anti-aliased.

    Attributes:
        color: (H, W, 3) uint8, BGR.
        nearness: (H, W) float32, ``NEARNESS_MM`` / z of the visible surface; 0 is infinitely far.
        owner: (H, W) int16, owner of the visible surface; 0 is no owner.
        x: (1, W) float32, and y: (H, 1) float32: ray directions (x/z, y/z).
    """

    def __init__(self, camera: Camera, jitter: tuple[float, float] = (0.0, 0.0)) -> None:
        height, width = camera.img_shape
        self.camera = camera
        self.jitter = jitter
        self.color = np.zeros((height, width, 3), np.uint8)
        self.nearness = np.zeros((height, width), np.float32)
        self.owner = np.zeros((height, width), np.int16)
        columns, rows = np.arange(width) + jitter[0], np.arange(height) + jitter[1]
        self.x = ((columns - camera.center[0]) / camera.focal[0]).astype(np.float32)[None]
        self.y = ((rows - camera.center[1]) / camera.focal[1]).astype(np.float32)[:, None]
