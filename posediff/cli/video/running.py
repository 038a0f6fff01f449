"""Run of the pipeline over a video, with a progress bar and an orderly stop on Ctrl-C."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterable
from dataclasses import replace

from tqdm import tqdm

from posediff.pipeline import VideoPoseInferencer
from posediff.pipeline.live import LiveResults
from posediff.pipeline.pose_log import PoseLog
from posediff.pipeline.pose_writer import PoseWriter
from posediff.pipeline.video_run import VideoRun
from posediff.structures.results import FrameResult
from posediff.video import LiveVideo, VideoSource


def infer(
    inferencer: VideoPoseInferencer,
    video: VideoSource,
    writer: PoseWriter,
    max_frames: int | None,
    log: PoseLog | None,
) -> tuple[bool, VideoRun]:
    """Process the video and add each frame's result to the writer.

    Returns:
        Whether the run was not stopped by Ctrl-C, and the run.
    """
    expected = video.num_frames if max_frames is None else min(max_frames, video.num_frames or max_frames)
    with StopRequest() as request:
        run = inferencer(video, max_frames, request, log)
        results: Iterable[FrameResult] = run
        if isinstance(video, LiveVideo):
            results, expected = LiveResults(results), None
        bar = tqdm(results, 'people', expected, unit='frame', disable=None)
        for result in bar:
            writer.add(result)
            if isinstance(video, LiveVideo):
                bar.set_postfix(left_out=video.left_out, refresh=False)
    if isinstance(video, LiveVideo) and isinstance(results, LiveResults):
        writer.header = replace(writer.header, fps=results.fps or video.fps)
        writer.header.facts['live'] = {'video_fps': video.fps, 'frames_left_out': video.left_out}
    if request():
        sys.stderr.write(f'\nstopped after {writer.num_frames} frames; --resume continues\n')
    return not request(), run


class StopRequest:
    """A context manager that handles SIGINT as a request to stop, so that frames read so far are lifted and written.

    Calling it returns whether a stop was requested. A second SIGINT raises ``KeyboardInterrupt``.
    """

    def __init__(self) -> None:
        self._is_requested = False

    def __call__(self) -> bool:
        return self._is_requested

    def __enter__(self) -> StopRequest:
        self._before = signal.signal(signal.SIGINT, self._take)
        return self

    def __exit__(self, *_: object) -> None:
        signal.signal(signal.SIGINT, self._before)

    def _take(self, *_: object) -> None:
        if self._is_requested:
            raise KeyboardInterrupt
        self._is_requested = True
