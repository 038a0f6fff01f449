"""Train ViTPose by the command line, and test it on the key frame and as a temporal average."""

from __future__ import annotations

import json

import pytest

from posediff.fileio.checkpoint import load_state

pytest.importorskip('mmpose')
pytest.importorskip('mmpretrain')

CONFIG = """
_base_ = '{repository}/configs/video_2d_heatmap/baselines/{name}_posetrack18-256x192.py'

data_root = '{data}/'
num_workers = 0
num_frames = {num_frames}
input_size = (64, 64)
tiny = dict(_delete_=True, embed_dims=12, num_layers=1, num_heads=2, feedforward_channels=24)
model = dict(backbone=dict(arch=tiny, init_cfg=None), head=dict(in_channels=12, deconv_out_channels=(8, 8)))
train_dataloader = val_dataloader = test_dataloader = dict(batch_size=4)
train_cfg = dict(max_epochs=1, val_interval=1)
"""


def test_a_trained_baseline_is_tested_as_a_temporal_average(tmp_path, repository, video_folder, fork_python):
    def run(tool: str, *words: object) -> None:
        result = fork_python(repository / 'tools' / tool, *words).wait()
        assert result.returncode == 0, result.stdout[-3000:] + result.stderr[-3000:]

    single, average = tmp_path / 'single.py', tmp_path / 'average.py'
    for path, name, num_frames in ((single, 'vitpose-b', 1), (average, 'vitpose-b_temporal-average', 3)):
        path.write_text(CONFIG.format(repository=repository, data=video_folder, name=name, num_frames=num_frames))
        run('train.py', path, '--work-dir', tmp_path / path.stem)
    weights = tmp_path / 'single/epoch_1.pth'
    run('test.py', average, weights, '--out', tmp_path / 'ap.json', '--work-dir', tmp_path / 'tested')
    assert 0 <= json.loads((tmp_path / 'ap.json').read_text())['posetrack/AP'] <= 100
    trained, again = load_state(weights), load_state(tmp_path / 'average/epoch_1.pth')
    assert trained.keys() == again.keys()
    assert all((trained[name] - again[name]).abs().max() < 1e-4 for name in trained)  # both learn from key frames
