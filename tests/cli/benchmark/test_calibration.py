"""The command benchmark calibration, on files that the metrics write."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from matplotlib.colors import to_rgb
from PIL import Image

from posediff.evaluation.metrics import KeypointPCK, LiftingMetric
from posediff.visualization.calibration import COLORS


def lifting_file(path, narrower=1.0, **fields):
    """Write the file of a lifter whose left leg is hidden; the hypotheses are ``narrower`` times too narrow."""
    rng = np.random.default_rng(0)
    metric = LiftingMetric(out_file=str(path))
    truth, drawn = 300 * rng.normal(size=(30, 17, 3)), rng.normal(size=(10, 30, 17, 3))
    size = np.exp(rng.normal(size=(30, 17, 1))) * 20  # of the spread, which differs between joints and frames
    mask = torch.ones(30, 17)
    mask[:, 5:7] = 0
    sample = {
        'sample_id': 'one',
        'skeleton': 'h36m17',
        'gt_instances': {'lifting_target': truth + size * rng.normal(size=(30, 17, 3))},
        'pred_instances': {'keypoints': truth},
        'pred_hypotheses': torch.from_numpy(truth + size * drawn / narrower),
        'input_keypoint_mask': mask,
    } | fields
    metric.process(None, [sample])
    metric.evaluate(1)
    return str(path)


def keypoint_file(path, num_hypotheses=4):
    """Write the file of a 2D pose estimator."""
    rng = np.random.default_rng(0)
    metric = KeypointPCK(out_file=str(path))
    for index in range(30):
        true = rng.uniform(50, 150, (1, 17, 2))
        scale = rng.uniform(5, 60, (17, 1))
        drawn = true + rng.normal(0, scale, (num_hypotheses, 17, 2))
        sample = {
            'id': index,
            'img_id': index,
            'ori_shape': (240, 320),
            'frame_path': f'wave/{index}.png',
            'gt_instances': {
                'keypoints': true, 'keypoints_visible': np.ones((1, 17)), 'bboxes': np.array([[50.0, 50, 150, 150]]),
            },
            'pred_instances': {'keypoints': drawn.mean(0)[None], 'keypoint_scores': (1 - scale / 60).reshape(1, 17)},
        }  # fmt: skip
        if num_hypotheses > 1:
            sample['pred_hypotheses'] = torch.from_numpy(drawn)
        metric.process(None, [sample])
    metric.evaluate(30)
    return str(path)


def colors_of(path):
    """Return the names of the colours of curves that the picture has, and its size."""
    with Image.open(path) as image:
        pixels = np.asarray(image.convert('RGB')).reshape(-1, 3) / 255
        size = image.size
    return {name for name, color in COLORS.items() if (np.abs(pixels - to_rgb(color)) < 0.01).all(-1).any()}, size


@pytest.fixture
def main(cli):
    return cli('benchmark.calibration').main


def test_lifters_are_drawn_and_tabled(main, tmp_path, capsys):
    right, narrow = lifting_file(tmp_path / 'right.json'), lifting_file(tmp_path / 'narrow.json', 4)
    out = tmp_path / 'new' / 'picture.png'
    main([right, narrow, '--out', str(out)])
    both, (width, height) = colors_of(out)
    assert {'seen', 'hidden'} <= both
    main([right, '--out', str(out)])
    assert colors_of(out)[1] == (width, height / 2)
    lines = capsys.readouterr().out.splitlines()
    table = {tuple(cell.strip() for cell in line.split('|')[1:3]): line.split('|')[3:] for line in lines if '|' in line}
    for file in (right, narrow):
        metrics = json.loads(Path(file).read_text())['metrics']
        for kind, suffix in (('all', ''), ('seen', '_seen'), ('hidden', '_hidden')):
            cells = table[file, kind]
            assert float(cells[0]) == pytest.approx(metrics[f'error_to_spread{suffix}'], abs=5e-4)
            assert float(cells[3]) == pytest.approx(metrics[f'ece{suffix}'], abs=5e-4)
        assert float(table[file, 'perfect sampler'][3]) == pytest.approx(metrics['ece_floor'], abs=5e-4)


def test_without_the_input_and_with_equal_hypotheses(main, tmp_path):
    out = tmp_path / 'picture.png'
    main([lifting_file(tmp_path / 'a.json', input_keypoint_mask=None), '--out', str(out)])
    assert not {'seen', 'hidden'} & colors_of(out)[0]
    collapsed = torch.zeros(10, 30, 17, 3)
    main([lifting_file(tmp_path / 'b.json', pred_hypotheses=collapsed), '--out', str(out)])
    assert {'seen', 'hidden'} <= colors_of(out)[0]


@pytest.mark.parametrize('num_hypotheses', [1, 4])
def test_keypoints_are_drawn(main, tmp_path, num_hypotheses, capsys):
    out = tmp_path / 'picture.png'
    main([keypoint_file(tmp_path / 'pck.json', num_hypotheses), '--out', str(out)])
    assert 'all' in colors_of(out)[0]
    assert capsys.readouterr().out == f'wrote {out}\n'


def test_other_files_are_refused(main, exit_code, tmp_path, capsys):
    out = tmp_path / 'picture.png'
    for text, message in (
        ('{"metrics": {}}', 'file.json has neither "calibration" of LiftingMetric nor "scores" of KeypointPCK'),
        ('[1]', 'file.json is not the out_file of a metric: it holds a list'),
        ('{', 'file.json is not JSON'),
        ('{"scores": {"normalizer": "box"}}', "file.json lacks 'bins': write it anew"),
    ):
        (tmp_path / 'file.json').write_text(text)
        assert exit_code(main, [str(tmp_path / 'file.json'), '--out', str(out)]) == 2
        assert message in capsys.readouterr().err
        assert not out.exists()
