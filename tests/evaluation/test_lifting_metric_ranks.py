"""The metric over two processes equals the one of a single process, with an odd number of samples.

Run as a script, this file is one of the two processes.
"""

import subprocess
import sys

import numpy as np
import pytest
import torch
import torch.distributed
from mmengine.dataset import DefaultSampler

from posediff.evaluation.metrics import LiftingMetric

NUM_SAMPLES = 5


def make_sample(index):
    rng = np.random.default_rng(index)
    target = rng.normal(0, 300, (6, 17, 3))
    several = target + rng.normal(0, 30, (3, 6, 17, 3))
    return {
        'sample_id': str(index),
        'skeleton': 'h36m17',
        'action': ('walk', 'sit')[index % 2],
        'frame_mask': rng.random(6) > 0.3,
        'gt_instances': {'lifting_target': target},
        'pred_instances': {'keypoints': several.mean(0)},
        'pred_hypotheses': torch.from_numpy(several),
        'input_keypoint_mask': torch.from_numpy(rng.random((6, 17)) > 0.3),
    }


def measure_rank(rank, folder):
    torch.distributed.init_process_group('gloo', init_method=f'file://{folder}/store', rank=rank, world_size=2)
    metric = LiftingMetric(collect_dir=f'{folder}/collected')
    for index in DefaultSampler(range(NUM_SAMPLES), shuffle=False):
        metric.process(None, [make_sample(index)])
    torch.save(metric.evaluate(NUM_SAMPLES), f'{folder}/rank{rank}.pt')
    torch.distributed.destroy_process_group()


@pytest.mark.slow
def test_two_ranks_measure_what_one_does(tmp_path):
    ranks = [subprocess.Popen([sys.executable, __file__, str(rank), str(tmp_path)]) for rank in range(2)]
    assert [rank.wait(timeout=120) for rank in ranks] == [0, 0]
    metric = LiftingMetric()
    metric.process(None, [make_sample(index) for index in range(NUM_SAMPLES)])
    expected = metric.evaluate(NUM_SAMPLES)
    for rank in range(2):
        assert torch.load(tmp_path / f'rank{rank}.pt') == pytest.approx(expected)


if __name__ == '__main__':
    measure_rank(int(sys.argv[1]), sys.argv[2])
