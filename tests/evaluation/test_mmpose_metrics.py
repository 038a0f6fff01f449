"""MMPose's own 3D metric takes our samples unchanged, and agrees."""

import numpy as np
import pytest
from mmengine.structures import InstanceData

from posediff.evaluation.metrics import LiftingMetric
from posediff.structures import PoseDataSample

mmpose_metrics = pytest.importorskip('mmpose.evaluation.metrics', reason='MMPose is not installed')


@pytest.fixture(scope='module')
def samples():
    """Root-relative clips; MMPose reads the action from an image name and does not align roots."""
    generator = np.random.default_rng(0)
    clips = []
    for index, action in enumerate(('Walking', 'Walking', 'Sitting 1')):
        target = generator.normal(scale=300, size=(6, 17, 3)).astype(np.float32)
        pred = target + generator.normal(scale=40, size=target.shape).astype(np.float32)
        sample = PoseDataSample(
            metainfo={
                'sample_id': str(index),
                'skeleton': 'h36m17',
                'action': action,
                'target_img_path': [f'S9_{action}.54138969_{frame:06d}.jpg' for frame in range(6)],
            }
        )
        sample.gt_instances = InstanceData(
            lifting_target=target - target[:, :1], lifting_target_visible=np.ones((6, 17), np.float32)
        )
        sample.pred_instances = InstanceData(keypoints=pred - pred[:, :1])
        clips.append(sample)
    return clips


@pytest.mark.parametrize('mode', ['mpjpe', 'p-mpjpe', 'n-mpjpe'])
def test_mmpose_agrees(samples, mode):
    theirs, ours = mmpose_metrics.MPJPE(mode=mode), LiftingMetric(prefix='m')
    for metric in (theirs, ours):
        metric.process(None, [sample.to_dict() for sample in samples])
    expected, measured = (metric.evaluate(len(samples)) for metric in (theirs, ours))
    name = mode.replace('-', '_')
    assert measured[f'm/{name}'] == pytest.approx(expected[mode.upper()], rel=1e-5)
    for action in ('Walking', 'Sitting 1'):
        assert measured[f'm/action/{action}/{name}'] == pytest.approx(expected[f'{mode.upper()}_{action}'], rel=1e-5)
