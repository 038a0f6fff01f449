"""Single-frame ViTPose with a temporal average, against averages made by hand from MMPose's own model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from mmengine.dataset import pseudo_collate
from mmengine.structures import InstanceData, PixelData

import posediff
from posediff.engine.config import load_config
from posediff.registry import MODELS
from posediff.structures import PoseDataSample

pytest.importorskip('mmpose')
pytest.importorskip('mmpretrain')

FOLDER = Path(__file__).resolve().parents[2] / 'configs/video_2d_heatmap/baselines'
SINGLE, AVERAGE = 'vitpose-b_posetrack17-256x192', 'vitpose-b_temporal-average_posetrack17-256x192'
JOINTS = 17
FLIP = [0, 1, 2, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15]


def tiny(name: str) -> Any:
    # UDP's refinement would amplify rounding differences where heatmaps of random weights are flat
    cfg = load_config(FOLDER / f'{name}.py', {'input_size': (64, 64), 'codec.type': 'MSRAHeatmap'})
    cfg.model.backbone.arch = {'embed_dims': 12, 'num_layers': 1, 'num_heads': 2, 'feedforward_channels': 24}
    cfg.model.head.update(in_channels=12, deconv_out_channels=(8, 8))
    return cfg


def clips(num_frames: int) -> list[dict[str, Any]]:
    """Return three clips of different frames, with different crops."""
    rng = np.random.default_rng(0)
    items = []
    for index in range(3):
        sample = PoseDataSample()
        sample.set_metainfo(
            {'input_size': (64, 64), 'input_center': np.array([100.0 + index, 50.0]), 'flip_indices': FLIP,
             'input_scale': np.array([128.0, 128.0])}
        )  # fmt: skip
        sample.gt_instances = InstanceData(bboxes=np.zeros((1, 4)), bbox_scores=np.ones(1))
        sample.gt_instance_labels = InstanceData(keypoint_weights=torch.ones(1, JOINTS))
        sample.gt_fields = PixelData(heatmaps=torch.from_numpy(rng.random((JOINTS, 16, 16), np.float32)))
        frames = torch.from_numpy(rng.integers(0, 256, (num_frames, 3, 64, 64), np.uint8))
        items.append({'inputs': frames, 'data_samples': sample})
    return items


@pytest.fixture
def models(tmp_path) -> tuple[Any, Any]:
    """Return MMPose's model with random weights, and the average from the checkpoint of it."""
    torch.manual_seed(0)
    single = posediff.init_model(tiny(SINGLE))
    for parameter in single.parameters():
        parameter.data = 0.3 * torch.randn_like(parameter)
    torch.save({'state_dict': single.state_dict()}, tmp_path / 'single.pth')
    return single, posediff.init_model(tiny(AVERAGE), tmp_path / 'single.pth')


def frame_heatmaps(single: Any, frame: torch.Tensor) -> np.ndarray:
    data = single.data_preprocessor(pseudo_collate([{'inputs': frame, 'data_samples': clips(1)[0]['data_samples']}]))
    with torch.no_grad():
        return single(**data, mode='tensor')[0].numpy()


@pytest.mark.parametrize('flip_test', [False, True])
def test_keypoints_are_those_of_the_mean_of_the_heatmaps_of_the_frames(models, flip_test):
    single, average = models
    average.test_cfg['flip_test'] = flip_test
    items = clips(5)
    for item, sample in zip(clips(5), average.test_step(pseudo_collate(items)), strict=True):
        heatmaps = [frame_heatmaps(single, frame) for frame in item['inputs']]
        if flip_test:
            heatmaps += [frame_heatmaps(single, frame.flip(-1))[FLIP, :, ::-1] for frame in item['inputs']]
        keypoints, scores = single.head.decoder.decode(np.mean(heatmaps, axis=0))
        expected = keypoints / 64 * 128 + item['data_samples'].input_center - 64
        np.testing.assert_allclose(sample.pred_instances.keypoints, expected, atol=1e-3)
        np.testing.assert_allclose(sample.pred_instances.keypoint_scores, scores, atol=1e-5)
        alone = single.head.decoder.decode(heatmaps[2])[0] / 64 * 128 + item['data_samples'].input_center - 64
        assert np.abs(alone - expected).max() > 1, 'the key frame alone would pass'


def test_a_window_of_one_frame_is_the_model_of_mmpose(models):
    single, average = models
    still = [{**item, 'inputs': item['inputs'][0]} for item in clips(1)]
    expected = single.test_step(pseudo_collate(still))
    for found, wanted in zip(average.test_step(pseudo_collate(clips(1))), expected, strict=True):
        np.testing.assert_allclose(found.pred_instances.keypoints, wanted.pred_instances.keypoints, atol=1e-3)
        assert set(found.pred_instances.keys()) == set(wanted.pred_instances.keys())


def test_training_uses_the_key_frame(models):
    single, average = models
    losses = {}
    for name, model, items in (
        ('average', average, clips(5)),
        ('single', single, [{**item, 'inputs': item['inputs'][2]} for item in clips(5)]),
    ):
        data = model.data_preprocessor(pseudo_collate(items), True)
        losses[name] = model.eval()(**data, mode='loss')['loss_kpt']
    torch.testing.assert_close(losses['average'], losses['single'])


def test_a_reference_that_was_not_resolved_is_an_error():
    with pytest.raises(ValueError, match='TemporalAverageEstimator'):
        MODELS.build({'type': 'TemporalAverageEstimator', 'backbone': {'depth': '${depth}'}})
