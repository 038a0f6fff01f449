"""Training on several datasets, with sampling weights."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch.utils.data import Dataset

from posediff.datasets.passes import ItemOfPass, epoch_of
from posediff.registry import DATASETS
from posediff.structures.argument_checks import require_finite, require_whole


@DATASETS.register_module()
class WeightedConcatDataset(Dataset):
    """Training items of several datasets, with the shares ``weights`` in every epoch.

    Every epoch has the same number of items of a part: ``items_per_epoch`` times its share, rounded so that the sum is
    right. The parts are interleaved evenly over the indices, so a sampler without shuffling sees the shares too. Within
    a part items are drawn without repetition until all are used, over the ends of epochs, in an order that is
    shuffled anew for every pass over the part.

    The item depends only on ``(seed, epoch, index)``. A part gets the number of its own pass as the epoch
    (:class:`posediff.datasets.passes.ItemOfPass`), so an item that occurs several times in an epoch is augmented
    differently.

    The parts keep their own joints and pipelines: a part with other joints has ``ConvertKeypoints`` in its pipeline.
    The names of the labels are compared when the dataset is built.

    Args:
        datasets: Configs of the parts, or datasets. They read the pass from the index, as those of posediff do. Parts
            of one ``seed`` draw the same random values for the same index: give each its own.
        weights: Relative weight of each part, above 0.
        items_per_epoch: Items per epoch of all parts together.
        seed: Random seed of the order.

    Raises:
        ValueError: An argument is out of range, a part is in test mode or empty, a weight is so small that an epoch has
            no item of its part, or the labels differ; the message names the part.
    """

    def __init__(
        self, datasets: Sequence[Any], *, weights: Sequence[float], items_per_epoch: int, seed: int = 0
    ) -> None:
        owner = type(self).__name__
        require_whole(owner, {'items_per_epoch': items_per_epoch}, least=1)
        require_whole(owner, {'seed': seed}, least=0)
        if not datasets or len(weights) != len(datasets):
            raise ValueError(f'{owner}: {len(datasets)} datasets and {len(weights)} weights; one weight each is needed')
        require_finite(owner, {f'weights[{part}]': weight for part, weight in enumerate(weights)}, least=0)
        self.seed = seed
        self.counts = shares(weights, items_per_epoch)
        for part, (weight, count) in enumerate(zip(weights, self.counts)):
            if count == 0:
                raise ValueError(
                    f'{owner}: weights[{part}] is {weight:g} of {sum(weights):g}: no item of {items_per_epoch} per '
                    'epoch; leave the part out or raise items_per_epoch'
                )
        self.parts = [DATASETS.build(part) if isinstance(part, Mapping) else part for part in datasets]
        self._check_parts()
        # Slot k of a part's n is at the share (k + 0.5) / n of the epoch.
        places = [(np.arange(count) + 0.5) / count for count in self.counts]
        order = np.argsort(np.concatenate(places), kind='stable')
        self._part_of = np.repeat(np.arange(len(self.counts)), self.counts)[order]
        self._slot_of = np.concatenate([np.arange(count) for count in self.counts])[order]
        # Shared memory: persistent workers read the epoch that the main process sets.
        self._epoch = torch.zeros((), dtype=torch.int64).share_memory_()

    def _check_parts(self) -> None:
        owner = type(self).__name__
        expected = label_names(self.parts[0])
        for number, part in enumerate(self.parts):
            if getattr(part, 'test_mode', False):
                raise ValueError(f'{owner}: datasets[{number}] is in test mode; it is for training only')
            if len(part) == 0:
                raise ValueError(f'{owner}: datasets[{number}] has no items')
            names = label_names(part)
            if names != expected:
                raise ValueError(
                    f'{owner}: datasets[{number}] has the labels {", ".join(names)}; datasets[0] has '
                    f'{", ".join(expected)}. ConvertKeypoints maps one to the other'
                )

    @property
    def metainfo(self) -> dict[str, Any]:
        """Metadata of the first part's labels."""
        metainfo: dict[str, Any] = self.parts[0].metainfo
        return metainfo

    def set_epoch(self, epoch: int) -> None:
        """Set the epoch of the following items, in workers too, and of the parts."""
        self._epoch.fill_(epoch)
        for part in self.parts:
            if hasattr(part, 'set_epoch'):
                part.set_epoch(epoch)

    def __len__(self) -> int:
        return len(self._part_of)

    def __getitem__(self, index: int) -> dict[str, Any]:
        part, item = self.locate(index)
        results: dict[str, Any] = self.parts[part][item]
        return results

    def locate(self, index: int) -> tuple[int, ItemOfPass]:
        """Return the part of an item, and its index in the part with the number of the pass over the part.

        Args:
            index: In the epoch set by :meth:`set_epoch`, or in the pass that the index carries.

        Raises:
            IndexError: There is no such item.
        """
        if not -len(self) <= index < len(self):
            raise IndexError(f'{type(self).__name__}: item {index} of {len(self)}')
        epoch = epoch_of(index, int(self._epoch))
        index %= len(self)
        part, slot = int(self._part_of[index]), int(self._slot_of[index])
        size = len(self.parts[part])
        drawn, place = divmod(epoch * self.counts[part] + slot, size)
        return part, ItemOfPass(int(_order(self.seed, part, drawn, size)[place]), drawn)


def shares(weights: Sequence[float], total: int) -> list[int]:
    """Divide a number by weights into whole numbers with that sum, by the largest remainders.

    Args:
        weights: At least 0, not all 0.
        total: At least 0.

    Raises:
        ValueError: The weights are all 0.
    """
    whole = math.fsum(weights)
    if whole <= 0:
        raise ValueError(f'weights must not all be 0, got {list(weights)}')
    exact = [total * weight / whole for weight in weights]
    counts = [math.floor(share) for share in exact]
    by_remainder = sorted(range(len(weights)), key=lambda part: counts[part] - exact[part])
    for part in by_remainder[: total - sum(counts)]:
        counts[part] += 1
    return counts


def label_names(dataset: Any) -> list[str]:
    """Return the names of the joints of a dataset's labels."""
    metainfo = dataset.metainfo
    if 'keypoint_id2name' not in metainfo:  # lifting datasets
        return list(metainfo['joint_names'])
    return [name for _, name in sorted(metainfo['keypoint_id2name'].items())]


@lru_cache(maxsize=32)
def _order(seed: int, part: int, drawn: int, size: int) -> np.ndarray:
    """Return the order of a pass over a part: (size,) a permutation."""
    return np.random.default_rng((seed, part, drawn)).permutation(size)
