"""Small rendered clips of generated motion."""

from __future__ import annotations

import cv2
import pytest

from posediff.synthetic.motion_source import GeneratedMotion
from posediff.synthetic.rendering import Frame, render
from posediff.synthetic.scene import ClipSettings, Scene
from posediff.synthetic.scene_drawing import draw_scene

SMALL = ClipSettings(seed=3, frames=3, img_shape=(96, 128), subframes=1)


@pytest.fixture(scope='session')
def small_settings() -> ClipSettings:
    return SMALL


@pytest.fixture(scope='session')
def clips() -> list[tuple[Scene, list[Frame]]]:
    """Render six clips of three frames, with one to five people each."""
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    scenes = [draw_scene(GeneratedMotion(SMALL.seed), SMALL, 'train', index) for index in range(6)]
    rendered = [(scene, list(render(scene))) for scene in scenes]
    cv2.setNumThreads(threads)
    return rendered
