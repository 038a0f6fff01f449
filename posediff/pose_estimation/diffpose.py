"""Video models of this project as 2D pose estimators."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from torch import Tensor, nn

import posediff.engine.model_building
from posediff.assets import DIFFPOSE_CHECKPOINT, DIFFPOSE_CONFIG
from posediff.engine.config import require_parts
from posediff.engine.config_files import packaged_configs
from posediff.pose_estimation.base import FrameWindow
from posediff.pose_estimation.feature_memory import FeatureMemory
from posediff.pose_estimation.steady_crops import steady_crops
from posediff.pose_estimation.topdown import PersonCrop, TopdownEstimator, bgr, split
from posediff.registry import POSE_ESTIMATORS, build_pipeline
from posediff.structures.argument_checks import require_finite, require_one_of, require_whole
from posediff.structures.component_choices import CommandLineChoice
from posediff.structures.frame_poses import FramePoses
from posediff.structures.person_boxes import PersonBoxes, boxes_around

DIFFPOSE_OPTIONS = {
    'num_hypotheses': 'poses drawn per clip',
    'num_inference_steps': 'denoiser calls per pose',
    'batch_size': 'clips per batch',
    'num_passes': "crops per person: the first of the detector's box, the others of the joints found before",
    'follow': 'crop a person of the previous frame once, around the joints of that frame, True or False',
    'crop_tolerance': 'change of place and size, relative to the crop, up to which a followed person keeps its crop',
    'precision': 'float32 or bfloat16',
}

LEAST_PROBABILITY = 0.8
"""Score below which keypoints with calibrated scores harm the lifter. The lifter
``diffhpe-wrapper-c32-l8_27f_cmu-mediapipe17`` is as wrong with a keypoint that is off by a third of the torso as
without it. Keypoints with a score of 0.8 to 0.85 are off by 0.53 torso lengths
on average, with 0.85 to 0.9 by 0.36 (2782 keypoints of 101 clips of JHMDB, boxes detected, scores and keypoints of
``diffpose_movenet-lightning_mixed-128x96``), MediaPipe's with scores of 0.3 to 0.4 by 0.42."""

LEAST_PERSON_SCORE = 0.5
"""Mean maximum of MoveNet's heatmaps below which a box that no detection supports contains no person. Of 336 boxes of
annotated people (84 clips of JHMDB's training part; half of the boxes moved by up to 15 % and resized) 3 % are below
it, of 334 boxes on the rest of the pictures, some of which contain people, 86 %."""

SMALLEST_BOX = 8
"""Least side in px of a box of joints that is cropped again."""

CAST = (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)
PRECISIONS = {'float32': None, 'bfloat16': torch.bfloat16}

MEMORY_BYTES = 2**28
"""Limit of the feature maps that are kept for the next windows: about 900 crops of 256×192 px with
24 channels, 370 with 58."""

CROPS_AT_ONCE = 2
"""Crops per call of the backbone on a CPU: with more, activations leave the caches, and a crop takes longer."""


def _fast_precision(device: str) -> str:
    """Return ``'bfloat16'`` for CPUs that compute in it, else ``'float32'``."""
    if torch.device(device).type != 'cpu':
        return 'float32'
    fast = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return 'bfloat16' if fast else 'float32'


def _packaged_names() -> list[str]:
    return [config.stem for config in packaged_configs()]


def joint_boxes(keypoints: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """Return the boxes of keypoints (N, K, 2), (N, 4) px; where a side is below 8 px, those of ``boxes`` (N, 4)."""
    low, high = keypoints.min(1), keypoints.max(1)
    large = (high - low >= SMALLEST_BOX).all(-1, keepdims=True)
    return np.where(large, np.concatenate([low, high], axis=1), boxes).astype(np.float32)


@POSE_ESTIMATORS.register_module()
class DiffPoseEstimator(TopdownEstimator):
    """A pose estimator that runs a video model of this project: DiffPose, or its baseline without diffusion.

    The backbone sees each crop of a picture once: its maps are kept for the other windows that have the picture. With
    ``crop_tolerance``, a person often has the same crop in consecutive frames, so that a window needs the backbone for
    its last frame only. Results do not depend on what is kept, except for the last bits, since the backbone gets other
    batches.

    If the backbone is MoveNet's with its keypoints, :meth:`search` tells whether a box contains a person.

    Args:
        config: Config of the model: a file, the name of a packaged config, or a loaded config.
        checkpoint: Weights; ``'random'``: random weights.
        batch_size: Clips per batch.
        num_hypotheses: M, number of poses sampled per clip; None: as in the config.
        num_inference_steps: Denoiser evaluations per hypothesis; None: as in the config.
        num_passes: Crops per person. The first one is of the given box, each further one of the box of the joints that
            the pass before found: for detectors whose boxes are larger than those of the training.
        follow: Crop a person whose joints are known from the previous frame once, around those joints.
        crop_tolerance: Change up to which a followed person keeps its crop, see
            :func:`posediff.pose_estimation.steady_crops.steady_crops`; 0: every frame has a crop of its own.
        precision: ``'float32'``, or ``'bfloat16'`` for the networks, by autocast; faster on CPUs with AVX512-BF16 or
            AMX.
        memory_bytes: Maximum size of the maps that are kept; 0: none.
        device: Device of the model.

    Raises:
        ValueError: The config is of a lifting model, which takes keypoints instead of frames, or has no
            ``test_pipeline``; or an argument is out of range.
    """

    command_line = (
        CommandLineChoice(
            'diffpose',
            'the packaged DiffPose model, trained on real and rendered video and on pseudo-labels',
            arguments=lambda chosen: {
                'config': DIFFPOSE_CONFIG, 'checkpoint': DIFFPOSE_CHECKPOINT, 'num_hypotheses': 2, 'num_passes': 3,
                'follow': True, 'crop_tolerance': 0.1, 'precision': _fast_precision(chosen.device),
                'device': chosen.device,
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
        follow: bool = False,
        crop_tolerance: float = 0.0,
        precision: str = 'float32',
        memory_bytes: int = MEMORY_BYTES,
        device: str = 'cpu',
    ) -> None:
        owner = type(self).__name__
        require_whole(owner, {'num_passes': num_passes, 'batch_size': batch_size}, least=1)
        require_whole(owner, {'memory_bytes': memory_bytes}, least=0)
        require_one_of(owner, 'precision', precision, tuple(PRECISIONS))
        if not isinstance(follow, bool):
            raise ValueError(f'{owner}: follow must be True or False, got {follow!r}')
        require_finite(owner, {'crop_tolerance': crop_tolerance})
        if crop_tolerance < 0:
            raise ValueError(f'{owner}: crop_tolerance must not be negative, got {crop_tolerance}')
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
        self.num_passes, self.follows, self.crop_tolerance = num_passes, follow, crop_tolerance
        self.sees_absence = hasattr(model.backbone, 'person_scores') and model.backbone.heads is not None
        self.dtype = PRECISIONS[precision]
        if self.dtype is not None:  # as autocast does, but once and not in every call
            for module in model.modules():
                if isinstance(module, CAST):
                    module.to(self.dtype)
        self.device = torch.device(device)
        self.memory = FeatureMemory(memory_bytes)
        width, height = model.head.codec.input_size
        self.aspect = width / height

    def __call__(self, windows: Sequence[FrameWindow]) -> list[FramePoses]:
        return self._estimate(windows, may_be_absent=False)

    def search(self, windows: Sequence[FrameWindow]) -> list[FramePoses]:
        return self._estimate(windows, may_be_absent=self.sees_absence)

    def _estimate(self, windows: Sequence[FrameWindow], may_be_absent: bool) -> list[FramePoses]:
        crops, known = [], []
        for window in windows:
            people = window.people
            for row, box in enumerate(people.boxes):
                close = None if people.close is None else people.close[row]
                known.append(close is not None and bool(np.isfinite(close).all()))
                box = close if known[-1] and close is not None else box
                crops.append(PersonCrop(window, row, box, may_be_absent))
        keypoints, scores = self.estimate(crops)
        again = np.flatnonzero(~np.array(known, bool))
        for _ in range(self.num_passes - 1):
            given = np.array([crops[row].box for row in again]).reshape(-1, 4)
            closer = joint_boxes(keypoints[again], given)
            for row, box in zip(again, closer, strict=True):
                crops[row] = replace(crops[row], box=box)
            keypoints[again], scores[again] = self.estimate([crops[row] for row in again])
        cropped = np.array([crop.box for crop in crops], np.float32).reshape(-1, 4)
        # a person that is searched has no box of a detector: its box moves with its joints
        return split(
            windows, keypoints, scores, boxes=boxes_around(keypoints) if may_be_absent else None, crops=cropped
        )

    def where_next(self, people: PersonBoxes, keypoints: np.ndarray) -> PersonBoxes:
        """Return the persons with ``close``: their crops if they fit still, else the boxes of their keypoints.

        Args:
            people: The persons of the current frame; ``close`` has their crops.
            keypoints: (N, K, 2) px, their keypoints.
        """
        boxes = joint_boxes(keypoints, people.boxes)
        if people.close is not None and self.crop_tolerance > 0:
            boxes = steady_crops(people.close, boxes, self.aspect, self.crop_tolerance)
        return replace(people, close=boxes)

    def without_flip_test(self) -> TopdownEstimator:
        """Return the estimator without ``flip_test`` of the config; it has maps of its own, which have one view."""
        single = super().without_flip_test()
        if isinstance(single, DiffPoseEstimator) and single is not self:
            single.memory = FeatureMemory(self.memory.max_bytes)
        return single

    def predict(self, crops: Sequence[PersonCrop]) -> list[Any]:
        with torch.autocast(self.device.type, dtype=self.dtype, enabled=self.dtype is not None):
            maps, samples = self._maps(crops)
            # (B, T, views, C, h, w): with a flip test there are two views of every crop
            features = torch.stack([torch.stack(frames) for frames in maps])
            found = self.model.predict_features(features.unbind(2), samples)
        for crop, sample, frames in zip(crops, found, maps, strict=True):
            if crop.may_be_absent:
                scores = self.model.backbone.person_scores(frames[len(frames) // 2][:1].float())
                if float(scores) < LEAST_PERSON_SCORE:
                    sample.pred_instances.keypoint_scores = np.zeros_like(sample.pred_instances.keypoint_scores)
        return found

    def _maps(self, crops: Sequence[PersonCrop]) -> tuple[list[list[Tensor]], list[Any]]:
        """Return the maps (views, C, h, w) of the frames of each crop's window, and the crops' data samples."""
        maps: dict[tuple[int, bytes], Tensor | None] = {}
        pictures: dict[int, np.ndarray] = {}
        inputs: list[Tensor] = []
        wanted: list[tuple[np.ndarray, np.ndarray]] = []  # picture and box
        samples = []
        for crop in crops:
            missing = []
            for image in (frame.image for frame in crop.window.frames):
                key = id(image), crop.box.tobytes()
                if key not in maps:
                    maps[key] = self.memory.get(image, crop.box)
                    if maps[key] is None:
                        missing.append(image)
            images = missing or [crop.window.key.image]
            for image in images:
                if id(image) not in pictures:
                    pictures[id(image)] = bgr(image)
            item = self.item(crop, [pictures[id(image)] for image in images])
            samples.append(item['data_samples'])
            inputs.extend(item['inputs'][: len(missing), None])
            wanted.extend((image, crop.box) for image in missing)
        for (image, box), found in zip(wanted, self._backbone(inputs), strict=True):
            maps[id(image), box.tobytes()] = found
            self.memory.add(image, box, found)
        of_crops = [[maps[id(frame.image), crop.box.tobytes()] for frame in crop.window.frames] for crop in crops]
        return of_crops, samples  # type: ignore[return-value]

    def _backbone(self, inputs: Sequence[Tensor]) -> list[Tensor]:
        """Return the maps (views, C, h, w) of crops (1, 3, H, W)."""
        size = CROPS_AT_ONCE if self.device.type == 'cpu' else self.batch_size * self.model.conditioner.num_frames
        found: list[Tensor] = []
        for first in range(0, len(inputs), size):
            clips = self.model.data_preprocessor({'inputs': list(inputs[first : first + size])}, False)['inputs']
            views = self.model.view_features(clips)
            # copies, so that one map that is kept does not keep its batch
            found.extend(maps.clone() for maps in torch.stack(views, dim=2)[:, 0])
        return found
