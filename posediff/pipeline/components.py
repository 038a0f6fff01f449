"""The components of a video pipeline, built once and shared by all videos."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import posediff.engine.model_building
from posediff.detection.base import BaseDetector
from posediff.models.estimator import PoseDiffusionEstimator
from posediff.pipeline.description import VideoDescription
from posediff.pipeline.pose_writer import PosesHeader
from posediff.pipeline.randomness import forked_rng
from posediff.pose_estimation.base import BasePoseEstimator
from posediff.registry import DETECTORS, POSE_ESTIMATORS, SMOOTHERS, TRACKERS
from posediff.smoothing import BaseSmoother
from posediff.structures.skeleton_conversion import Conversion, get_conversion
from posediff.tracking.base import BaseTracker
from posediff.video import VideoSource


@dataclass(frozen=True)
class VideoComponents:
    """The built components of a pipeline. They hold no state of a video, so several videos may share them.

    Attributes:
        description: The description that they were built from.
        model: The lifter, in eval mode.
        detector, pose_estimator: Components of the 2D stages.
        smoother: Smoother of the 3D poses; None: no smoothing.
        conversion: Conversion from the skeleton of the pose estimator to that of the lifter.
    """

    description: VideoDescription
    model: PoseDiffusionEstimator
    detector: BaseDetector
    pose_estimator: BasePoseEstimator
    smoother: BaseSmoother | None
    conversion: Conversion

    @classmethod
    def build(cls, description: VideoDescription) -> VideoComponents:
        """Build all components; the state of the global random generators does not change.

        Raises:
            KeyError, ValueError, FileNotFoundError: A component cannot be built, or a file is missing or malformed.
        """
        config, checkpoint = description.lifter
        with forked_rng(description.seed):  # seed of random weights, if there is no checkpoint
            model = posediff.engine.model_building.init_model(
                config, None if str(checkpoint) == 'random' else checkpoint, device=description.device
            )
            if model.backbone is not None:
                raise ValueError(f'{config} is not a lifting model: it takes frames, not keypoints')
            pose_estimator = POSE_ESTIMATORS.build(description.pose_estimator)
            detector = DETECTORS.build(description.detector)
        TRACKERS.build(description.tracker)  # each video gets its own; built here so that an invalid config fails early
        return cls(
            description=description,
            model=model,
            detector=detector,
            pose_estimator=pose_estimator,
            conversion=get_conversion(pose_estimator.skeleton.name, model.head.skeleton.name),
            smoother=None if description.smoother is None else SMOOTHERS.build(description.smoother),
        )

    @property
    def score_threshold(self) -> float:
        """Score below which keypoints are treated as undetected: that of the description or of the pose estimator."""
        described = self.description.score_threshold
        return self.pose_estimator.score_threshold if described is None else described

    def new_tracker(self) -> BaseTracker:
        """Build a tracker for one video."""
        return TRACKERS.build(self.description.tracker)

    def header(self, video: VideoSource) -> PosesHeader:
        """Return the header of the result files of a video: skeletons, frame rate, camera, components."""
        described, intrinsics = self.description, self.description.intrinsics(video.img_shape)
        return PosesHeader(
            source=self.pose_estimator.skeleton,
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
                'detector': described.detector['type'],
                'pose_estimator': described.pose_estimator['type'],
                'tracker': described.tracker['type'],
                'lifter': Path(described.lifter[0]).name,
                'lifter_window_s': self.model.window_length / float(self.model.fps or video.fps),
                'smoother': 'none' if described.smoother is None else described.smoother['type'],
                'joints_made_up': list(self.conversion.approximated),
                'seed': described.seed,
                **self.detector.metadata(),
            },
        )
