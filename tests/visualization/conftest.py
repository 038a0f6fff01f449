"""Result files of people who walk side by side, without a run."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path

import numpy as np
import pytest

from posediff.pipeline.pose_writer import PosesHeader, PoseWriter
from posediff.structures.results import FrameResult, PersonPose
from posediff.structures.skeletons import CMU17, COCO17
from posediff.video import VideoSource, VideoWriter, open_video

SaveResults = Callable[..., Path]
HEIGHT, WIDTH, FPS = 96, 128, 25.0


@pytest.fixture
def video(tmp_path_factory: pytest.TempPathFactory) -> VideoSource:
    """Ten grey frames; frame n has the value 20 n."""
    path = tmp_path_factory.mktemp('video') / 'clip.mp4'
    with VideoWriter(path, FPS) as writer:
        for frame in range(10):
            writer.write(np.full((HEIGHT, WIDTH, 3), 20 * frame, np.uint8))
    return open_video(path)


@pytest.fixture
def save_results(walker, tmp_path: Path) -> SaveResults:
    """Return a function that writes poses.npz and poses.json of ``people`` 1 m apart, 5 m away.

    They are in all ``frames`` except ``nobody_in``.

    Poses of ``filled`` are not observed, root positions of ``lost`` are unknown, joints ``unseen`` are never observed.
    """

    def save(
        frames: int = 8,
        people: int = 2,
        *,
        nobody_in: Collection[int] = (),
        filled: Collection[int] = (),
        lost: Collection[int] = (),
        video: str = 'clip.mp4',
        size: float = 1.0,
        unseen: Collection[int] = (),
        seen_joints_only: bool = False,
    ) -> Path:
        camera = {'focal': [128.0, 128.0], 'center': [WIDTH / 2, HEIGHT / 2], 'source': 'assumed'}
        header = PosesHeader(COCO17, CMU17, FPS, (HEIGHT, WIDTH), {'video': video, 'camera': camera})
        writer = PoseWriter(tmp_path, header, seen_joints_only=seen_joints_only)
        # z up, metres, to camera axes, mm
        walks = [1000 * size * walker(frames, seed=track)[..., [1, 2, 0]] * [1, -1, 1] for track in range(people)]
        for frame in range(frames):
            present = () if frame in nobody_in else range(people)
            writer.add(FrameResult(frame, frame / FPS, tuple(
                PersonPose(
                    track, track not in filled, np.float32([10, 10, 50, 90]),
                    np.full((17, 2), 40.0, np.float32), np.ones(17, np.float32),
                    (walks[track][frame] - walks[track][frame, :1]).astype(np.float32),
                    np.linspace(10, 90, 17, dtype=np.float32),
                    np.float32([np.nan] * 3) if track in lost else np.float32([1000 * track + 40 * frame, 300, 5000]),
                    np.array([track not in filled and joint not in unseen for joint in range(17)]), track not in lost,
                    joints_3d_radius_90=np.linspace(30, 190, 17, dtype=np.float32),
                )
                for track in present
            )))  # fmt: skip
        writer.finish()
        return tmp_path

    return save
