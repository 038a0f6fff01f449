"""Iteration-based training draws items anew in every pass, with any number of workers and after resuming."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.dataset import DefaultSampler, InfiniteSampler, pseudo_collate
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch.utils.data import DataLoader

from posediff.datasets import CMUMocapDataset
from posediff.datasets.passes import ItemOfPass, PassSampler, epoch_of, tell_passes
from posediff.engine.config import load_config

ITEMS = 6


@pytest.fixture
def dataset(mocap_folder):
    return CMUMocapDataset(
        str(mocap_folder), split='train', cameras='random', window_size=9, items_per_epoch=ITEMS, seed=3
    )


def keypoints(item):
    return item['inputs']['keypoints_2d'].numpy()


def drawn(dataset, epoch, index):
    dataset.set_epoch(epoch)
    return keypoints(dataset[index])


def test_an_index_says_its_pass_in_another_process_too(dataset):
    index = pickle.loads(pickle.dumps(ItemOfPass(4, 7)))
    assert (index, index.epoch, epoch_of(index, 0), epoch_of(4, 2)) == (4, 7, 7, 2)
    dataset.set_epoch(1)
    np.testing.assert_array_equal(keypoints(dataset[index]), drawn(dataset, 7, 4))


@pytest.mark.parametrize('workers', [0, 2])
def test_an_endless_sampler_goes_through_the_set_again_and_again(dataset, workers):
    sampler = InfiniteSampler(dataset, shuffle=True, seed=5)
    options = {'num_workers': workers, 'persistent_workers': workers > 0, 'collate_fn': pseudo_collate}
    loader = DataLoader(dataset, batch_size=4, sampler=sampler, **options)
    assert tell_passes(loader)
    assert tell_passes(loader)  # a second call has no effect
    batches = iter(loader)
    found = [array for _ in range(3 * ITEMS // 4 + 1) for array in next(batches)['inputs']['keypoints_2d']]
    stream = iter(InfiniteSampler(dataset, shuffle=True, seed=5))
    for position in range(3 * ITEMS):
        expected = drawn(dataset, position // ITEMS, next(stream))
        np.testing.assert_array_equal(found[position].numpy(), expected)


@pytest.mark.parametrize('workers', [0, 1])
def test_a_finite_sampler_is_a_pass(dataset, workers):
    sampler = DefaultSampler(dataset, shuffle=False)
    options = {'num_workers': workers, 'persistent_workers': workers > 0, 'collate_fn': pseudo_collate}
    loader = DataLoader(dataset, batch_size=4, sampler=sampler, **options)
    assert tell_passes(loader)
    for epoch in range(2):
        found = [array for batch in loader for array in batch['inputs']['keypoints_2d']]
        for index in range(ITEMS):
            np.testing.assert_array_equal(found[index].numpy(), drawn(dataset, epoch, index))


def test_ranks_share_the_passes_and_skipping_keeps_them(dataset):
    """With two ranks each item of a pass is drawn once, tagged with that pass."""
    seen = []
    for rank in range(2):
        sampler = InfiniteSampler(dataset, shuffle=True, seed=5)
        sampler.rank, sampler.world_size = rank, 2
        sampler.indices = sampler._indices_of_rank()
        ours = PassSampler(sampler, dataset)
        sampler.skip(2)  # MMEngine resumes through the sampler
        indices = iter(ours)
        seen += [(index.epoch, int(index)) for index in (next(indices) for _ in range(2 * ITEMS - 2))]
    complete = {(epoch, index) for epoch in (1, 2, 3) for index in range(ITEMS)}
    assert complete <= set(seen)
    assert len(seen) == len(set(seen)) == 4 * ITEMS - 4


CONFIG = """
_base_ = '{repository}/configs/lifting_3d/diffhpe/diffhpe-2d_27f_cmu.py'

model = dict(
    denoiser=dict(num_frames=9, channels=8, num_layers=1, step_channels=8, dropout=0.1),
    sampler=dict(_delete_=True, type='DDIMSampler'),
)
train_dataloader = dict(
    batch_size=4, num_workers=0, persistent_workers=False,
    sampler=dict(_delete_=True, type='InfiniteSampler', shuffle=True),
    dataset=dict(data_root='{data}', window_size=9, items_per_epoch=4),
)
train_cfg = dict(_delete_=True, type='IterBasedTrainLoop', max_iters=6, val_interval=100)
val_dataloader = val_cfg = val_evaluator = None
param_scheduler = []
default_hooks = dict(
    checkpoint=dict(_delete_=True, type='CheckpointHook', by_epoch=False, interval=3), logger=dict(interval=100)
)
"""


class Recorder(Hook):
    """A model that records the batches of all steps."""

    def __init__(self):
        self.batches = []

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        self.batches.append(torch.stack(list(data_batch['inputs']['keypoints_2d'])).numpy())


@pytest.fixture
def train(repository: Path, mocap_folder: Path, tmp_path: Path):
    config = tmp_path / 'iterations.py'
    config.write_text(CONFIG.format(repository=repository, data=mocap_folder))

    def run(folder: str, **changes):
        cfg = load_config(config, changes)
        cfg.work_dir = str(tmp_path / folder)
        cfg.experiment_name = folder + '-'.join(map(str, changes.values())).replace('/', '_')
        recorder = Recorder()
        runner = Runner.from_cfg(cfg)
        runner.register_hook(recorder)
        runner.train()
        return recorder.batches, runner.model.state_dict()

    return run


def test_training_by_iterations_sees_new_items_and_resumes_to_the_same(train, tmp_path):
    """Four items are one epoch and one batch, so every step is a pass."""
    batches, whole = train('whole')
    assert len(batches) == 6
    for one, other in zip(batches, batches[1:], strict=False):
        assert not np.array_equal(np.sort(one, axis=0), np.sort(other, axis=0))
    again, rest = train('rest', resume=True, load_from=str(tmp_path / 'whole' / 'iter_3.pth'))
    assert len(again) == 3
    for one, other in zip(batches[3:], again, strict=True):
        np.testing.assert_array_equal(one, other)
    for name, value in whole.items():
        assert torch.equal(value, rest[name]), name
