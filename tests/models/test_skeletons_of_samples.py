"""Samples carry their skeleton's name, and a model compares it with its head's."""

from __future__ import annotations

import pytest
import torch
from mmengine.structures import InstanceData

from posediff.registry import HEADS, MODELS
from posediff.structures import PoseDataSample
from posediff.structures.skeleton_check import require_skeleton

FRAMES, JOINTS = 5, 17


def lifter(skeleton: str) -> torch.nn.Module:
    network = {'type': 'MixSTE', 'num_frames': FRAMES, 'channels': 8, 'depth': 2, 'num_heads': 2}
    return MODELS.build({
        'type': 'PoseDiffusionEstimator',
        'data_preprocessor': {'type': 'LiftingPreprocessor'},
        'conditioner': {'type': 'LifterConditioner', 'lifter': {**network, 'skeleton': skeleton}},
        'head': {'type': 'LiftingHead', 'in_channels': 8, 'skeleton': skeleton},
    }).eval()  # fmt: skip


def batch(skeleton: str | None) -> list[dict]:
    meta = {'sample_id': 'walk/3', 'img_shape': (1000, 1000), 'camera': None}
    sample = PoseDataSample(metainfo=meta | ({} if skeleton is None else {'skeleton': skeleton}))
    sample.gt_instances = InstanceData(lifting_target=torch.zeros(FRAMES, JOINTS, 3))
    return [{'inputs': {'keypoints_2d': torch.full((FRAMES, JOINTS, 2), 500.0)}, 'data_samples': sample}]


@pytest.mark.parametrize(
    ('found', 'said'),
    [
        (
            'h36m17',
            r"walk/3: joints of skeleton 'h36m17' where 'mediapipe17' is expected; convert .*convert_joints",
        ),
        ('coco17', "'coco17' where 'mediapipe17' is expected; convert them"),
        ('posetrack15', "'posetrack15' where 'mediapipe17' is expected; convert them"),
    ],
)
def test_another_skeleton_neither_trains_nor_predicts(found: str, said: str) -> None:
    model = lifter('mediapipe17')
    with pytest.raises(ValueError, match=said):
        model(**model.data_preprocessor(batch(found), training=True), mode='loss')
    with pytest.raises(ValueError, match=said):
        model.head.targets([batch(found)[0]['data_samples']])
    with pytest.raises(ValueError, match=said):
        model.test_step(batch(found))


@pytest.mark.parametrize('found', ['mediapipe17', None])
def test_its_own_skeleton_and_one_that_is_not_said_are_taken(found: str | None) -> None:
    model = lifter('mediapipe17')
    assert model(**model.data_preprocessor(batch(found), training=True), mode='loss')['loss'].isfinite()
    assert len(model.test_step(batch(found))) == 1


def test_heatmaps_of_another_skeleton_do_not_train() -> None:
    pytest.importorskip('mmpose', reason='heatmaps are made by codecs of MMPose')
    head = HEADS.build({'type': 'HeatmapHead', 'skeleton': 'posetrack15'})
    sample = PoseDataSample(metainfo={'id': 7, 'skeleton': 'coco17'})
    with pytest.raises(ValueError, match="sample 7: joints .* 'coco17' where 'posetrack15' is expected; there is no"):
        head.targets([sample])


def test_names_decide_and_not_lists_of_joints() -> None:
    require_skeleton('cmu17', 'cmu17', 'here')
    for found, wanted in (('h36m17', 'cmu17'), ('cmu17', 'mediapipe17'), ('mediapipe17', 'cmu17')):
        with pytest.raises(ValueError, match=f'here: .*{found}.*{wanted}.* convert'):
            require_skeleton(found, wanted, 'here')
    with pytest.raises(KeyError, match="unknown skeleton 'coco'; known"):
        require_skeleton('coco', 'coco17', 'here')
