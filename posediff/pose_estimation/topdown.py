"""Top-down pose estimators: one crop per person, made by the model's test transforms."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate

import posediff.engine.model_building
from posediff.assets import DIFFPOSE_CHECKPOINT, DIFFPOSE_CONFIG
from posediff.engine.config import require_parts
from posediff.engine.config_files import packaged_configs
from posediff.integrations.model_zoo import find_model
from posediff.integrations.openmmlab_models import loaded
from posediff.pose_estimation.base import BasePoseEstimator, FrameWindow
from posediff.registry import POSE_ESTIMATORS, build_pipeline
from posediff.structures.argument_checks import require_whole
from posediff.structures.component_choices import CommandLineChoice
from posediff.structures.frame_poses import FramePoses
from posediff.structures.person_boxes import PersonBoxes
from posediff.structures.skeletons import Skeleton, match_skeleton
from posediff.structures.video_frame import VideoFrame

DIFFPOSE_OPTIONS = {
    'num_hypotheses': 'poses drawn per clip',
    'num_inference_steps': 'denoiser calls per pose',
    'batch_size': 'clips per batch',
    'num_passes': "crops per person: the first of the detector's box, the others of the joints found before",
}

LEAST_PROBABILITY = 0.8
"""Score below which keypoints with calibrated scores harm the lifter. The packaged lifter is as wrong with a keypoint
that is off by a third of the torso as without it. Keypoints with a score of 0.8 to 0.85 are off by 0.53 torso lengths
on average, with 0.85 to 0.9 by 0.36 (2782 keypoints of 101 clips of JHMDB); MediaPipe's, with the default threshold's
scores of 0.3 to 0.4, by 0.42."""

SMALLEST_BOX = 8
"""Least side in px of a box of joints that is cropped again."""

Transform = Callable[[dict[str, Any]], dict[str, Any] | None]


def _packaged_names() -> list[str]:
    return [config.stem for config in packaged_configs()]


class TopdownEstimator(BasePoseEstimator):
    """A pose estimator that crops the persons and runs the model on batches of crops.

    Args:
        model: Model with ``test_step``, which takes the output of the transforms.
        pipeline: The model's transforms after image loading.
        skeleton: Skeleton of the output keypoints.
        columns: Index of each joint of ``skeleton`` in the model's output.
        batch_size: Crops per batch.
        metainfo: Dataset metainfo that is added to the input of the transforms.
    """

    def __init__(
        self,
        model: Any,
        pipeline: Sequence[Transform],
        skeleton: Skeleton,
        columns: Sequence[int],
        batch_size: int,
        metainfo: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        self.model, self.pipeline, self.batch_size, self.metainfo = model, pipeline, batch_size, metainfo
        self.skeleton, self.columns = skeleton, list(columns)

    @abstractmethod
    def image(self, frames: tuple[VideoFrame, ...]) -> Any:
        """Return ``img``, the input of the transforms, BGR uint8: an image (H, W, 3) or a list of them.

        Args:
            frames: 2δ + 1 frames (RGB), with the target frame in the middle.
        """

    def __call__(self, windows: Sequence[FrameWindow]) -> list[FramePoses]:
        items = [item for window in windows for item in self._items(window)]
        keypoints, scores = [], []
        for first in range(0, len(items), self.batch_size):
            with torch.no_grad():
                samples = self.model.test_step(pseudo_collate(items[first : first + self.batch_size]))
            for sample in samples:
                found = sample.cpu().numpy().pred_instances
                keypoints.append(np.asarray(found.keypoints[0], np.float32)[self.columns])
                scores.append(np.clip(np.asarray(found.keypoint_scores[0], np.float32)[self.columns], 0, 1))
        joints = self.skeleton.num_joints
        poses, first = [], 0
        for window in windows:
            own = slice(first, first + len(window.people))
            first = own.stop
            poses.append(
                window.poses(
                    np.asarray(keypoints[own], np.float32).reshape(-1, joints, 2),
                    np.asarray(scores[own], np.float32).reshape(-1, joints),
                )
            )
        return poses

    def _items(self, window: FrameWindow) -> list[dict[str, Any]]:
        image = self.image(window.frames) if len(window.people) else None
        items = []
        for number, (box, score) in enumerate(zip(window.people.boxes, window.people.scores, strict=True)):
            shape = window.key.image.shape[:2]
            results: dict[str, Any] | None = {
                **self.metainfo,
                'img': image,
                'img_shape': shape,
                'ori_shape': shape,
                'bbox': box[None].astype(np.float32),
                'bbox_score': score[None].astype(np.float32),
                'id': number,
                'img_id': window.key.index,
                'sample_id': f'{window.key.index}/{",".join(f"{side:.2f}" for side in box)}',
                'key_index': len(window.frames) // 2,
            }
            for transform in self.pipeline:
                results = transform(results or {})
            items.append(results or {})
        return items


def around_joints(window: FrameWindow, poses: FramePoses) -> FrameWindow:
    """Return the window with the boxes of the joints found in it; boxes with a side below 8 px stay as they are."""
    low, high = poses.keypoints_2d.min(1), poses.keypoints_2d.max(1)
    large = (high - low >= SMALLEST_BOX).all(-1, keepdims=True)
    boxes = np.where(large, np.concatenate([low, high], axis=1), window.people.boxes).astype(np.float32)
    return FrameWindow(window.frames, PersonBoxes(boxes, window.people.scores))


@POSE_ESTIMATORS.register_module()
class DiffPoseEstimator(TopdownEstimator):
    """A pose estimator that runs a video model of this project: DiffPose, or its baseline without diffusion.

    Args:
        config: Config of the model: a file, the name of a packaged config, or a loaded config.
        checkpoint: Weights; ``'random'``: random weights.
        batch_size: Clips per batch.
        num_hypotheses: M, number of poses sampled per clip; None: as in the config.
        num_inference_steps: Denoiser evaluations per hypothesis; None: as in the config.
        num_passes: Crops per person. The first one is of the given box, each further one of the box of the joints that
            the pass before found: for detectors whose boxes are larger than those of the training.
        device: Device of the model.

    Raises:
        ValueError: The config is of a lifting model, which takes keypoints instead of frames, or has no
            ``test_pipeline``.
    """

    command_line = (
        CommandLineChoice(
            'diffpose',
            'the packaged DiffPose model, trained on real and rendered video',
            arguments=lambda chosen: {
                'config': DIFFPOSE_CONFIG, 'checkpoint': DIFFPOSE_CHECKPOINT, 'num_passes': 2, 'device': chosen.device,
            },
            options=DIFFPOSE_OPTIONS,
        ),
        CommandLineChoice(
            'a config',
            'a .py config of a DiffPose model, or the name of a packaged one',
            arguments=lambda chosen: {
                'config': chosen.value, 'checkpoint': chosen.checkpoint, 'device': chosen.device,
            },
            checkpoint='required',
            suffixes=('.py',),
            names=_packaged_names,
            options=DIFFPOSE_OPTIONS,
        ),
    )  # fmt: skip

    def __init__(
        self,
        config: str | Path | Config,
        checkpoint: str | Path,
        batch_size: int = 8,
        num_hypotheses: int | None = None,
        num_inference_steps: int | None = None,
        num_passes: int = 1,
        device: str = 'cpu',
    ) -> None:
        require_whole(type(self).__name__, {'num_passes': num_passes}, least=1)
        self.num_passes = num_passes
        options = {'num_hypotheses': num_hypotheses, 'num_inference_steps': num_inference_steps}
        model = posediff.engine.model_building.init_model(
            config,
            None if checkpoint == 'random' else checkpoint,
            device,
            {f'model.test_cfg.{name}': value for name, value in options.items() if value is not None},
        )
        if model.backbone is None:
            raise ValueError(f'{config} takes keypoints, not frames: it is the config of a lifting model')
        require_parts(model.cfg, 'test_pipeline')
        pipeline = build_pipeline(model.cfg.test_pipeline[1:])
        super().__init__(model, pipeline, model.head.skeleton, model.head.label_joints, batch_size)
        self.frames_around = model.conditioner.num_frames // 2
        scores = getattr(model.head, 'scores', None)
        if scores is not None and scores.knots is not None:  # scores are probabilities, not maxima of heatmaps
            self.score_threshold = LEAST_PROBABILITY

    def __call__(self, windows: Sequence[FrameWindow]) -> list[FramePoses]:
        found = super().__call__(windows)
        for _ in range(self.num_passes - 1):
            closer = [around_joints(window, poses) for window, poses in zip(windows, found, strict=True)]
            found = [
                window.poses(poses.keypoints_2d, poses.keypoint_scores)
                for window, poses in zip(windows, super().__call__(closer), strict=True)
            ]
        return found

    def image(self, frames: tuple[VideoFrame, ...]) -> list[np.ndarray]:
        return [np.ascontiguousarray(frame.image[..., ::-1]) for frame in frames]


@POSE_ESTIMATORS.register_module()
class MMPoseEstimator(TopdownEstimator):
    """A pose estimator that runs any top-down model of MMPose.

    Args:
        model: Config file, or a name or alias in MMPose's model zoo: ``'human'`` is RTMPose-m.
        checkpoint: File or URL of the weights; None: those of the model zoo; ``'random'``: random weights.
        batch_size: Crops per batch.
        device: Device of the model.

    Raises:
        ValueError: The keypoints match no known skeleton; see also :func:`posediff.integrations.model_zoo.find_model`.
    """

    command_line = (
        CommandLineChoice(
            'mmpose:<config file or name>',
            'a top-down model of MMPose',
            arguments=lambda chosen: {'model': chosen.value, 'checkpoint': chosen.checkpoint, 'device': chosen.device},
            checkpoint='optional',
            options={'batch_size': 'crops per batch'},
        ),
    )

    def __init__(
        self,
        model: str = 'human',
        checkpoint: str | Path | None = None,
        batch_size: int = 16,
        device: str = 'cpu',
    ) -> None:
        config, weights = find_model('mmpose', model, checkpoint)
        from mmengine.dataset import Compose
        from mmengine.registry import DefaultScope
        from mmpose.apis import init_model

        network = loaded('mmpose', model, weights, lambda: init_model(config, weights, device))
        with DefaultScope.overwrite_default_scope('mmpose'):
            pipeline = Compose(network.cfg.test_dataloader.dataset.pipeline)
        metainfo = network.dataset_meta
        names = [metainfo['keypoint_id2name'][index] for index in range(len(metainfo['keypoint_id2name']))]
        super().__init__(network, pipeline.transforms[1:], *match_skeleton(names), batch_size, metainfo)

    def image(self, frames: tuple[VideoFrame, ...]) -> np.ndarray:
        return np.ascontiguousarray(frames[len(frames) // 2].image[..., ::-1])
