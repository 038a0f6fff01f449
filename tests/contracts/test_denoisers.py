"""Contract tests of the denoisers of posediff and of installed plugins."""

from __future__ import annotations

from posediff.testing import ContractCase
from posediff.testing.contracts.denoisers import DenoiserContract

POSE = {'state_shape': (5, 17, 3), 'condition_shape': (5, 17, 2)}
HEATMAPS = {'state_shape': (3, 16, 12), 'condition_shape': (6, 4, 3)}
HEATMAP_SIZES = {'num_joints': 3, 'heatmap_size': (16, 12), 'condition_channels': 6, 'step_channels': 8}
LOOKUP = {**HEATMAP_SIZES, 'out_channels': 8, 'num_heads': 2, 'depth': 1}
KEYPOINTS = {
    'num_joints': 3, 'input_size': (48, 64), 'heatmap_size': (16, 12), 'map_channels': 6, 'channels': 8, 'num_heads': 2,
    'step_channels': 8,
}  # fmt: skip
CSDI_DEPTHS = {'num_frames': 5, 'channels': 8, 'num_layers': 2, 'num_heads': 2, 'feedforward_channels': 8}
CSDI_WIDTHS = {'frame_channels': 8, 'joint_channels': 4, 'step_channels': 8}
GRAPH = {'num_frames': 5, 'channels': 8, 'num_layers': 2, 'step_channels': 8, 'num_train_timesteps': 50}
GRAFORMER = {'channels': 8, 'num_layers': 2, 'num_heads': 2}
FMPOSE3D = {'channels': 16, 'num_layers': 2, 'num_heads': 2, 'hidden_channels': 24, 'time_channels': 8}
# Stochastic depth has no effect in eval mode.
MIXSTE = {'num_frames': 5, 'channels': 8, 'depth': 2, 'num_heads': 2, 'drop_path_rate': 0.1}

CASES = {
    'CSDIDenoiser': [ContractCase(CSDI_DEPTHS | CSDI_WIDTHS, **POSE)],
    'CTGCNDenoiser': [
        ContractCase(GRAPH | {'condition_channels': 2}, **POSE),
        ContractCase(
            GRAPH | {'condition_channels': 6, 'pose_channels': 6}, state_shape=(5, 17, 3), condition_shape=(5, 17, 6)
        ),
    ],
    'ConcatPoseDecoder': [ContractCase({**HEATMAP_SIZES, 'channels': 8}, **HEATMAPS)],
    'FMPose3DDenoiser': [
        ContractCase(FMPOSE3D | {'num_frames': 5}, **POSE, continuous_time=True),
        ContractCase({**FMPOSE3D, 'condition_channels': 6}, state_shape=(1, 17, 3), condition_shape=(1, 17, 6)),
    ],
    'GraFormerDenoiser': [
        ContractCase(GRAFORMER, state_shape=(1, 17, 5), condition_shape=(1, 17, 5), uses_condition=False),
        ContractCase({**GRAFORMER, 'num_frames': 5, 'state_channels': 3, 'condition_channels': 2}, **POSE),
    ],
    'KeypointDecoder': [ContractCase(KEYPOINTS, state_shape=(3, 2), condition_shape=(6 + 3, 16, 12))],
    'LookupPoseDecoder': [
        ContractCase({**LOOKUP, 'channels': (8, 8, 8)}, **HEATMAPS),
        ContractCase({**LOOKUP, 'channels': (8, 6), 'fusion': 'concat'}, **HEATMAPS),
        ContractCase({**LOOKUP, 'channels': (8,), 'refine_depth': 2}, **HEATMAPS),
        ContractCase({**LOOKUP, 'channels': (8, 6), 'masks': 'joint'}, **HEATMAPS),
        ContractCase({**LOOKUP, 'channels': (8, 6), 'self_conditioning': True}, **HEATMAPS),
    ],
    'MixSTEDenoiser': [
        ContractCase(MIXSTE, **POSE),
        ContractCase({**MIXSTE, 'self_conditioning': True}, **POSE),
        ContractCase({**MIXSTE, 'clip_x_t': 1.5}, **POSE),
        ContractCase(MIXSTE, **POSE, continuous_time=True),
    ],
    'TemporalTransformerDenoiser': [
        ContractCase(MIXSTE, **POSE),
        ContractCase({**MIXSTE, 'self_conditioning': True}, **POSE),
        ContractCase(MIXSTE, **POSE, continuous_time=True),
    ],
}


class TestDenoisers(DenoiserContract):
    cases = CASES
