"""Measure time per stage and peak memory of the video pipeline.

    posediff benchmark video VIDEO --frames 100 1000 10000

Each number of frames runs in its own process; a shorter video is repeated. Columns of the table:

  read … place   ms per frame of the stages; their sum is "together"
  files, s       writing of poses.npz, poses.json and viewer.html after the last frame
  pictures, s    writing of overlay.mp4 and scene.mp4
  begin, peak    largest resident memory of the process, MiB: with models loaded and one frame read, and at the end
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import torch

from posediff.cli.arguments import command_parser
from posediff.cli.provenance import provenance
from posediff.engine.command_line import add_device, one_line_errors, positive
from posediff.evaluation.tables import markdown_table
from posediff.fileio.atomic_files import atomic_write
from posediff.pipeline.components import VideoComponents
from posediff.pipeline.description import VideoDescription
from posediff.pipeline.pose_writer import PoseWriter
from posediff.pipeline.video_run import VideoRun
from posediff.registry import DETECTORS, POSE_ESTIMATORS
from posediff.structures.component_choices import component_config
from posediff.structures.results import FrameResult
from posediff.structures.video_frame import VideoFrame
from posediff.video import VideoSource
from posediff.visualization.saved_results import write_overlay
from posediff.visualization.scene import write_scene
from posediff.visualization.viewer import write_viewer

STAGES = ('read', 'detect', 'pose', 'track', 'lift', 'place', 'together')
COLUMNS = ('frames', *STAGES, 'frames a second', 'people', 'files, s', 'pictures, s', 'begin, MiB', 'peak, MiB')


def parse_args(argv: Sequence[str] | None = None, prog: str | None = None) -> argparse.Namespace:
    parser = command_parser(prog, __doc__)
    parser.add_argument('video', help='video file')
    parser.add_argument(
        '--frames',
        nargs='+',
        type=positive,
        default=[100, 1000],
        metavar='N',
        help='numbers of frames to process; default: %(default)s',
    )
    parser.add_argument(
        '--detector', default='mediapipe', metavar='NAME', help='as for posediff video; default: %(default)s'
    )
    parser.add_argument(
        '--pose', default='mediapipe', metavar='NAME', help='as for posediff video; default: %(default)s'
    )
    parser.add_argument(
        '--pose-options', nargs='+', default=[], metavar='NAME=VALUE', help='options of --pose, as for posediff video'
    )
    parser.add_argument(
        '--min-pose-score', type=float, default=0.3, metavar='SCORE', help='as for posediff video; default: %(default)s'
    )
    parser.add_argument(
        '--num-hypotheses',
        type=positive,
        metavar='M',
        help='number of poses sampled per frame; default: that of the lifting model',
    )
    parser.add_argument(
        '--threads', type=positive, metavar='N', help="CPU threads of torch's networks; default: torch's"
    )
    parser.add_argument(
        '--batch-size',
        type=positive,
        default=8,
        metavar='N',
        help='frames, and windows of the lifter, processed together; default: %(default)s',
    )
    add_device(parser)
    parser.add_argument('--no-pictures', action='store_true', help='skip overlay.mp4 and scene.mp4')
    parser.add_argument(
        '--out',
        type=Path,
        default=Path('out/benchmark_video.json'),
        metavar='FILE',
        help='JSON file for the table; default: %(default)s',
    )
    return parser.parse_args(argv)


class RepeatedVideo(VideoSource):
    """A video that is repeated until a number of frames is reached."""

    def __init__(self, name: str, num_frames: int) -> None:
        super().__init__(name)
        self.num_frames: int = num_frames

    def frames(self, start: int = 0) -> Iterator[VideoFrame]:
        count = 0
        while count < self.num_frames:
            for frame in super().frames():
                if count == self.num_frames:
                    break
                if count >= start:
                    yield replace(frame, index=count, time_s=count / self.fps)
                count += 1
        self.problem = None  # the length that the file states does not matter here


class Timed:
    """A wrapper of a callable that adds the seconds of its calls to ``seconds[stage]``."""

    def __init__(self, inner: Any, seconds: dict[str, float], stage: str) -> None:
        self._inner, self._seconds, self._stage = inner, seconds, stage

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        start = time.perf_counter()
        try:
            return self._inner(*args, **kwargs)
        finally:
            self._seconds[self._stage] += time.perf_counter() - start

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


class TimedVideo(RepeatedVideo):
    """A repeated video whose decoding time is added to ``seconds['read']``."""

    seconds: dict[str, float]

    def frames(self, start: int = 0) -> Iterator[VideoFrame]:
        step = Timed(super().frames(start).__next__, self.seconds, 'read')
        while True:
            try:
                yield step()
            except StopIteration:
                return


def measure(args: argparse.Namespace, count: int) -> dict[str, Any]:
    """Process ``count`` frames and return a row of the table; called in a new process."""
    if args.threads:
        torch.set_num_threads(args.threads)
    seconds: dict[str, float] = defaultdict(float)
    video = TimedVideo(args.video, count)
    video.seconds = seconds
    description = VideoDescription(
        detector=component_config(DETECTORS, '--detector', args.detector, None, args.device),
        pose_estimator=component_config(POSE_ESTIMATORS, '--pose', args.pose, None, args.device, args.pose_options),
        min_pose_score=args.min_pose_score,
        num_hypotheses=args.num_hypotheses,
        batch_size=args.batch_size,
        device=args.device,
    )
    built = VideoComponents.build(description)
    model = built.model
    detector: Any = Timed(built.detector, seconds, 'detect')
    pose_estimator: Any = Timed(built.pose_estimator, seconds, 'pose')
    pose_estimator.search = Timed(built.pose_estimator.search, seconds, 'pose')
    components = replace(built, detector=detector, pose_estimator=pose_estimator)
    model.sample_inputs = Timed(model.sample_inputs, seconds, 'lift')  # type: ignore[method-assign]
    run = VideoRun(components, video)
    run.tracker.update = Timed(run.tracker.update, seconds, 'track')  # type: ignore[method-assign]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        writer = PoseWriter(folder, components.header(video))
        begin = peak_memory()
        together = seconds_of(lambda: write_all(writer, run))
        seconds |= {'together': together, 'place': together - sum(seconds.values())}
        files = seconds_of(lambda: (list(writer.finish()), write_viewer(folder)))
        pictures = float('nan')
        if not args.no_pictures and writer.num_rows:
            plain = RepeatedVideo(args.video, count)
            pictures = seconds_of(lambda: (write_overlay(folder, plain, 0.3), write_scene(folder, plain, 0.3)))
    per_frame = {stage: 1000 * seconds[stage] / count for stage in STAGES}
    people = {'frames a second': count / together, 'people': writer.num_rows / count}
    work = {'files, s': files, 'pictures, s': pictures, 'begin, MiB': begin, 'peak, MiB': peak_memory()}
    return {'frames': count, **per_frame, **people, **work}


def write_all(writer: PoseWriter, results: Iterable[FrameResult]) -> None:
    """Add all results to a writer."""
    for result in results:
        writer.add(result)


def seconds_of(work: Callable[[], Any]) -> float:
    """Return the duration of a call, s."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def peak_memory() -> float:
    """Return the largest resident memory of this process so far, MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main(argv: Sequence[str] | None = None, prog: str | None = None) -> None:
    args = parse_args(argv, prog)
    rows = []
    with one_line_errors():
        VideoSource(args.video)
        for count in args.frames:
            with get_context('spawn').Pool(1) as pool:
                rows.append(pool.apply(measure, (args, count)))
        args.out.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(args.out) as draft:
            machine = {'cpus': os.cpu_count(), 'threads': args.threads or torch.get_num_threads()}
            draft.write_text(json.dumps({**provenance(args), **machine, 'rows': rows}, indent=1) + '\n')
    print(markdown_table(COLUMNS, [[row[name] for name in COLUMNS] for row in rows], digits=1))
