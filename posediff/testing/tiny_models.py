"""Configs of tiny models, which are built in less than a second."""

from __future__ import annotations

from mmengine.config import Config


def diffpose_config() -> Config:
    """Return the config of a tiny DiffPose over three frames, for crops of 48 by 64 px, with its test pipeline."""
    codec = {'type': 'UDPHeatmap', 'input_size': (48, 64), 'heatmap_size': (12, 16), 'sigma': 1.0}
    vit = {'embed_dim': 12, 'depth': 1, 'num_heads': 2}
    model = {
        'type': 'PoseDiffusionEstimator',
        'data_preprocessor': {'type': 'ClipPreprocessor'},
        'backbone': {
            'type': 'TimmBackbone', 'model_name': 'vit_tiny_patch16_224', 'img_size': (64, 48), 'model_kwargs': vit,
        },
        'conditioner': {
            'type': 'SpatioTemporalConditioner', 'in_channels': 12, 'num_frames': 3, 'size': (4, 3), 'channels': 8,
            'depth': 1,
        },
        'denoiser': {
            'type': 'LookupPoseDecoder', 'num_joints': 15, 'heatmap_size': (16, 12), 'condition_channels': 8,
            'channels': (8, 8, 8), 'out_channels': 8,
        },
        'noise_scheduler': {'type': 'CosineNoiseScheduler', 'prediction_type': 'sample'},
        'sampler': {'type': 'DDIMSampler', 'spacing': 'diffusiondet'},
        'head': {
            'type': 'HeatmapHead', 'codec': codec, 'num_label_joints': 17,
            'label_joints': (0, 1, 2, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16),
        },
        'test_cfg': {'num_hypotheses': 2, 'num_inference_steps': 1},
    }  # fmt: skip
    meta_keys = ('id', 'img_id', 'sample_id', 'key_index', 'input_size', 'input_center', 'input_scale')
    pipeline = [
        {'type': 'LoadClip'},
        {'type': 'mmpose.GetBBoxCenterScale', 'padding': 1.25},
        {'type': 'mmpose.TopdownAffine', 'input_size': (48, 64), 'use_udp': True},
        {'type': 'mmpose.PackPoseInputs', 'meta_keys': meta_keys},
    ]
    return Config({'default_scope': 'posediff', 'model': model, 'test_pipeline': pipeline})
