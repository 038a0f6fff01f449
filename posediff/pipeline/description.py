"""The validated settings of the video pipeline."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from numbers import Integral
from pathlib import Path
from typing import Any

from posediff.assets import LIFTER_CHECKPOINT, LIFTER_CONFIG
from posediff.geometry.calibration import find_camera
from posediff.pipeline.intrinsics import Intrinsics, check_focal
from posediff.pipeline.pose_log import PoseLog
from posediff.plugins.entry_points import load_plugins
from posediff.registry import DETECTORS, POSE_ESTIMATORS, SMOOTHERS, TRACKERS
from posediff.structures.argument_checks import require_finite, require_whole
from posediff.video import VideoSource

Config = dict[str, Any]


@dataclass(frozen=True)
class VideoDescription:
    """The configs of the components of a video pipeline and its options; validated on construction, immutable.

    Attributes:
        detector, pose_estimator, tracker: Configs of components, ``{'type': …}``.
        lifter: Config file and checkpoint of a lifting model; ``'random'`` as checkpoint for random weights.
        smoother: Config of a smoother; None: no smoothing.
        num_hypotheses, num_inference_steps: Options of the lifter; None: those of its config.
        score_threshold: Keypoints with a lower score are treated as undetected; None: the threshold of the pose
            estimator.
        min_pose_score: Poses with a lower mean keypoint score are discarded.
        max_gap_s: Longest gap in a track, s, that is lifted as part of the track; a longer gap ends the segment.
        fill: Output the poses of the frames in such gaps too, marked as not observed.
        repair_sides: Correct temporary swaps of left and right (:mod:`posediff.pipeline.side_swaps`).
        focal: Focal length in px; None for the default (:mod:`posediff.pipeline.intrinsics`).
        calibration: Calibration file and name of the camera; see
            :func:`posediff.geometry.calibration.find_camera`. Replaces ``focal``.
        max_crop: Pixels by which a video may be smaller than its camera's calibrated image.
        causal: Lift each frame from this frame and earlier ones only, without delay.
        batch_size: Number of frames, and of windows of the lifter, per batch.
        seed: Seed of the noise and of random weights.
        device: Device of the lifter.

    Raises:
        KeyError: A component is not registered.
        ValueError: A config or an option is malformed or out of range.
    """

    detector: Config = field(default_factory=lambda: {'type': 'MediaPipeDetector'})
    pose_estimator: Config = field(default_factory=lambda: {'type': 'MediaPipePoseEstimator'})
    tracker: Config = field(default_factory=lambda: {'type': 'PoseTracker'})
    lifter: tuple[str | Path, str | Path] = (LIFTER_CONFIG, LIFTER_CHECKPOINT)
    smoother: Config | None = None
    num_hypotheses: int | None = None
    num_inference_steps: int | None = None
    score_threshold: float | None = None
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
        self._check_options()
        load_plugins()
        stages = {
            'detector': DETECTORS, 'pose_estimator': POSE_ESTIMATORS, 'tracker': TRACKERS, 'smoother': SMOOTHERS,
        }  # fmt: skip
        for name, registry in stages.items():
            config = getattr(self, name)
            if config is None and name == 'smoother':
                continue
            if not isinstance(config, Mapping) or 'type' not in config:
                raise ValueError(f"{name} must be a config {{'type': …}}, got {config!r}")
            if isinstance(config['type'], str):
                registry.get(config['type'])
            object.__setattr__(self, name, dict(config))  # a later change of the caller's dict has no effect

    def _check_options(self) -> None:
        owner = type(self).__name__
        optional = {'num_hypotheses': self.num_hypotheses, 'num_inference_steps': self.num_inference_steps}
        require_whole(owner, {name: value for name, value in optional.items() if value is not None}, 1)
        require_whole(owner, {'batch_size': self.batch_size}, 1)
        require_whole(owner, {'max_crop': self.max_crop}, 0)
        if not isinstance(self.seed, Integral):
            raise ValueError(f'{owner}: seed must be a whole number, got {self.seed!r}')
        thresholds = {'score_threshold': self.score_threshold, 'min_pose_score': self.min_pose_score}
        require_finite(owner, {name: float(value) for name, value in thresholds.items() if value is not None})
        require_finite(owner, {'max_gap_s': float(self.max_gap_s)}, 0)
        pairs = (
            ('lifter', self.lifter, '(config, checkpoint)'),
            ('calibration', self.calibration, '(file, camera name or None)'),
        )
        for name, pair, parts in pairs:
            if pair is not None and (isinstance(pair, str) or len(pair) != 2):
                raise ValueError(f'{owner}: {name} must be a pair {parts}, got {pair!r}')
        if self.calibration is not None and self.focal is not None:
            raise ValueError(f'focal {self.focal} cannot be combined with the calibration {self.calibration[0]}')
        check_focal(self.focal)

    def intrinsics(self, img_shape: tuple[int, int]) -> Intrinsics:
        """Return the intrinsics of the camera for images of (h, w) px.

        Raises:
            FileNotFoundError, ValueError: The calibration has no such camera, or the focal length does not fit the
                image.
        """
        if self.calibration is None:
            return Intrinsics.from_focal(img_shape, self.focal)
        return Intrinsics.calibrated(find_camera(*self.calibration, img_shape, self.max_crop))

    def log(self, folder: str | Path, video: VideoSource, resume: bool = False, overwrite: bool = False) -> PoseLog:
        """Open a new or existing log of the 2D poses of a video; see :class:`PoseLog` for the arguments."""
        about = {
            'video': video.name,
            'video size': video.path.stat().st_size if video.path.is_file() else 0,
            'fps': video.fps,
            'capture_fps': video.capture_fps,
            'detector': self.detector,
            'pose_estimator': self.pose_estimator,
            'min_pose_score': self.min_pose_score,
        }
        file = Path(str(self.detector.get('path', '')))  # file of keypoints or boxes that the detector reads
        if file.is_file():
            about['size of the detector file'] = file.stat().st_size
        return PoseLog(folder, about, resume, overwrite)
