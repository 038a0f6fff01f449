"""Train and test on real PoseTrack18 files, from the command line: MMPose's samples, one frame of each video."""

from __future__ import annotations

import json

import pytest

pytest.importorskip('mmpose')

CONFIG = """
_base_ = '{repository}/configs/video_2d_heatmap/diffpose/diffpose_vit-t_synthetic-128x96_delta0.py'

real = dict(ann_file='annotations/test_posetrack18_val.json', data_root='{root}/')
model = dict(
    backbone=dict(checkpoint=None, model_kwargs=dict(embed_dim=12, depth=1, num_heads=2)),
    conditioner=dict(in_channels=12, depth=1, channels=16),
    denoiser=dict(channels=(16, 8, 8), condition_channels=16, out_channels=8),
    test_cfg=dict(num_hypotheses=2, num_inference_steps=1),
)
train_dataloader = dict(batch_size=2, dataset=dict(source=real, items_per_epoch=None))
val_dataloader = test_dataloader = dict(batch_size=4, dataset=dict(source=real))
val_evaluator = test_evaluator = dict(gt_folder='{root}/annotations/val')
train_cfg = dict(max_epochs=1, val_interval=1)
"""


def test_real_files_go_the_whole_way(tmp_path, repository, reference_data, fork_python):
    def run(tool: str, *words: object) -> None:
        result = fork_python(repository / 'tools' / tool, *words).wait()
        assert result.returncode == 0, result.stdout[-3000:] + result.stderr[-3000:]

    root = reference_data / 'mmpose' / 'posetrack18'
    config = tmp_path / 'real.py'
    config.write_text(CONFIG.format(repository=repository, root=root))
    run('train.py', config, '--work-dir', tmp_path / 'run')
    weights = tmp_path / 'run' / 'epoch_1.pth'
    detections = root / 'annotations' / 'test_posetrack18_human_detections.json'
    for name, options in {
        'given': [],
        'detected': [
            f'test_dataloader.dataset.source.bbox_file={detections}',
            'test_dataloader.dataset.source.filter_cfg.bbox_score_thr=0.4',
            'test_evaluator.score_mode=keypoint_times_box',
            'test_evaluator.nms=oks',
        ],
    }.items():
        out = tmp_path / f'{name}.json'
        options.append(f'test_evaluator.outfile_prefix={tmp_path / name}/val')
        run('test.py', config, weights, '--out', out, '--work-dir', tmp_path, '--cfg-options', *options)
        assert 0 <= json.loads(out.read_text())['posetrack/AP'] <= 100
        written = sorted(path.name for path in (tmp_path / name).glob('*.json'))
        assert written == ['003418_mpii_test.json', '009473_mpii_test.json', '012834_mpii_test.json']
        result = tmp_path / f'{name}_again.json'
        words = ['--gt', root / 'annotations' / 'val', '--pred', tmp_path / name, '--out', result]
        run('analysis_tools/eval_posetrack.py', *words)
        assert json.loads(result.read_text())['groups']['ap'][-1] == pytest.approx(
            json.loads(out.read_text())['posetrack/AP']
        )
