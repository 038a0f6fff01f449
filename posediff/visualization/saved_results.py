"""Videos rendered from ``poses.npz`` and the source video."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from posediff.fileio.shown_joints import read_drawn
from posediff.structures.results import PersonPose
from posediff.structures.skeletons import get_skeleton
from posediff.video import VideoFrame, VideoSource, VideoWriter
from posediff.visualization.overlay import draw_people


def frames_with_people(folder: str | Path, video: VideoSource) -> Iterator[tuple[VideoFrame, tuple[PersonPose, ...]]]:
    """Yield the frames of a video with their persons in ``poses.npz``, up to the last frame with a person."""
    results = read_drawn(Path(folder) / 'poses.npz')
    waiting = next(results, None)
    if waiting is None:
        return
    for frame in video:
        people: tuple[PersonPose, ...] = ()
        if waiting.frame_index == frame.index:
            people, waiting = waiting.people, next(results, None)
        yield frame, people
        if waiting is None:
            return


def write_overlay(folder: str | Path, video: VideoSource, score_threshold: float) -> Path:
    """Write ``overlay.mp4`` beside ``poses.npz``: the video with drawn poses, up to the last frame with a person."""
    path = Path(folder) / 'overlay.mp4'
    with np.load(Path(folder) / 'poses.npz', allow_pickle=False) as arrays:
        skeleton = get_skeleton(str(arrays['keypoint_skeleton']))
    with VideoWriter(path, video.fps) as writer:
        for frame, people in frames_with_people(folder, video):
            writer.write(draw_people(frame.image, people, skeleton, score_threshold))
    return path
