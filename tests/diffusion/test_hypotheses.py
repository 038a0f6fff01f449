"""Noise and rows of hypotheses."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from posediff.diffusion.guidance import drop_condition, guide
from posediff.diffusion.hypotheses import chunks
from posediff.diffusion.memory import peak_bytes


@given(batch=st.integers(0, 7), num_hypotheses=st.integers(1, 9), max_rows=st.integers(1, 40))
def test_chunks_cover_every_row_once_within_the_limit(batch, num_hypotheses, max_rows):
    seen = torch.zeros(batch, num_hypotheses, dtype=torch.int64)
    for clips, drawn in chunks(batch, num_hypotheses, max_rows):
        seen[clips, drawn] += 1
        assert 0 < seen[clips, drawn].numel() <= max_rows
    assert bool((seen == 1).all())


def test_guidance_is_an_extrapolation_from_unconditional_through_conditional():
    conditional, unconditional = torch.tensor([3.0]), torch.tensor([1.0])
    assert float(guide(conditional, unconditional, 1.0)) == 3.0
    assert float(guide(conditional, unconditional, 0.0)) == 1.0
    assert float(guide(conditional, unconditional, 2.5)) == 6.0


def test_whole_clips_lose_their_condition_at_the_asked_rate():
    torch.manual_seed(0)
    dropped = drop_condition(torch.ones(4000, 2, 3), 0.25).flatten(1)
    assert set(dropped.sum(1).tolist()) == {0.0, 6.0}
    assert float((dropped.sum(1) == 0).float().mean()) == pytest.approx(0.25, abs=0.03)


def test_peak_bytes_counts_what_lives_at_one_time():
    start = torch.zeros(1000)

    def call():
        first = start * 2  # 4000 bytes
        second = first.view(10, 100) + 1  # 4000 more, the view is free
        del first
        return (second * 3).sum()  # 4000 more, after 4000 were released

    assert 8000 <= peak_bytes(call) <= 8100
