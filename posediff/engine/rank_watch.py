"""Ending every process of a distributed run when one of them fails."""

from __future__ import annotations

import os
import sys
import threading
import time
from datetime import timedelta
from typing import Any

import torch
from torch.distributed import distributed_c10d

PREFIX = 'posediff/ranks'


class RankWatch(threading.Thread):
    """Tell the other ranks that this one lives or failed, and end this one when another fails or falls silent.

    A rank that waits in a collective of NCCL does not see that another died: it would wait until the group's timeout,
    which is long, as one rank may evaluate alone while the others wait. So every rank counts up in the group's store,
    from a thread of its own, and looks at the others' counts. Who was stopped itself for long, as all ranks of a
    suspended job are, begins to listen anew: the others may have been stopped too.

    Args:
        store: The group's store, a connection of this thread's own.
        rank, world_size: In the group.
        interval: Seconds between two looks.
        silence: Seconds without a sign of life after which a rank counts as dead; a rank that compiles or loads keeps
            counting.
        grace: Seconds that the program is given to end by the error of its collective.
    """

    def __init__(
        self, store: Any, rank: int, world_size: int, interval: float = 2.0, silence: float = 40.0, grace: float = 5.0
    ) -> None:
        super().__init__(name='rank watch', daemon=True)
        self.store, self.rank, self.world_size = store, rank, world_size
        self.interval, self.silence, self.grace = interval, silence, grace
        self._over = threading.Event()
        self._looked = time.monotonic()

    @classmethod
    def of_default_group(cls) -> RankWatch | None:
        """Watch the ranks of torch's default group; None where it has one rank."""
        if torch.distributed.get_world_size() == 1:
            return None
        group_store: Any = distributed_c10d._get_default_store()
        store = group_store.clone()
        store.set_timeout(timedelta(seconds=20))
        watch = cls(store, torch.distributed.get_rank(), torch.distributed.get_world_size())
        watch.start()
        return watch

    def fail(self, reason: str) -> None:
        """Let the others know that this rank fails."""
        self.close()
        try:
            self.store.set(f'{PREFIX}/failed', f'rank {self.rank} failed: {reason}')
        except RuntimeError:  # the rank that keeps the store is gone: the others see that themselves
            return

    def close(self) -> None:
        """Watch no longer."""
        self._over.set()

    def run(self) -> None:
        seen: dict[int, tuple[int, float]] = {}
        while not self._over.is_set():
            try:
                reason = self._look(seen)
            except RuntimeError:
                reason = 'the store of the group is gone, and with it the rank that kept it'
            # the others of a group that ends in good order may be gone already
            if reason is not None and not self._over.wait(self.interval):
                self._end(reason)
                return
            self._over.wait(self.interval)

    def _look(self, seen: dict[int, tuple[int, float]]) -> str | None:
        """Give a sign of life; what is wrong with the others, if anything."""
        self.store.add(f'{PREFIX}/{self.rank}', 1)
        if self.store.check([f'{PREFIX}/failed']):
            return self.store.get(f'{PREFIX}/failed').decode()
        now = time.monotonic()
        if now - self._looked > self.silence / 2:
            seen.clear()
        self._looked = now
        for rank in range(self.world_size):
            count = self.store.add(f'{PREFIX}/{rank}', 0)
            if rank not in seen or seen[rank][0] != count:
                seen[rank] = (count, now)
            elif now - seen[rank][1] > self.silence:
                return f'rank {rank} has given no sign of life for {self.silence:.0f} s'
        return None

    def _end(self, reason: str) -> None:
        sys.stderr.write(f'error: rank {self.rank} ends: {reason}\n')
        sys.stderr.flush()
        time.sleep(self.grace)
        os._exit(1)
