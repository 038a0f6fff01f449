"""The plugin is found from a checkout and when installed, and its config makes a model that trains and samples."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

PLUGIN = Path(__file__).resolve().parents[1]
CONFIG = PLUGIN / 'configs' / 'mixer-2d_27f_cmu.py'

BUILD_FROM_CONFIG = f"""
import torch, posediff
model = posediff.init_model({str(CONFIG)!r})
assert type(model.denoiser).__module__ == 'posediff_mixer.denoiser', type(model.denoiser)
condition = model.conditioner(torch.rand(2, 27, 17, 2))
loss = model.diffusion_loss(torch.rand(2, 27, 17, 3), condition)
loss.backward()
assert all(p.grad is not None for p in model.denoiser.parameters())
with torch.no_grad():
    assert model.sample(condition, num_hypotheses=3, num_inference_steps=2).shape == (2, 3, 27, 17, 3)
"""

BUILD_FROM_ENTRY_POINT = """
from posediff.plugins import load_plugins, registered_by
from posediff.registry import DENOISERS
assert 'JointTimeMixer' not in DENOISERS
assert 'mixer' in load_plugins()
denoiser = DENOISERS.build({'type': 'JointTimeMixer', 'num_frames': 9, 'num_joints': 17})
assert registered_by(type(denoiser)) == 'posediff-mixer'
"""


def run(code: str, cwd: Path, **env: str) -> None:
    """Run code in a Python of its own, where nothing is registered yet."""
    done = subprocess.run(
        [sys.executable, '-c', code], cwd=cwd, env={**os.environ, **env}, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr


def test_custom_imports_find_it_in_a_checkout() -> None:
    path = [str(PLUGIN), *filter(None, [os.environ.get('PYTHONPATH')])]
    run(BUILD_FROM_CONFIG, cwd=PLUGIN.parents[1], PYTHONPATH=os.pathsep.join(path))


def test_the_entry_point_finds_it_when_installed(tmp_path: Path) -> None:
    if not any(point.name == 'mixer' for point in metadata.entry_points(group='posediff.plugins')):
        pytest.skip('posediff-mixer is not installed; pip install --no-deps ./plugins/posediff_mixer')
    run(BUILD_FROM_ENTRY_POINT, cwd=tmp_path)
