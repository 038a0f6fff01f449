"""From a video to the 3D motion of the people in it."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import posediff.engine.model_building
from posediff.assets import LIFTER_CHECKPOINT, LIFTER_CONFIG
from posediff.geometry.calibration import find_camera
from posediff.lifting import LiftingStream
from posediff.pipeline.camera_guess import Intrinsics
from posediff.pipeline.lifting_stage import LiftingStage
from posediff.pipeline.observing import Observer
from posediff.pipeline.pose_writer import PosesHeader
from posediff.pipeline.randomness import seeded_apart
from posediff.pipeline.side_swaps import SideSwapRepair
from posediff.pipeline.sightings import SightingsLog
from posediff.pipeline.video_run import VideoRun
from posediff.plugins.entry_points import load_plugins
from posediff.registry import DETECTORS, POSE_ESTIMATORS, SMOOTHERS, TRACKERS
from posediff.structures.skeleton_conversion import get_conversion
from posediff.video import VideoSource, open_video

Config = dict[str, Any]


def _tracker() -> Config:
    return {'type': 'PoseTracker'}


@dataclass
class VideoPoseInferencer:
    """Detect, estimate, track, lift, smooth: the whole way from frames to people in 3D, in bounded memory.

    ``for result in VideoPoseInferencer()(video)`` yields one :class:`~posediff.structures.results.FrameResult` a frame,
    in order, as soon as nothing will change it: a window of the lifter and a batch behind the video. Any number of
    videos can be on their way at a time. Building it leaves the caller's random generators as they are.

    Attributes:
        detector, pose_estimator, tracker: Configs of components, ``{'type': …}``.
        lifter: Config file and checkpoint of a lifting model; ``'random'`` for random weights.
        smoother: Config of one, or None.
        num_hypotheses, num_inference_steps: Of the lifter; None: its config's.
        score_threshold: Keypoints scored below are not seen.
        min_pose_score: Poses whose mean keypoint score is below are nobody's.
        max_gap_s: A person who was missed for no longer is lifted across the gap.
        fill: Give frames in such gaps too, marked as not observed.
        repair_sides: Put left and right right where the estimator swaps them for a while
            (:mod:`posediff.pipeline.side_swaps`).
        focal: Focal length in px; None: assumed (:mod:`posediff.pipeline.camera_guess`).
        calibration: File of calibrated cameras, and which of them filmed; see
            :func:`posediff.geometry.calibration.find_camera`. Instead of ``focal``.
        max_crop: Pixels that may be cut off the calibrated pictures.
        causal: Wait for nothing: each pose from the frames up to it.
        batch_size: Frames, and windows of the lifter, at a time.
        seed: Decides the noise.
        device: Of the lifter.

    Raises:
        KeyError, ValueError, FileNotFoundError: A component, an option or a file does not exist or makes no sense.
    """

    detector: Config = field(default_factory=lambda: {'type': 'MediaPipeDetector'})
    pose_estimator: Config = field(default_factory=lambda: {'type': 'MediaPipePoseEstimator'})
    tracker: Config = field(default_factory=_tracker)
    lifter: tuple[str | Path, str | Path] = (LIFTER_CONFIG, LIFTER_CHECKPOINT)
    smoother: Config | None = None
    num_hypotheses: int | None = None
    num_inference_steps: int | None = None
    score_threshold: float = 0.3
    min_pose_score: float = 0.3
    max_gap_s: float = 0.5
    fill: bool = False
    repair_sides: bool = True
    focal: float | None = None
    calibration: tuple[str | Path, str | None] | None = None
    max_crop: int = 0
    causal: bool = False
    batch_size: int = 8
    seed: int = 0
    device: str = 'cpu'

    def __post_init__(self) -> None:
        load_plugins()
        with seeded_apart(self.seed):  # decides the weights where none are given
            config, checkpoint = self.lifter
            self.model = posediff.engine.model_building.init_model(
                config, None if str(checkpoint) == 'random' else checkpoint, device=self.device
            )
            if self.model.backbone is not None:
                raise ValueError(f'{config} takes frames, not keypoints: it is no lifter')
            self.estimator = POSE_ESTIMATORS.build(self.pose_estimator)
            self.people_detector = DETECTORS.build(self.detector)
        self.observer()  # a tracker that cannot be built is an error now
        self.conversion = get_conversion(self.estimator.skeleton.name, self.model.head.skeleton.name)
        self.built_smoother = None if self.smoother is None else SMOOTHERS.build(self.smoother)

    def observer(self) -> Observer:
        """A new one, for one video: it keeps who was there."""
        return Observer(
            self.people_detector,
            self.estimator,
            TRACKERS.build(self.tracker),
            1 if self.causal else self.batch_size,
            self.min_pose_score,
            first_frames=not self.causal,
        )

    def __call__(
        self,
        video: str | Path | VideoSource,
        max_frames: int | None = None,
        stop: Callable[[], bool] | None = None,
        log: SightingsLog | None = None,
    ) -> VideoRun:
        """Infer frame by frame.

        Args:
            video: A path, an address, or what :func:`posediff.video.open_video` gives.
            max_frames: Stop after so many.
            stop: Asked before every frame: true ends the video there, and what was seen is still lifted.
            log: Keeps what is seen; what is in it already is not looked at again.
        """
        source = video if isinstance(video, VideoSource) else open_video(video)
        intrinsics = self.intrinsics(source.img_shape)
        stream = LiftingStream(
            self.model,
            source.img_shape,
            skeleton=self.model.head.skeleton.name,  # the stage converts to it
            fps=source.fps,
            camera=intrinsics.camera,
            num_hypotheses=self.num_hypotheses,
            num_inference_steps=self.num_inference_steps,
            seed=self.seed,
            batch_size=1 if self.causal else self.batch_size,
            causal=self.causal,
        )
        stage = LiftingStage(
            stream,
            self.estimator.skeleton,
            self.model.head.skeleton,
            intrinsics,
            source.fps,
            score_threshold=self.score_threshold,
            max_gap_s=self.max_gap_s,
            fill=self.fill,
            smoother=self.built_smoother,
        )
        first = 0 if log is None else log.num_frames
        frames = source.frames(max(first - self.estimator.frames_around, 0))
        if max_frames is not None:
            frames = itertools.takewhile(lambda frame: frame.index < max_frames, frames)
        if stop is not None:
            frames = itertools.takewhile(lambda _: not stop(), frames)
        observer = self.observer()
        sightings = observer.look(frames, first, None if log is None else log.last)
        if log is not None:
            sightings = itertools.chain(itertools.islice(log.read(), max_frames), log.record(sightings))
        observations = observer.follow(sightings, source.fps)
        if not self.repair_sides:
            return VideoRun(stage(observations), None)
        side_repair = SideSwapRepair(self.estimator.skeleton, source.fps, 0.0 if self.causal else 1.0)
        return VideoRun(stage(side_repair(observations)), side_repair)

    def intrinsics(self, img_shape: tuple[int, int]) -> Intrinsics:
        """Of the camera that films pictures of this size, (h, w) px."""
        if self.calibration is None:
            return Intrinsics.of(img_shape, self.focal)
        if self.focal is not None:
            raise ValueError(f'focal {self.focal} has no use beside the calibration {self.calibration[0]}')
        return Intrinsics.calibrated(find_camera(*self.calibration, img_shape, self.max_crop))

    def log(
        self, folder: str | Path, video: VideoSource, resume: bool = False, overwrite: bool = False
    ) -> SightingsLog:
        """A log of what is seen in a video, to begin or to go on with; see :class:`SightingsLog`."""
        about = {
            'video': video.name,
            'video size': video.path.stat().st_size if video.path.is_file() else 0,
            'fps': video.fps,
            'capture_fps': video.capture_fps,
            'detector': self.detector,
            'pose_estimator': self.pose_estimator,
            'min_pose_score': self.min_pose_score,
        }
        file = Path(str(self.detector.get('path', '')))  # of keypoints or boxes
        if file.is_file():
            about['size of the detector file'] = file.stat().st_size
        return SightingsLog(folder, about, resume, overwrite)

    def header(self, video: VideoSource) -> PosesHeader:
        """What is true of all results of a video."""
        intrinsics = self.intrinsics(video.img_shape)
        return PosesHeader(
            source=self.estimator.skeleton,
            target=self.model.head.skeleton,
            fps=video.fps,
            img_shape=video.img_shape,
            facts={
                'video': video.name,
                **({} if video.capture_fps is None else {'capture_fps': video.capture_fps}),
                'camera': {
                    'focal': intrinsics.camera.focal.tolist(),
                    'center': intrinsics.camera.center.tolist(),
                    'distortion': [] if intrinsics.lens is None else intrinsics.lens.distortion.tolist(),
                    **({'fisheye': True} if intrinsics.lens is not None and intrinsics.lens.fisheye else {}),
                    'source': intrinsics.source,
                },
                'detector': self.detector['type'],
                'pose_estimator': self.pose_estimator['type'],
                'tracker': self.tracker['type'],
                'lifter': Path(self.lifter[0]).name,
                'lifter_window_s': self.model.window_length / float(self.model.fps or video.fps),
                'smoother': 'none' if self.smoother is None else self.smoother['type'],
                'joints_made_up': list(self.conversion.approximated),
                'seed': self.seed,
            },
        )
