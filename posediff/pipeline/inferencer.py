"""The video pipeline as one object."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from posediff.models.estimator import PoseDiffusionEstimator
from posediff.pipeline.components import VideoComponents
from posediff.pipeline.description import VideoDescription
from posediff.pipeline.pose_log import PoseLog
from posediff.pipeline.pose_writer import PosesHeader
from posediff.pipeline.video_run import VideoRun
from posediff.video import VideoSource


@dataclass(frozen=True)
class VideoPoseInferencer(VideoDescription):
    """A pipeline that detects, tracks, lifts and smooths the persons in videos, in bounded memory.

    ``for result in VideoPoseInferencer()(video)`` yields one :class:`~posediff.structures.results.FrameResult` per
    frame, in order, once it is final: about one window of the lifter and one batch behind the video. Several videos can
    be processed at the same time. The state of the global random generators does not change.

    The arguments are those of :class:`~posediff.pipeline.description.VideoDescription`. Each call creates a
    :class:`~posediff.pipeline.video_run.VideoRun`.

    Attributes:
        components: The built components.

    Raises:
        KeyError, ValueError, FileNotFoundError: A component, an option or a file does not exist or is malformed.
    """

    components: VideoComponents = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, 'components', VideoComponents.build(self))

    def __call__(
        self,
        video: str | Path | VideoSource,
        max_frames: int | None = None,
        stop: Callable[[], bool] | None = None,
        log: PoseLog | None = None,
    ) -> VideoRun:
        """Start the run of a video; see :class:`~posediff.pipeline.video_run.VideoRun` for the arguments."""
        return VideoRun(self.components, video, max_frames, stop, log)

    @property
    def model(self) -> PoseDiffusionEstimator:
        """The lifter."""
        return self.components.model

    def header(self, video: VideoSource) -> PosesHeader:
        """Return the header of the result files of a video."""
        return self.components.header(video)
