"""Names of removed configs, and their replacements."""

from __future__ import annotations

from pathlib import Path

_VIT_B = 'diffpose_vit-b_posetrack17-256x192.py'
REPLACEMENTS = {
    'diffpose_vit-b_posetrack17-256x192_n1.py': f'{_VIT_B} --cfg-options model.test_cfg.num_hypotheses=1',
    'diffpose_vit-b_posetrack17-256x192_n5.py': f'{_VIT_B} --cfg-options model.test_cfg.num_hypotheses=5',
    'diffpose_vit-b_posetrack17-256x192_steps1.py': f'{_VIT_B} --cfg-options model.test_cfg.num_inference_steps=1',
    'diffpose_vit-b_posetrack17-256x192_steps2.py': f'{_VIT_B} --cfg-options model.test_cfg.num_inference_steps=2',
    'diffpose_vit-t_synthetic-128x96_scale-0-1.py': 'diffpose_vit-t_synthetic-128x96.py',
    'diffpose_vit-t.py': 'diffpose.py with vit-t.py in the same _base_ list, model = _base_.vit_t',
    'posetrack_frames.py': "posetrack_clips.py with load = dict(type='LoadKeyFrame') and num_frames = 1",
}


def describe_removed(path: str | Path | None) -> str:
    """Return what replaces a removed config, as the end of an error message; empty for other names."""
    name = Path(path).name if path else ''
    return f'; {name} is now {REPLACEMENTS[name]}' if name in REPLACEMENTS else ''
