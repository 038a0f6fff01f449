"""Shadows of persons on the ground."""

from __future__ import annotations

import cv2
import numpy as np

from posediff.geometry.cameras import Camera
from posediff.structures.skeletons import CMU17
from posediff.synthetic.body import JOINT
from posediff.synthetic.scene import Scene

NEAREST_MM = 300.0  # nearer shadows are omitted
LINES = [*CMU17.segments, (JOINT['left_shoulder'], JOINT['right_shoulder']), (JOINT['left_hip'], JOINT['right_hip'])]


def cast_shadows(scene: Scene, camera: Camera, time: float) -> np.ndarray:
    """Return the fraction of direct light on the ground, (H, W) float32 in 0 to 1; meaningful on ground pixels only."""
    mask = np.zeros(scene.settings.img_shape, np.uint8)
    for person in scene.people:
        joints = person.walk.at(time)
        flat = joints - joints[:, 2:] / scene.light_direction[2] * scene.light_direction
        points = camera.world_to_camera(flat)
        if points[:, 2].min() < NEAREST_MM:
            continue
        pixels = np.clip(camera.project(points), -2000, 2000).round().astype(int)
        thickness = 130 * person.scale * camera.focal[0] / points[:, 2].mean()
        for child, parent in LINES:
            trunk = 2.0 if {child, parent} <= {JOINT['root'], JOINT['spine'], JOINT['thorax']} else 1.0
            cv2.line(mask, pixels[child].tolist(), pixels[parent].tolist(), 255, max(1, round(thickness * trunk)))
    soft = cv2.GaussianBlur(mask, (0, 0), max(1.0, 0.008 * mask.shape[0]))
    return 1 - soft.astype(np.float32) / 255
