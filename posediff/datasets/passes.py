"""Iteration-based training: tag each item with the pass over the dataset that it belongs to.

In epoch-based training the dataset is told the epoch before each one. MMEngine's ``IterBasedTrainLoop`` has no epochs,
and with an endless ``InfiniteSampler`` workers prefetch items of the next pass during the current one. Here the pass
number travels with the item index, so random draws depend neither on the workers nor on the time of fetching.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

from mmengine.dataset import InfiniteSampler
from torch.utils.data import BatchSampler, DataLoader, Sampler


class ItemOfPass(int):
    """Index of an item that carries its pass number, from 0, as ``epoch``."""

    epoch: int

    def __new__(cls, index: int, epoch: int) -> ItemOfPass:
        item = super().__new__(cls, index)
        item.epoch = epoch
        return item

    def __reduce__(self) -> tuple[Any, ...]:  # workers get indices through a queue
        return ItemOfPass, (int(self), self.epoch)


def epoch_of(index: int, otherwise: int) -> int:
    """Return the pass of an index, or ``otherwise`` if the index carries none."""
    return index.epoch if isinstance(index, ItemOfPass) else otherwise


class PassSampler(Sampler[int]):
    """Sampler that adds the pass number to the indices of another sampler.

    It also calls ``set_epoch``, for datasets that ignore the tagged index. That call is exact without workers and early
    by the prefetched items with workers.

    Args:
        sampler: Sampler of an iteration-based training.
        dataset: Dataset of the same loader.
    """

    def __init__(self, sampler: Sampler[int], dataset: Any) -> None:
        self.sampler = sampler
        self._dataset = dataset
        self._begun = 0  # passes begun by a finite sampler
        self._drawn = 0  # items drawn from an infinite sampler on this rank
        if hasattr(sampler, 'skip'):  # MMEngine resumes with it
            self._skip_in_sampler, sampler.skip = sampler.skip, self.skip

    def __iter__(self) -> Iterator[int]:
        # an infinite sampler continues; a finite one begins its next pass
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
        """Tag one stream of passes shared by all ranks; each rank takes every ``world_size``-th item."""
        stream: Any = self.sampler
        while True:
            yield (self._drawn * stream.world_size + stream.rank) // max(stream.size, 1)
            self._drawn += 1

    def set_epoch(self, epoch: int) -> None:
        """Set the epoch of a finite sampler, which defines the order of its next pass."""
        set_epoch = getattr(self.sampler, 'set_epoch', None)
        if set_epoch is not None:
            set_epoch(epoch)

    def skip(self, num_samples: int) -> None:
        """Skip items of an infinite sampler, counted from the beginning of the training."""
        self._skip_in_sampler(num_samples)
        self._drawn = num_samples


def tell_passes(loader: DataLoader) -> bool:
    """Tag the items of an iteration-based training loader with their pass.

    Call it before the loader is iterated.

    Returns:
        Whether it was possible: the loader has a ``BatchSampler``, and its dataset has ``set_epoch``.
    """
    batches = loader.batch_sampler
    if not isinstance(batches, BatchSampler) or not hasattr(loader.dataset, 'set_epoch'):
        return False
    if not isinstance(batches.sampler, PassSampler):
        batches.sampler = PassSampler(batches.sampler, loader.dataset)  # type: ignore[arg-type]
    return True
