"""End all processes of a distributed run when one of them fails."""

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
    """Thread that publishes a heartbeat of this rank and ends the process if another rank fails or stops its heartbeat.

    A rank that waits in an NCCL collective does not notice that another rank has died; it waits until the timeout of
    the group, which is long because one rank may evaluate alone while the others wait. Therefore every rank increments
    a counter in the group's store from a thread and reads the counters of the others. A rank that was itself suspended
    for long (a suspended job suspends all ranks) restarts its observation, since the others may have been suspended
    too.

    Args:
        store: Connection to the group's store that only this thread uses.
        rank, world_size: Rank of this process and number of ranks.
        interval: Seconds between two heartbeats.
        silence: Seconds without heartbeat after which a rank is considered dead. The heartbeat continues while a rank
            compiles or loads data.
        grace: Seconds to wait for the process to end by the error of its collective before it is ended here.
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
        """Start to monitor the ranks of torch's default group and return the thread; None if there is one rank."""
        if torch.distributed.get_world_size() == 1:
            return None
        group_store: Any = distributed_c10d._get_default_store()
        store = group_store.clone()
        store.set_timeout(timedelta(seconds=20))
        watch = cls(store, torch.distributed.get_rank(), torch.distributed.get_world_size())
        watch.start()
        return watch

    def fail(self, reason: str) -> None:
        """Notify the other ranks that this rank failed."""
        self.close()
        try:
            self.store.set(f'{PREFIX}/failed', f'rank {self.rank} failed: {reason}')
        except RuntimeError:  # the rank that hosts the store has ended: the others notice this themselves
            return

    def close(self) -> None:
        """Stop monitoring."""
        self._over.set()

    def run(self) -> None:
        seen: dict[int, tuple[int, float]] = {}
        while not self._over.is_set():
            try:
                reason = self._look(seen)
            except RuntimeError:
                reason = 'the store of the group is not reachable: the rank that hosts it has ended'
            # at a regular end, other ranks may have ended already
            if reason is not None and not self._over.wait(self.interval):
                self._end(reason)
                return
            self._over.wait(self.interval)

    def _look(self, seen: dict[int, tuple[int, float]]) -> str | None:
        """Publish a heartbeat, check the other ranks, and return what is wrong with one of them, or None.

        Args:
            seen: Rank → its last counter, and when it was first read; updated.
        """
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
                return f'rank {rank} has sent no heartbeat for {self.silence:.0f} s'
        return None

    def _end(self, reason: str) -> None:
        """Write the reason to stderr, wait for ``grace`` and end the process with exit code 1."""
        sys.stderr.write(f'error: rank {self.rank} ends: {reason}\n')
        sys.stderr.flush()
        time.sleep(self.grace)
        os._exit(1)
