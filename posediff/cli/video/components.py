"""Choice of the pipeline's components from the arguments."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from posediff.assets import LIFTER_CHECKPOINT, LIFTER_CONFIG
from posediff.cli.video.keypoint_source import keypoint_file_configs, refuse_file_options
from posediff.pipeline import VideoPoseInferencer
from posediff.registry import DETECTORS, POSE_ESTIMATORS, SMOOTHERS, TRACKERS, ComponentRegistry
from posediff.structures.component_choices import component_config
from posediff.video import VideoSource

Config = dict[str, Any]

LIVE_HYPOTHESES = 5
"""Default number of hypotheses with ``--live``: a quarter of that in the packaged lifter's config, which takes a third
of the time per pose. The pose is the same; its spread is less exact."""


def build_inferencer(args: argparse.Namespace, video: VideoSource) -> VideoPoseInferencer:
    """Build the pipeline that the arguments describe.

    Raises:
        KeyError, ValueError, FileNotFoundError: An argument is invalid or does not fit the others or the video.
    """
    packaged = str(args.lifter) == str(LIFTER_CONFIG)
    if not packaged and args.lifter_checkpoint is None:
        raise ValueError(f"--lifter {args.lifter} needs --lifter-checkpoint (or 'random')")
    detector, estimator, tracker = people_configs(args, video)
    if args.smooth_options and args.smooth is None:
        raise ValueError(f'--smooth-options {" ".join(args.smooth_options)} needs --smooth')
    if args.camera is not None and args.calibration is None:
        raise ValueError(f'--camera {args.camera} needs --calibration')
    smoother = None
    if args.smooth is not None:
        smoother = component_config(SMOOTHERS, '--smooth', args.smooth, options=args.smooth_options)
    return VideoPoseInferencer(
        detector=detector,
        pose_estimator=estimator,
        tracker=tracker,
        lifter=(args.lifter, args.lifter_checkpoint or LIFTER_CHECKPOINT),
        smoother=smoother,
        num_hypotheses=args.num_hypotheses or (LIVE_HYPOTHESES if args.live else None),
        num_inference_steps=args.num_inference_steps,
        score_threshold=args.score_threshold,
        min_pose_score=args.min_pose_score,
        max_gap_s=args.max_gap,
        fill=args.fill,
        repair_sides=not args.keep_sides,
        focal=args.focal,
        max_crop=args.max_crop,
        calibration=None if args.calibration is None else (args.calibration, args.camera),
        causal=args.live,
        batch_size=args.batch_size,
        seed=args.seed,
        device=args.device,
    )


def people_configs(args: argparse.Namespace, video: VideoSource) -> tuple[Config, Config, Config]:
    """Return the configs of detector, 2D pose estimator and tracker, from their names or for ``--keypoints``."""
    if args.keypoints is not None:
        return keypoint_file_configs(args, video, tracker_config(args))
    refuse_file_options(args)
    images = tuple(path.name for path in video.images or ())
    return detector_config(args, images), pose_config(args, images), tracker_config(args)


def detector_config(args: argparse.Namespace, images: Sequence[str] = ()) -> Config:
    """Return the config of the detector that the arguments name; ``images`` are the file names of the frames."""
    return _component_config(DETECTORS, 'detector', args, images)


def pose_config(args: argparse.Namespace, images: Sequence[str] = ()) -> Config:
    """Return the config of the 2D pose estimator that the arguments name."""
    return _component_config(POSE_ESTIMATORS, 'pose', args, images)


def tracker_config(args: argparse.Namespace) -> Config:
    """Return the config of the tracker that the arguments name."""
    return component_config(TRACKERS, '--tracker', args.tracker or 'pose', options=args.tracker_options)


def _component_config(
    registry: ComponentRegistry, name: str, args: argparse.Namespace, images: Sequence[str]
) -> Config:
    return component_config(
        registry,
        f'--{name}',
        getattr(args, name) or 'mediapipe',
        getattr(args, f'{name}_checkpoint'),
        args.device,
        getattr(args, f'{name}_options'),
        images,
    )
