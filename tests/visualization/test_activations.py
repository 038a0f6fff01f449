"""Activations of heatmap denoisers, recorded and drawn."""

import numpy as np
import pytest
import torch
from PIL import Image

from posediff.testing import randomise
from posediff.visualization.activations import record_activations, save_activations

pytest.importorskip('mmpose')
pytest.importorskip('timm')

CODEC = {'type': 'UDPHeatmap', 'input_size': (48, 64), 'heatmap_size': (12, 16)}
LOOKUP = {'type': 'LookupPoseDecoder', 'channels': (8, 8, 8), 'out_channels': 8, 'num_heads': 2}


def build(**changes):
    from posediff.models.estimator import PoseDiffusionEstimator

    config = {
        'data_preprocessor': {'type': 'ClipPreprocessor'},
        'backbone': {
            'type': 'TimmBackbone', 'model_name': 'vit_tiny_patch16_224', 'img_size': (64, 48),
            'model_kwargs': {'embed_dim': 12, 'depth': 1, 'num_heads': 2},
        },
        'conditioner': {'type': 'SingleFrameConditioner', 'in_channels': 12, 'channels': 8},
        'denoiser': {**LOOKUP, 'num_joints': 15, 'heatmap_size': (16, 12), 'condition_channels': 8},
        'noise_scheduler': {'type': 'CosineNoiseScheduler', 'prediction_type': 'sample'},
        'sampler': {'type': 'DDIMSampler', 'spacing': 'diffusiondet'},
        'head': {'type': 'HeatmapHead', 'codec': CODEC},
    } | changes  # fmt: skip
    return randomise(PoseDiffusionEstimator(**config)).eval()


def test_every_step_is_seen_and_sampling_is_what_it_was():
    model = build()
    frames = torch.randn(1, 1, 3, 64, 48)
    steps = record_activations(model, frames, 3)
    assert [step.timestep for step in steps] == [999, 665, 332]
    assert [mask.shape for mask in steps[0].masks] == [(4, 3), (8, 6), (16, 12)]
    assert steps[0].features.shape == (16, 12)
    assert steps[0].features.min() == 0
    assert steps[0].features.max() == 1
    generator = torch.Generator().manual_seed(0)
    condition = model.conditioner(model.extract_features(frames))
    drawn = model.sample(condition, 1, 3, generator=generator)
    np.testing.assert_allclose(steps[-1].heatmaps, drawn[0, 0].numpy(), rtol=1e-4, atol=1e-5)
    assert not any(part.keep_mask for part in model.denoiser.resolutions)


def test_the_picture_has_a_row_a_step(tmp_path):
    direct = build(
        denoiser={'type': 'ConcatPoseDecoder', 'num_joints': 15, 'heatmap_size': (16, 12), 'condition_channels': 8,
                  'channels': 8}
    )  # fmt: skip
    frames = torch.randn(1, 1, 3, 64, 48)
    runs = [(name, record_activations(model, frames, 2)) for name, model in (('lookup', build()), ('direct', direct))]
    assert runs[1][1][0].masks == []
    save_activations(tmp_path / 'picture.png', np.full((64, 48, 3), 99, np.uint8), runs)
    width, height = Image.open(tmp_path / 'picture.png').size
    assert width > 900
    assert height > 900


def test_a_model_without_such_a_denoiser_is_refused():
    control = build(denoiser=None, noise_scheduler=None, sampler=None, head={
        'type': 'HeatmapHead', 'codec': CODEC, 'in_channels': 8, 'channels': 8,
    })  # fmt: skip
    with pytest.raises(ValueError, match='has no layer "detection"'):
        record_activations(control, torch.randn(1, 1, 3, 64, 48), 2)


def test_the_tool_wants_pairs(cli, capsys):
    with pytest.raises(SystemExit, match='2'):
        cli('benchmark.activations').main(['config.py'])
    assert 'pairs of config and checkpoint, got 1 arguments' in capsys.readouterr().err
