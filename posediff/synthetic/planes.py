"""Textured planes: walls, the ground, cut-out figures."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from posediff.synthetic.canvas import NEAR_MM, NEARNESS_MM, Canvas
from posediff.synthetic.vectors import cross


@dataclass(frozen=True)
class Panel:
    """A textured rectangle in the world.

    Attributes:
        corner: (3,) position of the image's top left corner, mm, world frame.
        across, down: (3,) vectors from there to its top right and bottom left corner, mm.
        image: (h, w, 3) or (h, w, 4) uint8, BGR and opacity; pixels below half opacity are transparent.
        endless: Whether the image, repeatedly mirrored, covers the whole plane.
    """

    corner: np.ndarray
    across: np.ndarray
    down: np.ndarray
    image: np.ndarray
    endless: bool = False

    def moved(self, offset: np.ndarray) -> Panel:
        """Return the panel shifted by (3,) mm."""
        return Panel(self.corner + offset, self.across, self.down, self.image, self.endless)


def draw_panel(picture: Canvas, panel: Panel, owner: int) -> None:
    """Draw a panel with depth test."""
    camera = picture.camera
    corner = camera.world_to_camera(panel.corner)
    across, down = camera.R @ panel.across, camera.R @ panel.down
    normal = cross(across, down)
    distance = float(normal @ corner)
    if abs(distance) < 1e-6 * float(np.linalg.norm(normal)):  # seen edge-on
        return
    window = _window(picture, panel, corner, across, down)
    if window is None:
        return
    rows, columns = window
    slope = (normal * (NEARNESS_MM / distance)).astype(np.float32)
    nearness = slope[0] * picture.x[:, columns] + (slope[1] * picture.y[rows] + slope[2])
    shown = (nearness > picture.nearness[rows, columns]) & (nearness < NEARNESS_MM / NEAR_MM)
    seen = np.nonzero(shown.any(1))[0]
    if not len(seen):
        return
    # Near the horizon a plane extends far beyond its image; skip hidden parts, which are slow to mirror.
    used = slice(int(seen[0]), int(seen[-1]) + 1)
    rows, nearness, shown = slice(rows.start + used.start, rows.start + used.stop), nearness[used], shown[used]
    height, width = panel.image.shape[:2]
    # Maps window coordinates to coordinates of the panel's image, with pixel centres at integers.
    to_ray = np.array([
        [1 / camera.focal[0], 0, (columns.start + picture.jitter[0] - camera.center[0]) / camera.focal[0]],
        [0, 1 / camera.focal[1], (rows.start + picture.jitter[1] - camera.center[1]) / camera.focal[1]],
        [0, 0, 1],
    ])  # fmt: skip
    to_panel = np.linalg.inv(np.stack([across / width, down / height, corner], axis=1)) @ to_ray
    to_panel = np.array([[1, 0, -0.5], [0, 1, -0.5], [0, 0, 1]]) @ to_panel
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    border = cv2.BORDER_REFLECT if panel.endless else cv2.BORDER_CONSTANT
    colors = cv2.warpPerspective(panel.image, to_panel, shown.shape[::-1], flags=flags, borderMode=border)
    if colors.shape[2] == 4:
        shown &= colors[..., 3] > 127
    cv2.copyTo(np.ascontiguousarray(colors[..., :3]), shown.view(np.uint8), picture.color[rows, columns])
    np.copyto(picture.nearness[rows, columns], nearness, where=shown)
    np.copyto(picture.owner[rows, columns], np.int16(owner), where=shown)


def _window(
    picture: Canvas, panel: Panel, corner: np.ndarray, across: np.ndarray, down: np.ndarray
) -> tuple[slice, slice] | None:
    """Return the rows and columns that the panel may cover; None if it is outside the image or reaches the camera."""
    height, width = picture.owner.shape
    if panel.endless:
        return slice(0, height), slice(0, width)
    corners = np.stack([corner, corner + across, corner + down, corner + across + down])
    if corners[:, 2].min() < NEAR_MM:
        return None
    pixels = picture.camera.project(corners)
    left, top = np.clip(np.floor(pixels.min(0)) - 1, 0, (width, height)).astype(int)
    right, bottom = np.clip(np.ceil(pixels.max(0)) + 2, 0, (width, height)).astype(int)
    if left >= right or top >= bottom:
        return None
    return slice(top, bottom), slice(left, right)
