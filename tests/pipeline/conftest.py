"""Videos of people whose 2D keypoints are known, and a small lifter."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from posediff.geometry import Camera

LIFTER = """
_base_ = '{repository}/configs/lifting_3d/diffhpe/diffhpe-2d_27f_cmu.py'
model = dict(
    denoiser=dict(num_frames=9, channels=8, num_layers=2, step_channels=8),
    sampler=dict(_delete_=True, type='DDIMSampler'),
    test_cfg=dict(num_hypotheses=2, num_inference_steps=2),
)
"""


@pytest.fixture(scope='session')
def tiny_lifter(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> Path:
    """Config of a lifter that is built in no time and knows nothing."""
    path = tmp_path_factory.mktemp('lifter') / 'tiny.py'
    path.write_text(LIFTER.format(repository=repository))
    return path


@pytest.fixture
def grey_video(tmp_path: Path) -> Callable[..., Path]:
    """Write a video without a picture worth looking at."""
    pytest.importorskip('av')
    from posediff.video import VideoWriter

    def write(frames: int, fps: float = 25.0, name: str = 'clip.mp4', shape: tuple[int, int] = (96, 128)) -> Path:
        path = tmp_path / name
        with VideoWriter(path, fps) as writer:
            for _ in range(frames):
                writer.write(np.full((*shape, 3), 128, np.uint8))
        return path

    return write


@pytest.fixture
def save_keypoints(tmp_path: Path) -> Callable[..., Path]:
    """Write keypoints as COCO's results: lists of (frame, points (K, 2), scores (K,))."""

    def save(people: list[tuple[int, np.ndarray, np.ndarray]], name: str = 'people.json') -> Path:
        entries: list[dict[str, Any]] = [
            {
                'image_id': frame,
                'category_id': 1,
                'keypoints': np.column_stack([points, scores]).ravel().round(3).tolist(),
                'score': float(np.mean(scores)),
            }
            for frame, points, scores in people
        ]
        (tmp_path / name).write_text(json.dumps(entries))
        return tmp_path / name

    return save


@pytest.fixture
def filmed(camera_walk: np.ndarray) -> Callable[..., np.ndarray]:
    """Points (F, 17, 2) px, in H36M17's order, of somebody who walks 4 m (or as far as asked) from a camera."""

    def film(frames: int, shape: tuple[int, int] = (96, 128), depth: float = 4000.0, aside: float = 0.0) -> np.ndarray:
        length = float(max(shape))
        camera = Camera(
            focal=np.array([length, length]), center=np.array(shape[::-1]) / 2, img_shape=shape, R=np.eye(3),
            t=np.zeros(3),
        )  # fmt: skip
        walk = camera_walk[np.arange(frames) % len(camera_walk)]
        walk = walk - walk[:, :1] + [aside, 0.0, depth]
        points: np.ndarray = camera.project(walk)
        return points

    return film
