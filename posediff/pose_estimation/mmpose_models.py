"""Models of MMPose as 2D pose estimators."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from posediff.integrations.model_zoo import find_model
from posediff.integrations.openmmlab_models import loaded
from posediff.pose_estimation.topdown import PersonCrop, TopdownEstimator, bgr
from posediff.registry import POSE_ESTIMATORS
from posediff.structures.component_choices import CommandLineChoice
from posediff.structures.skeletons import match_skeleton


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

    def predict(self, crops: Sequence[PersonCrop]) -> list[Any]:
        images = {id(crop.window.key.image): crop.window.key.image for crop in crops}
        converted = {key: bgr(image) for key, image in images.items()}
        return self.test_step([self.item(crop, converted[id(crop.window.key.image)]) for crop in crops])
