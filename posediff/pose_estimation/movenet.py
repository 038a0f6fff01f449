"""MoveNet as a 2D pose estimator."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from posediff.fileio.checkpoint import check_state, load_state
from posediff.integrations.movenet_weights import MoveNet
from posediff.models.backbones.movenet_keypoints import decode_person, mirrored_maps
from posediff.pose_estimation.base import BasePoseEstimator, FrameWindow
from posediff.registry import POSE_ESTIMATORS
from posediff.structures.argument_checks import require_whole
from posediff.structures.component_choices import CommandLineChoice
from posediff.structures.frame_poses import FramePoses
from posediff.structures.skeletons import COCO17

OPTIONS = {
    'flip_test': 'average with the mirrored crop, True or False',
    'batch_size': 'crops per batch',
}


@POSE_ESTIMATORS.register_module()
class MoveNetEstimator(BasePoseEstimator):
    """A pose estimator that runs Google's MoveNet on crops of the persons.

    Args:
        variant: ``'lightning'`` or ``'thunder'``.
        checkpoint: File of ``posediff convert movenet``; ``'random'``: random weights.
        input_size: (width, height) of the crops in px, multiples of 32. A crop has the aspect of the input and holds
            the box, enlarged by ``padding``.
        padding: Factor of the box.
        flip_test: Average the maps with those of the mirrored crop.
        batch_size: Crops per batch.
        device: Device of the network.

    Raises:
        ValueError: An argument is out of range, or the checkpoint does not fit.
    """

    command_line = tuple(
        CommandLineChoice(
            f'movenet-{variant}',
            f'MoveNet {variant.capitalize()}; its weights are converted by posediff convert movenet',
            arguments=lambda chosen: {
                'variant': chosen.value.removeprefix('movenet-'), 'checkpoint': chosen.checkpoint,
                'device': chosen.device,
            },
            checkpoint='required',
            options=OPTIONS,
        )
        for variant in ('lightning', 'thunder')
    )  # fmt: skip

    skeleton = COCO17

    def __init__(
        self,
        variant: str,
        checkpoint: str | Path,
        input_size: tuple[int, int] = (192, 256),
        padding: float = 1.25,
        flip_test: bool = True,
        batch_size: int = 16,
        device: str = 'cpu',
    ) -> None:
        owner = type(self).__name__
        require_whole(owner, {'batch_size': batch_size, **dict(zip(('width', 'height'), input_size, strict=True))}, 1)
        if any(side % 32 for side in input_size) or not padding >= 1:
            raise ValueError(
                f'{owner}: input_size must be multiples of 32 px and padding at least 1, got {input_size} and {padding}'
            )
        self.size = np.array(input_size)
        self.padding, self.flip_test, self.batch_size = padding, flip_test, batch_size
        self.device = torch.device(device)
        self._flip_indices = torch.tensor(COCO17.flip_indices, device=self.device)
        network = MoveNet(variant)
        if checkpoint != 'random':
            state = load_state(checkpoint)
            check_state(network, state, checkpoint)
            network.load_state_dict(state)
        self.network = network.to(self.device).eval()

    def __call__(self, windows: Sequence[FrameWindow]) -> list[FramePoses]:
        crops, places = [], []
        for window in windows:
            for box in window.people.boxes:
                crop, place = self._crop(window.key.image, box)
                crops.append(crop)
                places.append(place)
        keypoints, scores = self._estimate(crops)
        found, first = [], 0
        for window in windows:
            own = slice(first, first + len(window.people))
            first = own.stop
            center, scale = (
                np.array([place[part] for place in places[own]]).reshape(-1, 1, width)
                for part, width in ((0, 2), (1, 1))
            )
            in_image = center + (keypoints[own] - self.size / 2) * scale
            found.append(window.poses(in_image.astype(np.float32), scores[own]))
        return found

    def without_flip_test(self) -> MoveNetEstimator:
        """Return the estimator with ``flip_test=False``; it shares the network."""
        if not self.flip_test:
            return self
        single = copy(self)
        single.flip_test = False
        return single

    def _crop(self, image: np.ndarray, box: np.ndarray) -> tuple[np.ndarray, tuple[np.ndarray, float]]:
        """Return the crop (h, w, 3), and its centre and image px per px of the crop; outside the image it is black."""
        center = (box[:2] + box[2:]) / 2
        scale = max(float(np.max(self.padding * (box[2:] - box[:2]) / self.size)), 1e-3)
        shift = self.size / 2 - center / scale
        matrix = np.array([[1 / scale, 0, shift[0]], [0, 1 / scale, shift[1]]])
        return cv2.warpAffine(image, matrix, tuple(self.size.tolist())), (center, scale)

    def _estimate(self, crops: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """Return keypoints (N, 17, 2) in px of the crops, and scores (N, 17)."""
        keypoints: list[Tensor] = [torch.empty(0, COCO17.num_joints, 2)]
        scores: list[Tensor] = [torch.empty(0, COCO17.num_joints)]
        for first in range(0, len(crops), self.batch_size):
            images = torch.from_numpy(np.stack(crops[first : first + self.batch_size])).to(self.device)
            with torch.no_grad():
                images = images.permute(0, 3, 1, 2).float() / 127.5 - 1
                maps = self.network(images)
                if self.flip_test:
                    other = mirrored_maps(self.network(images.flip(-1)), self._flip_indices)
                    maps = {name: (values + other[name]) / 2 for name, values in maps.items()}
                points, values = decode_person(maps)
            keypoints.append(points.cpu())
            scores.append(values.cpu())
        return torch.cat(keypoints).numpy(), torch.cat(scores).clamp(0, 1).numpy()
