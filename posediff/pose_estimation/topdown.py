"""Top-down estimators: one crop a person, through the transforms that the model was tested with."""

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
from posediff.integrations.model_zoo import find_model
from posediff.integrations.openmmlab_models import loaded
from posediff.pose_estimation.base import BasePoseEstimator, FrameWindow, Poses
from posediff.registry import POSE_ESTIMATORS, build_pipeline
from posediff.structures.skeletons import Skeleton, match_skeleton
from posediff.structures.video_frame import VideoFrame

Transform = Callable[[dict[str, Any]], dict[str, Any] | None]


class TopdownEstimator(BasePoseEstimator):
    """Crops people, runs the model on all of them in batches, reads the keypoints.

    Args:
        model: With ``test_step``, which takes what the transforms give.
        pipeline: Its transforms after the one that loads images.
        skeleton: Of the keypoints that are given out.
        columns: Where its joints are among those that the model predicts.
        batch_size: Crops at a time.
        metainfo: More that the transforms want to know of the data.
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
        """What the transforms take as ``img``, blue first."""

    def __call__(self, windows: Sequence[FrameWindow]) -> list[Poses]:
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
                Poses(
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


@POSE_ESTIMATORS.register_module()
class DiffPoseEstimator(TopdownEstimator):
    """A model of this project that takes frames: DiffPose, or its control without diffusion.

    Args:
        config: Its config, a file or a loaded one.
        checkpoint: Its weights; ``'random'``: none.
        batch_size: Clips at a time.
        num_hypotheses, num_inference_steps: None: the config's.
        device: Where it runs.
    """

    def __init__(
        self,
        config: str | Path | Config,
        checkpoint: str | Path,
        batch_size: int = 8,
        num_hypotheses: int | None = None,
        num_inference_steps: int | None = None,
        device: str = 'cpu',
    ) -> None:
        options = {'num_hypotheses': num_hypotheses, 'num_inference_steps': num_inference_steps}
        model = posediff.engine.model_building.init_model(
            config,
            None if checkpoint == 'random' else checkpoint,
            device,
            {f'model.test_cfg.{name}': value for name, value in options.items() if value is not None},
        )
        if model.backbone is None:
            raise ValueError(f'{config} takes keypoints, not frames')
        pipeline = build_pipeline(model.cfg.test_pipeline[1:])
        super().__init__(model, pipeline, model.head.skeleton, model.head.label_joints, batch_size)
        self.frames_around = model.conditioner.num_frames // 2

    def image(self, frames: tuple[VideoFrame, ...]) -> list[np.ndarray]:
        return [np.ascontiguousarray(frame.image[..., ::-1]) for frame in frames]

    @classmethod
    def contract_cases(cls) -> list[dict[str, Any]]:
        """A tiny DiffPose over three frames."""
        return [{'config': _tiny_config(), 'checkpoint': 'random'}]


@POSE_ESTIMATORS.register_module()
class MMPoseEstimator(TopdownEstimator):
    """Any top-down model of MMPose.

    Args:
        model: Config file, or a name or alias in MMPose's model zoo: ``'human'`` is RTMPose-m.
        checkpoint: Its weights: a file or an address; None: the zoo's; ``'random'``: none.
        batch_size: Crops at a time.
        device: Where it runs.

    Raises:
        ValueError: Its keypoints are no skeleton that is known here; see also
            :func:`posediff.integrations.model_zoo.find_model`.
    """

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

    @classmethod
    def contract_cases(cls) -> list[dict[str, Any]]:
        """RTMPose-tiny at random weights."""
        return [{'model': 'rtmpose-t_8xb256-420e_body8-256x192', 'checkpoint': 'random'}]


def _tiny_config() -> Config:
    codec = {'type': 'UDPHeatmap', 'input_size': (48, 64), 'heatmap_size': (12, 16), 'sigma': 1.0}
    vit = {'embed_dim': 12, 'depth': 1, 'num_heads': 2}
    model = {
        'type': 'PoseDiffusionEstimator',
        'data_preprocessor': {'type': 'ClipPreprocessor'},
        'backbone': {
            'type': 'TimmBackbone', 'model_name': 'vit_tiny_patch16_224', 'img_size': (64, 48), 'model_kwargs': vit,
        },
        'conditioner': {
            'type': 'SpatioTemporalConditioner', 'in_channels': 12, 'num_frames': 3, 'size': (4, 3), 'channels': 8,
            'depth': 1,
        },
        'denoiser': {
            'type': 'LookupPoseDecoder', 'num_joints': 15, 'heatmap_size': (16, 12), 'condition_channels': 8,
            'channels': (8, 8, 8), 'out_channels': 8,
        },
        'noise_scheduler': {'type': 'CosineNoiseScheduler', 'prediction_type': 'sample'},
        'sampler': {'type': 'DDIMSampler', 'spacing': 'diffusiondet'},
        'head': {
            'type': 'HeatmapHead', 'codec': codec, 'num_label_joints': 17,
            'label_joints': (0, 1, 2, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16),
        },
        'test_cfg': {'num_hypotheses': 2, 'num_inference_steps': 1},
    }  # fmt: skip
    meta_keys = ('id', 'img_id', 'sample_id', 'key_index', 'input_size', 'input_center', 'input_scale')
    pipeline = [
        {'type': 'LoadClip'},
        {'type': 'mmpose.GetBBoxCenterScale', 'padding': 1.25},
        {'type': 'mmpose.TopdownAffine', 'input_size': (48, 64), 'use_udp': True},
        {'type': 'mmpose.PackPoseInputs', 'meta_keys': meta_keys},
    ]
    return Config({'default_scope': 'posediff', 'model': model, 'test_pipeline': pipeline})
