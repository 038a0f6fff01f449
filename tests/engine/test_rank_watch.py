"""When a rank is considered dead."""

from __future__ import annotations

import pytest
import torch

from posediff.engine import rank_watch

SILENCE, INTERVAL = 40.0, 2.0


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr(rank_watch.time, 'monotonic', lambda: now[0])
    return now


def test_a_rank_is_dead_that_is_silent_and_not_all_that_were_suspended(clock: list[float]) -> None:
    store = torch.distributed.HashStore()
    first, second = (rank_watch.RankWatch(store, rank, 2, INTERVAL, SILENCE) for rank in range(2))
    seen: dict[int, tuple[int, float]] = {}
    for _ in range(30):
        assert second._look({}) is None
        assert first._look(seen) is None
        clock[0] += INTERVAL
    clock[0] += 600  # the job was suspended; the rank that checked last resumes first
    assert first._look(seen) is None
    clock[0] += INTERVAL
    begun, reason = clock[0], None
    while reason is None and clock[0] < begun + 2 * SILENCE:
        reason = first._look(seen)
        clock[0] += INTERVAL
    assert reason == 'rank 1 has sent no heartbeat for 40 s'
    assert clock[0] - begun < SILENCE + 3 * INTERVAL
