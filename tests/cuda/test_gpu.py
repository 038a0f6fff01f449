"""On a real CUDA device: what the fake one cannot show. ``make test ARGS='-m gpu'`` runs these."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.structures import InstanceData, PixelData

import posediff
from posediff.engine.config import load_config
from posediff.lifting import LiftingStream, lift_keypoints
from posediff.models import PoseDiffusionEstimator
from posediff.models.layers.attention import attend_by_products, attend_fused
from posediff.structures import PoseDataSample

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason='needs a CUDA device'),
]

ROOT = Path(__file__).resolve().parents[2]
FRAMES = 9


def lifter() -> Config:
    """A small DiffHPE-2D."""
    cfg = load_config(ROOT / 'configs/lifting_3d/diffhpe/diffhpe-2d_27f_cmu.py')
    cfg.model.denoiser.update(channels=16, num_layers=2, num_frames=FRAMES, step_channels=8)
    cfg.model.setdefault('test_cfg', {}).update(num_hypotheses=2, num_inference_steps=3)
    return cfg


def lifting_items() -> list[dict]:
    generator = torch.Generator().manual_seed(0)
    items = []
    for index in range(4):
        sample = PoseDataSample(metainfo={'sample_id': f'clip{index}', 'img_shape': (1000, 1000), 'skeleton': 'cmu17'})
        target = 300 * torch.randn(FRAMES, 17, 3, generator=generator)
        sample.gt_instances = InstanceData(lifting_target=target, lifting_target_visible=torch.ones(FRAMES, 17))
        keypoints = 1000 * torch.rand(FRAMES, 17, 2, generator=generator)
        items.append({'inputs': {'keypoints_2d': keypoints}, 'data_samples': sample})
    return items


def diffpose() -> Config:
    """DiffPose of crops of 96×128 px with the smallest of timm's ViTs."""
    pytest.importorskip('mmpose')
    pytest.importorskip('timm')
    cfg = load_config(ROOT / 'configs/video_2d_heatmap/diffpose/diffpose_vit-t_synthetic-128x96.py')
    cfg.model.backbone.pop('checkpoint')
    cfg.model.backbone.pretrained = False
    return cfg


def clips() -> list[dict]:
    generator = torch.Generator().manual_seed(0)
    items = []
    for index in range(4):
        sample = PoseDataSample(metainfo={'sample_id': f'clip{index}', 'skeleton': 'posetrack15'})
        sample.gt_fields = PixelData(heatmaps=torch.rand(17, 32, 24, generator=generator))
        sample.gt_instance_labels = InstanceData(keypoint_weights=torch.ones(1, 17))
        frames = torch.randint(0, 256, (5, 3, 128, 96), generator=generator, dtype=torch.uint8)
        items.append({'inputs': frames, 'data_samples': sample})
    return items


def train(model: PoseDiffusionEstimator, items: list[dict], dtype: torch.dtype | None) -> None:
    """Three training steps; the last one may not wait for the device: the first ones allocate and choose kernels."""
    device = next(model.parameters()).device
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for step in range(3):
        data = model.data_preprocessor(items, True)
        torch.cuda.synchronize()
        torch.cuda.set_sync_debug_mode('error' if step == 2 else 'default')
        try:
            with torch.autocast(device.type, dtype or torch.bfloat16, enabled=dtype is not None):
                loss = model(**data, mode='loss')['loss']
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad()
        finally:
            torch.cuda.set_sync_debug_mode('default')
        assert bool(torch.isfinite(loss))


@pytest.mark.parametrize('dtype', [None, torch.bfloat16, torch.float16])
def test_a_lifter_trains_without_a_wait(dtype):
    train(posediff.init_model(lifter(), device='cuda').train(), lifting_items(), dtype)


@pytest.mark.parametrize('dtype', [None, torch.bfloat16, torch.float16])
def test_diffpose_trains_without_a_wait(dtype):
    train(posediff.init_model(diffpose(), device='cuda').train(), clips(), dtype)


def test_poses_are_those_of_the_cpu():
    cfg = lifter()
    torch.manual_seed(0)
    model = posediff.init_model(cfg)
    state = model.state_dict()
    keypoints = np.random.default_rng(0).uniform(0, 480, (20, 17, 2)).astype(np.float32)
    options = {'img_shape': (480, 640), 'skeleton': 'cmu17'}
    expected = lift_keypoints(model, keypoints, **options)['hypotheses']
    on_cuda = posediff.init_model(cfg, device='cuda')
    on_cuda.load_state_dict(state)
    np.testing.assert_allclose(lift_keypoints(on_cuda, keypoints, **options)['hypotheses'], expected, atol=2.0)
    stream = LiftingStream(on_cuda, (480, 640), skeleton='cmu17', causal=True, batch_size=1)
    stream.push('somebody', keypoints[0], np.ones(17, bool))
    assert len(list(stream.ready())) == 1


def test_more_rows_of_attention_than_a_kernel_takes():
    rows = torch.randn(70_000, 1, 2, 4, 16, device='cuda')
    for dtype in (torch.float32, torch.float16):
        given = rows.to(dtype).requires_grad_()
        found = attend_fused(given, given, given)
        found.sum().backward()
        torch.testing.assert_close(found, attend_by_products(given, given, given), rtol=2e-2, atol=2e-2)
        given.grad = None


def test_synchronised_normalisation_on_one_process():
    torch.cuda.set_device(0)
    torch.distributed.init_process_group('nccl', store=torch.distributed.HashStore(), rank=0, world_size=1)
    try:
        cfg = lifter()
        model = posediff.init_model(cfg, device='cuda').train()
        model = torch.nn.SyncBatchNorm.convert_sync_batchnorm(model)
        data = model.data_preprocessor(lifting_items(), True)
        wrapped = torch.nn.parallel.DistributedDataParallel(model, device_ids=[0])
        wrapped(**data, mode='loss')['loss'].backward()
        assert all(one.grad is not None for one in model.parameters() if one.requires_grad)
    finally:
        torch.distributed.destroy_process_group()


def test_frames_become_heatmaps():
    pytest.importorskip('mmpose')
    pytest.importorskip('timm')
    from posediff.pose_estimation import DiffPoseEstimator
    from posediff.pose_estimation.base import FrameWindow
    from posediff.structures.person_boxes import PersonBoxes
    from posediff.structures.video_frame import VideoFrame
    from posediff.testing.tiny_models import diffpose_config

    estimator = DiffPoseEstimator(diffpose_config(), 'random', device='cuda')
    rng = np.random.default_rng(0)
    pictures = tuple(VideoFrame(index, index / 25, rng.integers(0, 256, (120, 160, 3), np.uint8)) for index in range(3))
    people = PersonBoxes(np.array([[10, 10, 70, 110]], np.float32), np.ones(1, np.float32))
    (poses,) = estimator([FrameWindow(pictures, people)])
    assert np.isfinite(poses.keypoints_2d).all()
