"""The base of top-down pose estimators: one crop per person, made by the model's test transforms."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, is_dataclass, replace
from types import MappingProxyType
from typing import Any

import cv2
import numpy as np
import torch
from mmengine.dataset import pseudo_collate

from posediff.pose_estimation.base import BasePoseEstimator, FrameWindow
from posediff.structures.frame_poses import FramePoses
from posediff.structures.skeletons import Skeleton

MIRRORING = ('flip_test', 'flip_hypotheses', 'flip_steps')  # of test_cfg; MMPose's has the first one alone

Transform = Callable[[dict[str, Any]], dict[str, Any] | None]


@dataclass(frozen=True)
class PersonCrop:
    """A person to estimate.

    Attributes:
        window: The window.
        row: Index of the person in ``window.people``.
        box: (4,) float32 px, the box to crop.
        may_be_absent: Whether no detection supports the box.
    """

    window: FrameWindow
    row: int
    box: np.ndarray
    may_be_absent: bool = False


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
    def predict(self, crops: Sequence[PersonCrop]) -> Sequence[Any]:
        """Return a data sample with ``pred_instances`` for each person of a batch."""

    def __call__(self, windows: Sequence[FrameWindow]) -> list[FramePoses]:
        crops = [PersonCrop(window, row, box) for window in windows for row, box in enumerate(window.people.boxes)]
        return split(windows, *self.estimate(crops))

    def estimate(self, crops: Sequence[PersonCrop]) -> tuple[np.ndarray, np.ndarray]:
        """Return the keypoints (N, K, 2) px and their scores (N, K) of N persons, in batches."""
        keypoints = np.zeros((len(crops), self.skeleton.num_joints, 2), np.float32)
        scores = np.zeros(keypoints.shape[:2], np.float32)
        for first in range(0, len(crops), self.batch_size):
            with torch.no_grad():
                samples = self.predict(crops[first : first + self.batch_size])
            for row, sample in enumerate(samples, first):
                found = sample.cpu().numpy().pred_instances
                keypoints[row] = np.asarray(found.keypoints[0], np.float32)[self.columns]
                scores[row] = np.clip(np.asarray(found.keypoint_scores[0], np.float32)[self.columns], 0, 1)
        return keypoints, scores

    def without_flip_test(self) -> TopdownEstimator:
        """Return the estimator without the options ``flip_…`` of the model's ``test_cfg``, which mirror the input.

        It shares the modules of the model.

        Raises:
            ValueError: ``test_cfg`` has such an option and is neither a mapping nor a dataclass.
        """
        options: Any = getattr(self.model, 'test_cfg', None)
        is_mapping = isinstance(options, Mapping)
        switched_off = {
            name: False
            for name in MIRRORING
            if (options.get(name, False) if is_mapping else getattr(options, name, False))
        }
        if not switched_off:
            return self
        if not (is_mapping or is_dataclass(options)):
            raise ValueError(
                f'{type(self).__name__}: the flip test cannot be switched off: test_cfg of {type(self.model).__name__} '
                f'is {options!r}'
            )
        single = copy(self)
        single.model = copy(self.model)
        single.model.test_cfg = {**options, **switched_off} if is_mapping else replace(options, **switched_off)
        return single

    def test_step(self, items: Sequence[dict[str, Any]]) -> list[Any]:
        """Run the model on a batch of items of :meth:`item`."""
        found: list[Any] = self.model.test_step(pseudo_collate(items))
        return found

    def item(self, crop: PersonCrop, image: Any) -> dict[str, Any]:
        """Return the output of the transforms for a person.

        Args:
            crop: The person.
            image: ``img``, the input of the transforms, BGR uint8: an image (H, W, 3) or a list of them.
        """
        window, box = crop.window, np.asarray(crop.box, np.float32)
        shape = window.key.image.shape[:2]
        results: dict[str, Any] = {
            **self.metainfo,
            'img': image,
            'img_shape': shape,
            'ori_shape': shape,
            'bbox': box[None],
            'bbox_score': window.people.scores[crop.row][None].astype(np.float32),
            'id': crop.row,
            'img_id': window.key.index,
            'sample_id': f'{window.key.index}/{",".join(f"{side:.2f}" for side in box)}',
            'key_index': len(window.frames) // 2,
        }
        for transform in self.pipeline:
            results = transform(results) or {}
        return results


def split(
    windows: Sequence[FrameWindow], keypoints: np.ndarray, scores: np.ndarray, **of_people: np.ndarray | None
) -> list[FramePoses]:
    """Return the poses of each window from those of all their persons.

    Args:
        windows: The windows.
        keypoints: (N, K, 2) px, of the persons of all windows.
        scores: (N, K).
        **of_people: ``boxes`` and ``crops`` (N, 4) px of :meth:`FrameWindow.poses`, or None.
    """
    found, first = [], 0
    for window in windows:
        own = slice(first, first + len(window.people))
        given = {name: None if values is None else values[own] for name, values in of_people.items()}
        found.append(window.poses(keypoints[own], scores[own], **given))
        first = own.stop
    return found


def bgr(image: np.ndarray) -> np.ndarray:
    """Return an RGB image (H, W, 3) in OpenCV's channel order."""
    return cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2BGR)
