"""MMPose's own 3D metric takes our samples unchanged, and agrees."""

import numpy as np
import pytest
from mmengine.structures import InstanceData

from posediff.datasets.camera_sampling import draw_camera, get_camera_preset
from posediff.datasets.mocap import CMUMocapDataset
from posediff.datasets.mocap_files import MocapClip, save_subject
from posediff.evaluation.metrics import LiftingMetric
from posediff.registry import MODELS
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


def test_mmpose_takes_what_the_estimator_predicts(tmp_path):
    """From a data set through a model; clips are whole windows, since MMPose would count shared frames twice."""
    rng = np.random.default_rng(0)
    clips = []
    for action in ('walk', 'run'):
        joints = rng.normal(0, 0.2, (10, 17, 3)) + [0, 0, 1]
        camera = draw_camera(1000 * joints, 0.0, get_camera_preset('wild'), rng)
        clips.append(MocapClip(f'01_{action}', '01', action, action, joints.astype(np.float32), [camera]))
    save_subject(tmp_path / '01.npz', clips, fps=50.0, seed=0, preset='wild')
    dataset = CMUMocapDataset(f'{tmp_path}/', subjects=['01'], window_size=5, test_mode=True)
    lifter = {'type': 'MixSTE', 'num_frames': 5, 'channels': 8, 'depth': 1, 'num_heads': 2}
    model = MODELS.build(
        {
            'type': 'PoseDiffusionEstimator',
            'data_preprocessor': {'type': 'LiftingPreprocessor'},
            'conditioner': {'type': 'LifterConditioner', 'lifter': lifter},
            'head': {'type': 'LiftingHead', 'in_channels': 8, 'skeleton': 'cmu17'},
        }
    ).eval()
    samples = model.test_step([dataset[index] for index in range(len(dataset))])
    theirs, ours = mmpose_metrics.MPJPE(), LiftingMetric(prefix='m')
    for metric in (theirs, ours):
        metric.process(None, [sample.to_dict() for sample in samples])
    expected, measured = (metric.evaluate(len(samples)) for metric in (theirs, ours))
    assert measured['m/mpjpe_unaligned'] == pytest.approx(expected['MPJPE'], rel=1e-5)
    assert measured['m/action/walk/mpjpe_unaligned'] == pytest.approx(expected['MPJPE_walk'], rel=1e-5)
