"""WeightedConcatDataset on tiny datasets in PoseTrack's format."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from torch.utils.data import DataLoader

from posediff.datasets.mixed import WeightedConcatDataset, shares
from posediff.datasets.passes import ItemOfPass, tell_passes

pytest.importorskip('mmpose')
pytest.importorskip('cv2')

from mmengine.dataset import InfiniteSampler, pseudo_collate  # noqa: E402

from posediff.datasets.posetrack import PoseTrackClipDataset  # noqa: E402

TO_COCO = {'nose': 'nose', 'left_hip': 'left_hip', 'right_hip': 'right_hip'}


def draw_one(results):
    return {'id': results['id'], 'drawn': np.random.rand(), 'frames': len(results['img_path'])}


def config(source, **options):
    return {
        'type': 'PoseTrackClipDataset', 'source': source, 'num_frames': 1, 'pipeline': [draw_one], **options,
    }  # fmt: skip


@pytest.fixture
def mixed(grey_videos):
    """Return a dataset of parts with 3 and 20 people, in the ratio 2 : 1, with 12 items per epoch."""
    parts = [config(grey_videos([100], 3)), config(grey_videos([50, 60], 10), seed=1)]
    return lambda **options: WeightedConcatDataset(parts, **{'weights': [2, 1], 'items_per_epoch': 12} | options)


def epoch_of(dataset, epoch):
    dataset.set_epoch(epoch)
    return [dataset.locate(index) for index in range(len(dataset))]


@given(weights=st.lists(st.floats(0.01, 10), min_size=1, max_size=6), total=st.integers(0, 1000))
def test_shares_add_up_and_are_rounded(weights, total):
    counts = shares(weights, total)
    assert sum(counts) == total
    for count, weight in zip(counts, weights):
        assert abs(count - total * weight / sum(weights)) < 1 + 1e-6


def test_every_epoch_has_the_shares_and_every_part_is_used_up_before_it_repeats(mixed):
    found = mixed()
    seen = {0: [], 1: []}
    for epoch in range(10):
        located = epoch_of(found, epoch)
        assert Counter(part for part, _ in located) == {0: 8, 1: 4}
        assert [part for part, _ in located[:3]].count(1) == 1  # interleaved
        for part, item in located:
            seen[part].append((item.epoch, int(item)))
    for part, size in ((0, 3), (1, 20)):
        assert len(set(seen[part])) == len(seen[part])
        passes = Counter(drawn for drawn, _ in seen[part])
        complete = [count for _, count in sorted(passes.items())][:-1]
        assert complete == [size] * len(complete)
        assert max(passes) == (len(seen[part]) - 1) // size
    orders = [[item for drawn, item in seen[0] if drawn == number] for number in range(20)]
    assert len({tuple(order) for order in orders}) > 2


def test_items_depend_on_seed_epoch_and_index_only(mixed):
    first, second, other = mixed(), mixed(), mixed(seed=1)
    first.set_epoch(3)
    expected = [first[index] for index in range(12)]
    for index in reversed(range(12)):
        assert second[ItemOfPass(index, 3)] == expected[index] == first[index - 12]
    assert [second[index] for index in range(12)] != expected
    other.set_epoch(3)
    assert [other[index] for index in range(12)] != expected
    with pytest.raises(IndexError, match='item 12 of 12'):
        first[12]


def test_an_item_that_occurs_twice_in_an_epoch_is_augmented_anew(mixed):
    found = mixed()
    items = [found[index] for index, (part, _) in enumerate(epoch_of(found, 0)) if part == 0]
    assert len({item['id'] for item in items}) == 3
    assert len({item['drawn'] for item in items}) == 8


@pytest.mark.parametrize('workers', [0, 2])
def test_a_resumed_training_by_iterations_gets_the_same_items(mixed, workers):
    def batches(skip, count):
        dataset = mixed()
        sampler = InfiniteSampler(dataset, seed=5)
        loader = DataLoader(dataset, 4, sampler=sampler, num_workers=workers, collate_fn=pseudo_collate)
        assert tell_passes(loader)
        if skip:
            loader.batch_sampler.sampler.skip(4 * skip)
        iterator = iter(loader)
        return [next(iterator) for _ in range(count)]

    whole = batches(0, 8)
    assert len({drawn for batch in whole for drawn in batch['drawn']}) == 32
    assert [batch['drawn'] for batch in batches(5, 3)] == [batch['drawn'] for batch in whole[5:]]


def test_parts_with_other_joints_are_refused_unless_they_are_mapped(grey_videos):
    convert = {'type': 'ConvertKeypoints', 'joints': TO_COCO, 'to': 'coco17'}
    source = grey_videos([100])
    plain, mapped = config(source), config(source, pipeline=[convert, draw_one])
    options = {'weights': [1, 1], 'items_per_epoch': 4}
    with pytest.raises(ValueError, match=r'datasets\[1\] has the labels nose, left_eye, .* ConvertKeypoints maps'):
        WeightedConcatDataset([plain, mapped], **options)
    found = WeightedConcatDataset([mapped, mapped], **options)
    assert {found[index]['frames'] for index in range(4)} == {1}
    assert found.metainfo['dataset_name'] == 'posetrack18'


@pytest.mark.parametrize(
    ('options', 'said'),
    [
        ({'weights': [1]}, '2 datasets and 1 weights'),
        ({'weights': [1, -1]}, r'weights\[1\] must be at least 0'),
        ({'weights': [1, 0]}, r'weights\[1\] is 0 of 1: no item of 12 per epoch'),
        ({'weights': [0, 0]}, 'weights must not all be 0'),
        ({'weights': [1, float('inf')]}, r'weights\[1\] must be a finite number'),
        ({'weights': [1000, 1]}, r'weights\[1\] is 1 of 1001: no item of 12 per epoch'),
        ({'items_per_epoch': 0}, 'items_per_epoch must be a whole number of at least 1'),
        ({'seed': -1}, 'seed must be a whole number of at least 0'),
    ],
)
def test_senseless_arguments_are_refused(mixed, options, said):
    with pytest.raises(ValueError, match=said):
        mixed(**options)


def test_test_mode_is_refused(grey_videos):
    part = PoseTrackClipDataset(grey_videos([100]), num_frames=1, test_mode=True)
    with pytest.raises(ValueError, match=r'datasets\[0\] is in test mode'):
        WeightedConcatDataset([part], weights=[1], items_per_epoch=4)
