"""Where solids and panels are drawn: colour, depth and owner of every pixel at one instant."""

from __future__ import annotations

import numpy as np

from posediff.geometry.cameras import Camera

NEAR_MM = 250.0  # what is nearer to the camera is not drawn
NEARNESS_MM = 1000.0  # unit of the depth buffer: it holds NEARNESS_MM / z, which is linear in the image on planes


class Picture:
    """What is drawn into: one instant, one ray per pixel.

    Attributes:
        color: (H, W, 3) uint8, BGR.
        nearness: (H, W) float32, ``NEARNESS_MM`` / z of what a pixel shows; 0 is infinitely far.
        owner: (H, W) int16, who or what it belongs to; 0 is nobody.
        x: (1, W) float32, and y: (H, 1) float32: directions (x/z, y/z) of the rays.
    """

    def __init__(self, camera: Camera, jitter: tuple[float, float] = (0.0, 0.0)) -> None:
        """``jitter`` shifts all rays by less than a pixel: pictures of several shifts average to smooth edges."""
        height, width = camera.img_shape
        self.camera = camera
        self.jitter = jitter
        self.color = np.zeros((height, width, 3), np.uint8)
        self.nearness = np.zeros((height, width), np.float32)
        self.owner = np.zeros((height, width), np.int16)
        columns, rows = np.arange(width) + jitter[0], np.arange(height) + jitter[1]
        self.x = ((columns - camera.center[0]) / camera.focal[0]).astype(np.float32)[None]
        self.y = ((rows - camera.center[1]) / camera.focal[1]).astype(np.float32)[:, None]
