"""Attention in blocks of rows is attention."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from posediff.models.layers.attention import attend_by_products, attend_fused
from posediff.models.layers.row_blocks import MAX_ROWS, in_row_blocks


@given(rows=st.integers(1, 40), block=st.integers(1, 45))
@settings(deadline=None, max_examples=30)
def test_blocks_of_rows_give_what_one_call_gives(rows, block):
    generator = torch.Generator().manual_seed(rows)
    query, key, value = (torch.randn(rows, 2, 5, 4, generator=generator) for _ in range(3))
    calls = []

    def attend(*parts):
        calls.append(len(parts[0]))
        return F.scaled_dot_product_attention(*parts)

    found = in_row_blocks(attend, query, key, value, max_rows=block)
    torch.testing.assert_close(found, F.scaled_dot_product_attention(query, key, value))
    assert max(calls) <= block
    assert sum(calls) == rows


def test_more_rows_than_a_kernel_takes_and_their_gradients():
    query = torch.randn(2, MAX_ROWS // 2 + 2, 1, 2, 2, generator=torch.Generator().manual_seed(0)).requires_grad_()
    attend_fused(query, query, query).square().sum().backward()
    found, query.grad = query.grad, None
    attend_by_products(query, query, query).square().sum().backward()
    torch.testing.assert_close(found, query.grad, rtol=1e-4, atol=1e-5)


def test_no_call_has_more_rows_than_a_kernel_takes():
    calls = []

    def noted(rows):
        calls.append(len(rows))
        return rows

    rows = torch.arange(2 * MAX_ROWS + 1)
    assert torch.equal(in_row_blocks(noted, rows), rows)
    assert calls == [MAX_ROWS, MAX_ROWS, 1]
