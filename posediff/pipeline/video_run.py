"""The run of one video through the pipeline."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

from posediff.lifting import LiftingStream
from posediff.pipeline.components import VideoComponents
from posediff.pipeline.lifting_stage import LiftingStage
from posediff.pipeline.observing import Observer
from posediff.pipeline.pose_log import PoseLog
from posediff.pipeline.side_swaps import SideSwapRepair
from posediff.structures.frame_poses import FramePoses
from posediff.structures.results import FrameResult
from posediff.structures.video_frame import VideoFrame
from posediff.video import VideoSource, open_video


class VideoRun(Iterator[FrameResult]):
    """An iterator over the results of one video; it holds all state of the video.

    Args:
        components: The built components, shared with other runs.
        video: A path, a URL, or the result of :func:`posediff.video.open_video`.
        max_frames: Maximum number of frames; None: the whole video.
        stop: Called before each frame; if it returns True, reading ends and the results of the frames read so far are
            still yielded.
        log: Log of 2D poses; frames in it are not processed again, and new frames are added.

    Attributes:
        source: The opened video.
        log: The log; None without one.
        tracker: Tracker of this video.
        observer: The 2D stages.
        stream: The lifter with its noise generators.
        side_repair: Correction of swapped sides; None if disabled.
    """

    def __init__(
        self,
        components: VideoComponents,
        video: str | Path | VideoSource,
        max_frames: int | None = None,
        stop: Callable[[], bool] | None = None,
        log: PoseLog | None = None,
    ) -> None:
        described, model = components.description, components.model
        self.source = video if isinstance(video, VideoSource) else open_video(video)
        self.log = log
        self.tracker = components.new_tracker()
        batch_size = 1 if described.causal else described.batch_size
        intrinsics = described.intrinsics(self.source.img_shape)
        self.stream = LiftingStream(
            model,
            self.source.img_shape,
            skeleton=model.head.skeleton.name,  # the lifting stage converts to this skeleton
            fps=self.source.fps,
            camera=intrinsics.camera,
            num_hypotheses=described.num_hypotheses,
            num_inference_steps=described.num_inference_steps,
            seed=described.seed,
            batch_size=batch_size,
            causal=described.causal,
        )
        stage = LiftingStage(
            self.stream,
            components.pose_estimator.skeleton,
            model.head.skeleton,
            intrinsics,
            self.source.fps,
            score_threshold=components.score_threshold,
            max_gap_s=described.max_gap_s,
            fill=described.fill,
            smoother=components.smoother,
        )
        self.observer = Observer(
            components.detector,
            components.pose_estimator,
            self.tracker,
            batch_size,
            described.min_pose_score,
            first_frames=not described.causal,
        )
        self.side_repair: SideSwapRepair | None = None
        observations = self._observations(max_frames, stop)
        if described.repair_sides:
            delay_s = 0.0 if described.causal else 1.0
            self.side_repair = SideSwapRepair(components.pose_estimator.skeleton, self.source.fps, delay_s)
            observations = self.side_repair(observations)
        self._results = stage(observations)

    def __next__(self) -> FrameResult:
        return next(self._results)

    @property
    def num_side_swaps(self) -> int:
        """Number of poses so far in which swapped sides were corrected."""
        return 0 if self.side_repair is None else self.side_repair.num_swapped

    def _observations(self, max_frames: int | None, stop: Callable[[], bool] | None) -> Iterator[FramePoses]:
        """Yield the tracked 2D poses of every frame: those of the log, then new ones."""
        first = 0 if self.log is None else self.log.num_frames
        around = self.observer.estimator.frames_around
        frames: Iterator[VideoFrame] = self.source.frames(max(first - around, 0))
        if max_frames is not None:
            frames = itertools.takewhile(lambda frame: frame.index < max_frames, frames)
        if stop is not None:
            frames = itertools.takewhile(lambda _: not stop(), frames)
        poses = self.observer.estimate(frames, first, None if self.log is None else self.log.last)
        if self.log is not None:
            poses = itertools.chain(itertools.islice(self.log.read(), max_frames), self.log.record(poses))
        return self.observer.track(poses, self.source.fps)
