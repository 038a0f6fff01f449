"""What users call with ``device='cuda'``, on a fake one: it runs, and waits only where it hands something over."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

import posediff
from posediff.engine.config import load_config
from posediff.lifting import LiftingStream, lift_keypoints
from posediff.pose_estimation import DiffPoseEstimator, MMPoseEstimator, MoveNetEstimator
from posediff.pose_estimation.base import FrameWindow
from posediff.structures.person_boxes import PersonBoxes
from posediff.structures.video_frame import VideoFrame
from posediff.testing.tiny_models import diffpose_config

ROOT = Path(__file__).resolve().parents[2]
FRAMES = 20

# Where lifting may wait: at the end of a batch its poses go to the host.
STREAM = 'posediff/lifting/stream.py:_lift'


@pytest.fixture(params=['mixste', 'diffhpe'])
def lifter(request):
    """A small lifter without diffusion, or with it, on the CPU: which config, and how it is shrunk."""
    if request.param == 'mixste':
        cfg = load_config(ROOT / 'configs/lifting_3d/mixste/mixste-c64-d4_27f_cmu.py')
        cfg.model.conditioner.lifter.update(channels=8, depth=1, num_frames=9)
        cfg.model.head.in_channels = 8
    else:
        cfg = load_config(ROOT / 'configs/lifting_3d/diffhpe/diffhpe-2d_27f_cmu.py')
        cfg.model.denoiser.update(channels=8, num_layers=1, num_frames=9, step_channels=8)
        cfg.model.setdefault('test_cfg', {}).update(num_hypotheses=2, num_inference_steps=2)
    return cfg


@pytest.mark.parametrize('causal', [False, True])
def test_a_stream_waits_once_a_batch_for_its_poses(fake_cuda, lifter, causal):
    model = posediff.init_model(lifter, device='cuda')
    assert next(model.parameters()).device.type == 'cuda'
    stream = LiftingStream(model, (480, 640), skeleton='cmu17', batch_size=4, causal=causal)
    fake_cuda.waits.clear()
    rng = np.random.default_rng(0)
    for _ in range(FRAMES):
        stream.push('somebody', rng.uniform(0, 480, (17, 2)).astype(np.float32), np.ones(17, bool))
    stream.end('somebody')
    stream.flush()
    found = list(stream.ready())
    assert sum(len(part.joints_3d) for part in found) == FRAMES
    batches = -(-FRAMES // 4) if causal else 2
    assert fake_cuda.waits
    assert not fake_cuda.unlisted([(STREAM, batches)])


def test_keypoints_of_a_clip_are_lifted(fake_cuda, lifter):
    model = posediff.init_model(lifter, device='cuda')
    fake_cuda.waits.clear()
    keypoints = np.random.default_rng(0).uniform(0, 480, (FRAMES, 17, 2)).astype(np.float32)
    lifted = lift_keypoints(model, keypoints, skeleton='cmu17', img_shape=(480, 640))
    assert lifted['joints_3d'].shape == (FRAMES, 17, 3)
    assert not fake_cuda.unlisted([(STREAM, 1)])


SAMPLER_CONFIGS = [
    {'type': 'DDIMSampler'},
    {'type': 'DDIMSampler', 'eta': 1.0},
    {'type': 'DDPMSampler'},
    {'type': 'DPMSolverSampler'},
    {'type': 'DiffusersSampler', 'scheduler': 'DDIMScheduler'},
    {'type': 'DiffusersSampler', 'scheduler': 'DPMSolverMultistepScheduler'},
    {'type': 'DiffusersSampler', 'scheduler': 'EulerAncestralDiscreteScheduler'},
]


@pytest.mark.parametrize('sampler', SAMPLER_CONFIGS, ids=lambda config: '-'.join(map(str, config.values())))
def test_no_sampler_waits_between_noise_and_pose(fake_cuda, sampler):
    if sampler['type'] == 'DiffusersSampler':
        pytest.importorskip('diffusers')
    cfg = load_config(ROOT / 'configs/lifting_3d/diffhpe/diffhpe-2d_27f_cmu.py')
    cfg.model.denoiser.update(channels=8, num_layers=1, num_frames=9, step_channels=8)
    cfg.model.sampler = sampler
    model = posediff.init_model(cfg, device='cuda')
    keypoints = torch.zeros((2, 9, 17, 2), device='cuda')
    fake_cuda.waits.clear()
    x_0 = model.sample(model.conditioner(keypoints), num_hypotheses=3, num_inference_steps=5)
    assert x_0.shape == (2, 3, 9, 17, 3)
    assert x_0.device.type == 'cuda'
    assert not fake_cuda.waits


def window(frames: int) -> FrameWindow:
    """Two people in frames of noise."""
    rng = np.random.default_rng(0)
    pictures = tuple(
        VideoFrame(index, index / 25, rng.integers(0, 256, (120, 160, 3), np.uint8)) for index in range(frames)
    )
    boxes = np.array([[10, 10, 70, 110], [60, 20, 120, 100]], np.float32)
    return FrameWindow(pictures, PersonBoxes(boxes, np.ones(2, np.float32)))


def test_diffpose_finds_keypoints(fake_cuda):
    pytest.importorskip('mmpose')
    pytest.importorskip('timm')
    estimator = DiffPoseEstimator(diffpose_config(), 'random', device='cuda')
    assert next(estimator.model.parameters()).device.type == 'cuda'
    fake_cuda.waits.clear()
    (poses,) = estimator([window(3)])
    assert poses.keypoints_2d.shape == (2, estimator.skeleton.num_joints, 2)
    assert not fake_cuda.unlisted([('posediff/models/heads/person_keypoints.py:attach', 1)])


def test_a_model_of_mmpose_finds_keypoints(fake_cuda):
    pytest.importorskip('mmpose')
    estimator = MMPoseEstimator('rtmpose-t_8xb256-420e_body8-256x192', 'random', device='cuda')
    assert next(estimator.model.parameters()).device.type == 'cuda'
    fake_cuda.waits.clear()
    (poses,) = estimator([window(1)])
    assert poses.keypoints_2d.shape == (2, estimator.skeleton.num_joints, 2)
    allowed = [
        # before the network: MMEngine copies pictures, and the index that reverses their channels, one by one
        ('mmengine/model/base_model/data_preprocessor.py:cast_data', 4),
        ('mmengine/model/base_model/data_preprocessor.py:forward', 2),
        # in MMPose's mirrored test: which joints change sides
        ('mmpose/models/utils/tta.py:flip_vectors', 4),
        # the end: coordinates go to the host, clip by clip
        ('mmpose/utils/tensor_utils.py:to_numpy', 4),
    ]
    assert not fake_cuda.unlisted(allowed)


def test_movenet_finds_keypoints(fake_cuda):
    estimator = MoveNetEstimator('lightning', 'random', input_size=(64, 64), device='cuda')
    assert next(estimator.network.parameters()).device.type == 'cuda'
    fake_cuda.waits.clear()
    (poses,) = estimator([window(1)])
    assert poses.keypoints_2d.shape == (2, 17, 2)
    # the crops go to the device, keypoints and scores to the host, once a batch
    assert not fake_cuda.unlisted([('posediff/pose_estimation/movenet.py:_estimate', 3)])


def test_the_device_is_cuda_all_the_way(fake_cuda, lifter):
    model = posediff.init_model(lifter, device='cuda')
    stray = [name for name, one in (*model.named_parameters(), *model.named_buffers()) if one.device.type != 'cuda']
    assert not stray
    assert torch.device(model.data_preprocessor.device).type == 'cuda'
