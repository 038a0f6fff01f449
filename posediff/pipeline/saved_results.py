"""What is made of ``poses.npz`` afterwards: pictures, and files for other programs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from posediff.export import Motion, export_motion
from posediff.pipeline.pose_reader import read_results
from posediff.pipeline.results import PersonPose
from posediff.skeletons import get_skeleton
from posediff.video import VideoFrame, VideoSource, VideoWriter
from posediff.visualization.overlay import draw_people


def frames_with_people(folder: str | Path, video: VideoSource) -> Iterator[tuple[VideoFrame, tuple[PersonPose, ...]]]:
    """Frames of a video with the people that ``poses.npz`` has in them, if any, up to the last one with somebody."""
    results = read_results(Path(folder) / 'poses.npz')
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
    """Write ``overlay.mp4`` beside ``poses.npz``: the video with people drawn in, up to the last frame with one."""
    path = Path(folder) / 'overlay.mp4'
    with np.load(Path(folder) / 'poses.npz', allow_pickle=False) as arrays:
        skeleton = get_skeleton(str(arrays['keypoint_skeleton']))
    with VideoWriter(path, video.fps) as writer:
        for frame, people in frames_with_people(folder, video):
            writer.write(draw_people(frame.image, people, skeleton, score_threshold))
    return path


def export_tracks(folder: str | Path, formats: str) -> list[Path]:
    """Write every person of ``poses.npz`` in other formats, ``track<id>.<format>``.

    Frames without the person, or without their place, are gaps, which BVH cannot have: straight lines cross them there,
    and the file beside says which frames they are. A person whose place is never known is written relative to the root
    joint.

    Raises:
        ValueError: A format is unknown; see also :func:`posediff.export.export_motion`.
    """
    written = []
    with np.load(Path(folder) / 'poses.npz', allow_pickle=False) as arrays:
        skeleton, fps = get_skeleton(str(arrays['skeleton'])), float(arrays['fps'])
        frames, tracks, observed = arrays['frame_index'], arrays['track_id'], arrays['observed']
        joints, roots = arrays['joints_3d'], arrays['root_position']
    for track in np.unique(tracks).tolist():
        own = tracks == track
        placed = own & np.isfinite(roots).all(-1)
        absolute = bool(placed.any())
        rows = np.flatnonzero(placed if absolute else own)
        first, count = int(frames[rows[0]]), int(frames[rows[-1]] - frames[rows[0]]) + 1
        path = np.full((count, *joints.shape[1:]), np.nan)
        seen = np.zeros(count, bool)
        path[frames[rows] - first], seen[frames[rows] - first] = joints[rows], observed[rows]
        if absolute:
            path[frames[rows] - first] += roots[rows, None]
        motion = Motion(path, skeleton, fps, absolute=absolute, track_id=track, observed=seen)
        options = {'bvh': {'gaps': 'interpolate'}} if 'bvh' in map(str.strip, formats.split(',')) else {}
        written += export_motion(motion, Path(folder) / f'track{track}', formats, options)
    return written
