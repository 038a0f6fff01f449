"""One call from a video to the 3D motion of the people in it."""

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
    """Detect, estimate, track, lift and smooth the people of videos, in bounded memory.

    ``for result in VideoPoseInferencer()(video)`` yields one :class:`~posediff.structures.results.FrameResult` a frame,
    in order, as soon as no later frame can change it: a window of the lifter and a batch behind the video. Any number
    of videos can be processed at a time. Building it leaves the caller's random generators as they are.

    It is a :class:`~posediff.pipeline.description.VideoDescription`, whose arguments it takes, with the
    :class:`~posediff.pipeline.components.VideoComponents` that are built from it; each call makes a
    :class:`~posediff.pipeline.video_run.VideoRun`.

    Attributes:
        components: What was built.

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
        """Begin the run of a video; for the arguments see :class:`~posediff.pipeline.video_run.VideoRun`."""
        return VideoRun(self.components, video, max_frames, stop, log)

    @property
    def model(self) -> PoseDiffusionEstimator:
        """The lifter."""
        return self.components.model

    def header(self, video: VideoSource) -> PosesHeader:
        """Return what holds for all results of a video."""
        return self.components.header(video)
