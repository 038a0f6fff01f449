"""MMDetection's detectors."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from mmengine.registry import DefaultScope

from posediff.detection.base import BaseDetector
from posediff.integrations.model_zoo import find_model
from posediff.integrations.openmmlab_models import loaded
from posediff.registry import DETECTORS
from posediff.structures.component_choices import CommandLineChoice
from posediff.structures.person_boxes import PersonBoxes, clip_boxes
from posediff.structures.video_frame import VideoFrame


@DETECTORS.register_module()
class MMDetDetector(BaseDetector):
    """A detector that runs any MMDetection model with the class ``person``.

    Args:
        model: Config file, or a name in MMDetection's model zoo.
        checkpoint: File or URL of the weights; None: those of the model zoo; ``'random'``: random weights.
        score_threshold: Boxes with a lower score are discarded.
        device: Device of the model.

    Raises:
        ValueError: The model has no class ``person``; see also :func:`posediff.integrations.model_zoo.find_model`.
    """

    command_line = (
        CommandLineChoice(
            'mmdet:<config file or name>',
            'a detector of MMDetection',
            arguments=lambda chosen: {'model': chosen.value, 'checkpoint': chosen.checkpoint, 'device': chosen.device},
            checkpoint='optional',
            options={'score_threshold': 'discard boxes with a lower score'},
        ),
    )

    def __init__(
        self,
        model: str = 'rtmdet_tiny_8xb32-300e_coco',
        checkpoint: str | Path | None = None,
        score_threshold: float = 0.3,
        device: str = 'cpu',
    ) -> None:
        config, weights = find_model('mmdet', model, checkpoint)
        from mmdet.apis import inference_detector, init_detector

        self.model = loaded(
            'mmdet', model, weights, lambda: init_detector(config, weights, palette='none', device=device)
        )
        classes = [name.lower() for name in self.model.dataset_meta.get('classes', ())]
        if 'person' not in classes:
            raise ValueError(f'detector {model} has no class person, only {", ".join(classes[:5]) or "none"} …')
        self.person = classes.index('person')
        self.score_threshold = score_threshold
        self._infer = inference_detector

    def __call__(self, frames: Sequence[VideoFrame]) -> list[PersonBoxes]:
        if not frames:
            return []
        found = []
        images = [np.ascontiguousarray(frame.image[..., ::-1]) for frame in frames]
        with DefaultScope.overwrite_default_scope('mmdet'):  # transforms are built on every call
            samples = self._infer(self.model, images)
        for sample in samples:
            instances = sample.pred_instances.cpu().numpy()
            kept = (instances.labels == self.person) & (instances.scores >= self.score_threshold)
            found.append(clip_boxes(instances.bboxes[kept], instances.scores[kept], sample.ori_shape))
        return found
