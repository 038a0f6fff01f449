"""The models that ship: the same tensors as ever, their cards, and what running them imports."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import yaml

import posediff
from posediff.assets import SHIPPED
from posediff.fileio.model_card import NOT_STATED
from posediff.fileio.safetensors_files import read_safetensors

REPOSITORY = Path(__file__).resolve().parents[2]

# sha256 over name, dtype, shape and bytes of every tensor, as published with 0.1.0; size of the file that was published
TENSORS = {
    'lifter': ('b62eb9ed2431742045beeeb7961d98fdfb46e2b904587fb6b5be538408ee8a6a', 9600000),
    'diffpose': ('692e055a788cbc47e459a557a78b3c4b9bd42068d326b684b2c18834bd2e58f3', 19600000),
}


def digest(state: dict[str, torch.Tensor]) -> str:
    found = hashlib.sha256()
    for name, value in sorted(state.items()):
        found.update(f'{name} {value.dtype} {tuple(value.shape)}\n'.encode())
        found.update(value.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    return found.hexdigest()


@pytest.mark.parametrize('name', sorted(SHIPPED))
def test_the_tensors_are_those_that_were_published(name: str) -> None:
    state = read_safetensors(SHIPPED[name].checkpoint)
    expected, size = TENSORS[name]
    assert digest(state) == expected
    assert SHIPPED[name].checkpoint.stat().st_size <= size
    assert {value.dtype for value in state.values() if value.is_floating_point()} == {torch.float16}


@pytest.mark.parametrize(('name', 'metafile'), [('lifter', 'lifting_3d'), ('diffpose', 'video_2d_heatmap')])
def test_the_card_states_everything_with_the_figures_of_the_metafile(name: str, metafile: str) -> None:
    card = SHIPPED[name].card.read_text()
    assert NOT_STATED not in card
    for section in ('Training data', 'Licence', 'Evaluation data', 'Metrics', 'Third-party weights', 'Limits'):
        assert f'\n## {section}\n' in card
    models = yaml.safe_load((REPOSITORY / 'configs' / metafile / 'metafile.yml').read_text())['Models']
    weights = str(SHIPPED[name].checkpoint.relative_to(REPOSITORY))
    [model] = [model for model in models if model.get('Weights') == weights]
    for metric, value in model['Results'][0]['Metrics'].items():
        assert f'| {metric}' in card
        assert f'| {value}' in card


def test_a_shipped_model_is_found_by_name() -> None:
    model = posediff.from_pretrained('lifter')
    assert not model.training
    assert model.head.skeleton.name == 'mediapipe17'


RUN_IT = """
import sys
import posediff
from posediff.assets import DEMO_KEYPOINTS
from posediff.fileio.pose_files import read_keypoints
from posediff.plugins.entry_points import import_components
from posediff.structures.skeleton_conversion import convert_joints

import_components()  # as an installed plugin makes the loader do
model = posediff.from_pretrained('lifter')
clip = read_keypoints(DEMO_KEYPOINTS)
skeleton = model.head.skeleton.name
keypoints, scores, _ = convert_joints(clip.keypoints_2d, clip.skeleton, skeleton, clip.keypoint_scores)
lifted = posediff.lift_keypoints(
    model, keypoints[:9], scores[:9], skeleton=skeleton, img_shape=clip.img_shape, num_hypotheses=1,
    num_inference_steps=2, score_threshold=0.3,
)
assert lifted['joints_3d'].shape == (9, 17, 3)
print(*sorted(sys.modules))
"""


RUN_POSE = """
import sys

for name in ('mmcv', 'mmpose', 'mmdet', 'mmpretrain', 'timm'):
    sys.modules[name] = None  # as if it were not installed
import numpy as np
from posediff.pose_estimation import DiffPoseEstimator
from posediff.pose_estimation.base import FrameWindow
from posediff.structures.person_boxes import PersonBoxes
from posediff.structures.video_frame import VideoFrame

from posediff.assets import DIFFPOSE_CHECKPOINT, DIFFPOSE_CONFIG

estimator = DiffPoseEstimator(DIFFPOSE_CONFIG, DIFFPOSE_CHECKPOINT)
image = np.random.default_rng(0).integers(0, 256, (90, 120, 3), np.uint8)
frames = tuple(VideoFrame(index, index / 30, image) for index in range(2 * estimator.frames_around + 1))
people = PersonBoxes(np.float32([[10, 10, 60, 80], [50, -20, 130, 95]]), np.float32([0.9, 0.8]))
(found,) = estimator([FrameWindow(frames, people)])
assert found.keypoints_2d.shape == (2, 15, 2)
assert np.isfinite(found.keypoints_2d).all()
print(*sorted(name for name, module in sys.modules.items() if module is not None))
"""


def test_the_shipped_diffpose_runs_without_openmmlab_packages_and_timm() -> None:
    pytest.importorskip('cv2')
    done = subprocess.run([sys.executable, '-c', RUN_POSE], cwd=REPOSITORY, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert not set(done.stdout.split('\n')[-2].split()) & {'mmengine.runner', 'mmcv', 'mmpose', 'timm'}


def test_lifting_with_the_shipped_model_imports_neither_the_runner_nor_openmmlab_packages() -> None:
    done = subprocess.run([sys.executable, '-c', RUN_IT], cwd=REPOSITORY, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    modules = set(done.stdout.split('\n')[-2].split())
    assert 'posediff.lifting.clip' in modules
    assert not modules & {'mmengine.runner', 'mmcv', 'mmpose', 'mmdet', 'mmpretrain', 'huggingface_hub'}
