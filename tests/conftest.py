"""Fixtures for several test folders."""

from __future__ import annotations

import importlib
import importlib.util
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from posediff.datasets.converters.cmu import draw_clip_cameras
from posediff.datasets.mocap_files import MocapClip, save_subject
from posediff.geometry import Camera

REPOSITORY = Path(__file__).resolve().parents[1]

# Standing person that faces +x, with its left towards +y and z up; metres, joints in the order of H36M17.
STANDING = np.array([
    [0, 0, 0.95], [0, -0.1, 0.9], [0.02, -0.1, 0.5], [0, -0.1, 0.08], [0, 0.1, 0.9], [0.02, 0.1, 0.5], [0, 0.1, 0.08],
    [0, 0, 1.15], [0, 0, 1.35], [0.02, 0, 1.5], [0, 0, 1.62], [0, 0.18, 1.32], [0.05, 0.2, 1.05], [0.1, 0.2, 0.85],
    [0, -0.18, 1.32], [0.05, -0.2, 1.05], [0.1, -0.2, 0.85],
])  # fmt: skip


@pytest.fixture(scope='session')
def repository() -> Path:
    """Return the root of the checkout."""
    return REPOSITORY


@pytest.fixture(scope='session')
def load_tool() -> Callable[[str], ModuleType]:
    """Return a function that imports a file of ``tools``, given relative to it."""

    def load(name: str) -> ModuleType:
        path = REPOSITORY / 'tools' / name
        spec = importlib.util.spec_from_file_location(f'tool_{path.stem}', path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module  # dataclasses look up their module
        spec.loader.exec_module(module)
        return module

    return load


@pytest.fixture(scope='session')
def cli() -> Callable[[str], ModuleType]:
    """Return a function that imports the module of a command, given relative to ``posediff.cli``."""
    return lambda name: importlib.import_module(f'posediff.cli.{name}')


@pytest.fixture(scope='session')
def exit_code() -> Callable[[Callable[..., None], Sequence[str]], int]:
    """Return a function that calls ``main`` with arguments and returns the exit code."""

    def call(main: Callable[..., None], argv: Sequence[str]) -> int:
        try:
            main(argv)
        except SystemExit as stop:
            return int(stop.code or 0)
        return 0

    return call


WORLD_TO_CAMERA = np.array([[0.0, 1.0, 0.0], [0.0, 0.0, -1.0], [-1.0, 0.0, 0.0]])


def walking(num_frames: int, seed: int = 0) -> np.ndarray:
    """Return (F, 17, 3) metres, z up: a person gliding along a random direction, with limbs that tremble by 1 cm."""
    rng = np.random.default_rng(seed)
    path = np.linspace(0, 0.02 * num_frames, num_frames)[:, None, None] * np.append(rng.normal(size=2), 0)
    tremble = 0.01 * np.sin(np.arange(num_frames)[:, None, None] / 5 + rng.uniform(0, 6, (1, 17, 3)))
    return (STANDING + path + tremble).astype(np.float32)


def save_clips(folder: Path, subject: str, clips: dict[str, tuple[str, int]]) -> None:
    """Write a subject's file; ``clips`` maps names to action and number of frames."""
    entries = []
    for number, (name, (action, frames)) in enumerate(clips.items()):
        joints = walking(frames, seed=number)
        cameras = draw_clip_cameras(joints, name, 'wild', 2, seed=0)
        entries.append(MocapClip(name, subject, action, f'{action} around', joints, cameras))
    save_subject(folder / f'{subject}.npz', entries, fps=50.0, seed=0, preset='wild')


@pytest.fixture(scope='session')
def walker() -> Callable[..., np.ndarray]:
    """Return :func:`walking`, for tests that need their own motion."""
    return walking


@pytest.fixture(scope='session')
def camera_walk(walker: Callable[..., np.ndarray]) -> np.ndarray:
    """Return (60, 17, 3) mm, camera axes: a person that walks, 4 m away."""
    return 1000 * walker(60).astype(np.float64) @ WORLD_TO_CAMERA.T + [0.0, 1000.0, 4000.0]


@pytest.fixture(scope='session')
def mocap_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write motion files of two training subjects and the four validation subjects."""
    folder = tmp_path_factory.mktemp('cmu')
    save_clips(folder, '01', {'01_01': ('walk', 270), '01_02': ('walk', 540), '01_03': ('jump', 40)})
    save_clips(folder, '90', {'90_01': ('dance', 100)})
    for subject in ('02', '05', '29', '35'):
        save_clips(folder, subject, {f'{subject}_01': ('walk', 60), f'{subject}_02': ('jump', 20)})
    return folder


@pytest.fixture(scope='session')
def video_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Render a tiny synthetic video dataset in PoseTrack format."""
    pytest.importorskip('mmpose')
    from posediff.synthetic.generate import VideoSet, generate_videos
    from posediff.synthetic.scene import ClipSettings

    folder = tmp_path_factory.mktemp('videos') / 'synthetic'
    settings = ClipSettings(seed=1, frames=4, img_shape=(96, 128), subframes=1)
    generate_videos(folder, VideoSet(settings, {'train': 2, 'val': 2}))
    return folder


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
    """Write the config of a tiny lifter without trained weights."""
    path = tmp_path_factory.mktemp('lifter') / 'tiny.py'
    path.write_text(LIFTER.format(repository=repository))
    return path


@pytest.fixture
def grey_video(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes a uniformly grey video."""
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
    """Return a function that writes keypoints as COCO results, from lists of (frame, points (K, 2), scores (K,))."""

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
    """Return a function that projects a walking person to points (F, 17, 2) px of H36M17."""

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


@pytest.fixture(scope='session')
def real_jhmdb(reference_data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, np.ndarray]]:
    """Write the first test clip of every action in JHMDB's layout, and convert it.

    Returns:
        The root of the data set, and the joints (T, 15, 2) px, 1-based, of each test clip.
    """
    savemat = pytest.importorskip('scipy.io').savemat
    from posediff.datasets.converters.jhmdb import convert_jhmdb

    source = reference_data / 'jhmdb'
    root = tmp_path_factory.mktemp('real_jhmdb')
    (root / 'splits').mkdir()
    chosen = {}
    for clip in json.loads((source / 'annotations_px.json').read_text())['clips']:
        chosen.setdefault((clip['action'], clip['split']['1']), clip)
    actions = sorted({action for action, part in chosen if part == 'test'})
    joints = {}
    for action in actions:
        parts = {part: chosen[action, part] for part in ('train', 'test') if (action, part) in chosen}
        lines = [f'{clip["clip"]} {1 if part == "train" else 2}' for part, clip in parts.items()]
        (root / 'splits' / f'{action}_test_split1.txt').write_text('\n'.join(lines))
        for part, clip in parts.items():
            name = clip['clip'].removesuffix('.avi')
            folder = root / 'joint_positions' / action / name
            folder.mkdir(parents=True)
            annotated = np.array(clip['keypoints'])
            savemat(folder / 'joint_positions.mat', {'pos_img': annotated.transpose(2, 1, 0)})
            if part == 'test':
                joints[name] = annotated
    convert_jhmdb(root, videos=source / 'clips')
    return root, joints
