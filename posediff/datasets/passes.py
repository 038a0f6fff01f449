"""Training by iterations: tell the data set which pass over it an item belongs to.

In training by epochs the data set is told the epoch before each. MMEngine's ``IterBasedTrainLoop`` knows no epochs, and
an ``InfiniteSampler`` never comes to an end: workers fetch items of the next pass while those of the last are trained
on. Here the number of the pass travels with the index of the item, so that what is drawn for it depends neither on
workers nor on when they fetch.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

from mmengine.dataset import InfiniteSampler
from torch.utils.data import BatchSampler, DataLoader, Sampler


class ItemOfPass(int):
    """Index of an item, with the number of the pass, from 0, as ``epoch``."""

    epoch: int

    def __new__(cls, index: int, epoch: int) -> ItemOfPass:
        item = super().__new__(cls, index)
        item.epoch = epoch
        return item

    def __reduce__(self) -> tuple[Any, ...]:  # workers get indices through a queue
        return ItemOfPass, (int(self), self.epoch)


def epoch_of(index: int, otherwise: int) -> int:
    """The pass that an index belongs to, or ``otherwise`` if it does not say."""
    return index.epoch if isinstance(index, ItemOfPass) else otherwise


class PassSampler(Sampler[int]):
    """The indices of a sampler, each with the number of its pass.

    Data sets with ``set_epoch`` are told as well, for those whose items do not go by the index: exact without workers,
    and early by what workers fetch ahead with them.

    Args:
        sampler: Of a training by iterations.
        dataset: Of the same loader.
    """

    def __init__(self, sampler: Sampler[int], dataset: Any) -> None:
        self.sampler = sampler
        self._dataset = dataset
        self._begun = 0  # passes of a finite sampler
        self._drawn = 0  # items of an infinite one, of this rank
        if hasattr(sampler, 'skip'):  # by which MMEngine resumes
            self._skip_in_sampler, sampler.skip = sampler.skip, self.skip

    def __iter__(self) -> Iterator[int]:
        # an infinite sampler goes on where it was; a finite one begins its next pass
        passes = self._passes_of_one_stream() if isinstance(self.sampler, InfiniteSampler) else self._same_pass()
        told = None
        for index, epoch in zip(self.sampler, passes, strict=False):
            if epoch != told:
                self._dataset.set_epoch(epoch)
                told = epoch
            yield ItemOfPass(index, epoch)

    def __len__(self) -> int:
        return len(self.sampler)  # type: ignore[arg-type]

    def _same_pass(self) -> Iterator[int]:
        self._begun += 1
        return itertools.repeat(self._begun - 1)

    def _passes_of_one_stream(self) -> Iterator[int]:
        """All ranks share one stream of passes, of which each takes every ``world_size``-th item."""
        stream: Any = self.sampler
        while True:
            yield (self._drawn * stream.world_size + stream.rank) // max(stream.size, 1)
            self._drawn += 1

    def set_epoch(self, epoch: int) -> None:
        """Tell a finite sampler in which order to go through the next pass."""
        set_epoch = getattr(self.sampler, 'set_epoch', None)
        if set_epoch is not None:
            set_epoch(epoch)

    def skip(self, num_samples: int) -> None:
        """Go on from an item of an infinite sampler, counted from the beginning of the training."""
        self._skip_in_sampler(num_samples)
        self._drawn = num_samples


def tell_passes(loader: DataLoader) -> bool:
    """Make the loader of a training by iterations tell its data set the passes. False where that cannot be done.

    To be called before the loader is iterated.
    """
    batches = loader.batch_sampler
    if not isinstance(batches, BatchSampler) or not hasattr(loader.dataset, 'set_epoch'):
        return False
    if not isinstance(batches.sampler, PassSampler):
        batches.sampler = PassSampler(batches.sampler, loader.dataset)  # type: ignore[arg-type]
    return True
