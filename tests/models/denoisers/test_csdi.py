"""CSDIDenoiser against CSDI's own code.

``csdi_reference.npz`` was made by running ``diff_CSDI`` and ``CSDI_base.time_embedding`` of github.com/ermongroup/CSDI
(commit 7f24a43) unchanged, in eval mode and float32, with torch 2.11: K = 17, L = 5, channels 8, 2 layers, 2 heads,
step embedding 8, 50 steps, side information of 8 (time) + 4 (feature) + 2 channels, ``inputdim=3``, random weights that
float16 holds exactly. What a caller of theirs makes is in it too: the table of steps, the time embedding, the vectors
of features. CSDI predicts one value for each feature and moment, a denoiser of poses three: the reference was run three
times, with another last layer each, and nothing else changed.

By design other than CSDI's: the axes are (T, K) and not (K, L); the condition comes first in the side information; the
input is the noisy pose alone, without a second channel of what was observed, which the condition holds.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from posediff.models.denoisers.csdi import CSDIDenoiser

LAYER = {
    'diffusion_projection': 'step_projection',
    'cond_projection': 'side_projection',
    'mid_projection': 'mid_projection',
    'output_projection': 'output_projection',
    'time_layer.layers.0': 'frame_layer',
    'feature_layer.layers.0': 'joint_layer',
}
OUTSIDE = {
    'diffusion_embedding.projection1': 'step_embedding.hidden',
    'diffusion_embedding.projection2': 'step_embedding.output',
    'input_projection': 'input_projection',
    'output_projection1': 'output_hidden',
}


def renamed(name: str) -> str:
    if name.startswith('residual_layers.'):
        _, number, rest = name.split('.', 2)
        theirs = next(part for part in LAYER if rest.startswith(f'{part}.'))
        return f'layers.{number}.{LAYER[theirs]}{rest.removeprefix(theirs)}'
    theirs = next(part for part in OUTSIDE if name.startswith(f'{part}.'))
    return OUTSIDE[theirs] + name.removeprefix(theirs)


@pytest.fixture(scope='module')
def reference() -> dict[str, torch.Tensor]:
    with np.load(Path(__file__).with_name('csdi_reference.npz')) as archive:
        found = {name: torch.from_numpy(archive[name]) for name in archive.files}
    return {name: value.float() if value.is_floating_point() else value for name, value in found.items()}


@pytest.fixture(scope='module')
def denoiser(reference: dict[str, torch.Tensor]) -> CSDIDenoiser:
    network = CSDIDenoiser(
        num_frames=5, channels=8, num_layers=2, num_heads=2, feedforward_channels=64, frame_channels=8,
        joint_channels=4, step_channels=8,
    ).eval()  # fmt: skip
    state = {
        'joint_embedding.weight': reference['joints'],
        'output_projection.weight': reference['output_weight'],
        'output_projection.bias': reference['output_bias'],
        'step_embedding.table': network.step_embedding.table,
    }
    for name, value in reference.items():
        if name.startswith('weights.'):
            value = value[..., 0] if value.ndim == 3 else value  # their convolutions of one point
            if 'cond_projection.weight' in name:
                value = torch.cat([value[:, 12:], value[:, :12]], dim=1)  # the condition comes first here
            state[renamed(name.removeprefix('weights.'))] = value
    network.load_state_dict(state)
    return network


def test_what_is_fixed_is_theirs(denoiser: CSDIDenoiser, reference: dict[str, torch.Tensor]) -> None:
    torch.testing.assert_close(denoiser.frame_position, reference['frames'])
    # the largest arguments are 49e4 with a rounding of a hundredth
    torch.testing.assert_close(denoiser.step_embedding.table, reference['step_table'], rtol=0, atol=0.05)


@pytest.mark.parametrize('prepared', [False, True])
def test_outputs_are_theirs(denoiser: CSDIDenoiser, reference: dict[str, torch.Tensor], prepared: bool) -> None:
    condition = reference['condition']
    with torch.no_grad():
        denoiser.step_embedding.table.copy_(reference['step_table'])
        found = denoiser(
            reference['x_t'], reference['timestep'], denoiser.prepare(condition) if prepared else condition
        )
    torch.testing.assert_close(found, reference['output'], rtol=1e-5, atol=1e-5)
    assert float(reference['output'].std()) > 0.2
