"""Draws that are made when they are needed have the values of one draw of everything."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from posediff.diffusion.hypotheses import chunks
from posediff.diffusion.noise import DrawnNoise, GivenNoise, MirroredNoise, ZeroNoise
from posediff.diffusion.normal_stream import DeviceNormalStream, NormalStream
from posediff.structures.named_generators import plain_id

CPU = torch.device('cpu')


def generators(batch: int, kind: str) -> torch.Generator | list[torch.Generator] | None:
    if kind == 'global':
        torch.manual_seed(5)
        return None
    if kind == 'one':
        return torch.Generator().manual_seed(5)
    each = [torch.Generator().manual_seed(5 + clip) for clip in range(batch)]
    return [each[0]] * batch if kind == 'the same for all' else each


def at_once(draws: int, batch: int, num_hypotheses: int, state: tuple[int, ...], source) -> torch.Tensor:
    """One call for all draws, (draws, B, M, …), of one generator or of each clip's."""
    if not isinstance(source, list):
        return torch.randn((draws, batch, num_hypotheses, *state), generator=source)
    return torch.stack([torch.randn((draws, num_hypotheses, *state), generator=one) for one in source], dim=1)


def state_of(source) -> list[torch.Tensor]:
    if source is None:
        return [torch.get_rng_state()]
    return [one.get_state() for one in (source if isinstance(source, list) else [source])]


@settings(max_examples=80, deadline=None)
@given(
    draws=st.integers(1, 5),
    batch=st.integers(1, 4),
    num_hypotheses=st.integers(1, 5),
    state=st.sampled_from([(1,), (3,), (5, 3), (16,), (4, 17, 3)]),
    max_rows=st.integers(1, 20),
    kind=st.sampled_from(['global', 'one', 'each', 'the same for all']),
    passes=st.integers(1, 2),
)
def test_values_are_those_of_one_draw_of_everything(draws, batch, num_hypotheses, state, max_rows, kind, passes):
    source = generators(batch, kind)
    expected = at_once(draws, batch, num_hypotheses, state, source)
    left = state_of(source)
    source = generators(batch, kind)
    noise = DrawnNoise(draws, batch, num_hypotheses, state, CPU, source)
    for _ in range(passes):  # the second is the mirrored one's
        found = torch.full_like(expected, torch.nan)
        for clips, drawn in chunks(batch, num_hypotheses, max_rows):
            rows = noise.rows(clips, drawn)
            assert len(rows) == draws
            for draw in range(draws):
                found[draw, clips, drawn] = rows[draw].view(found[draw, clips, drawn].shape)
        assert torch.equal(found, expected)
    noise.finish()
    assert all(torch.equal(*pair) for pair in zip(state_of(source), left, strict=True))
    assert torch.equal(DrawnNoise(draws, batch, num_hypotheses, state, CPU, generators(batch, kind)).whole(), expected)


@settings(max_examples=60, deadline=None)
@given(
    draws=st.integers(1, 4), size=st.integers(1, 90),
    reads=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 89), st.integers(0, 90)), max_size=6),
)  # fmt: skip
def test_any_order_of_reads_gives_the_same_numbers(draws, size, reads):
    expected = torch.randn((draws, size), generator=torch.Generator().manual_seed(1))
    stream = NormalStream(torch.Generator().manual_seed(1), draws, size)
    for draw, start, stop in reads:
        draw, start = draw % draws, start % size
        stop = min(max(stop, start), size)
        assert torch.equal(stream.read(draw, start, stop), expected[draw, start:stop])


def test_reading_forwards_makes_each_number_once(monkeypatch):
    made = []
    randn = torch.randn
    monkeypatch.setattr(torch, 'randn', lambda *size, **kwargs: made.append(size[0]) or randn(*size, **kwargs))
    noise = DrawnNoise(10, 4, 6, (7, 3), CPU, generators(4, 'each'))
    for clips, drawn in chunks(4, 6, 12):
        for draw in range(10):
            noise.rows(clips, drawn)[draw]
    total = 10 * 4 * 6 * 21
    assert total <= sum(made) <= total + 4 * 16
    made.clear()
    noise = DrawnNoise(10, 4, 6, (7, 3), CPU, generators(4, 'each'))
    for clips, drawn in chunks(4, 6, 2):  # a third of a clip at a time: what is passed over is made twice
        for draw in range(10):
            noise.rows(clips, drawn)[draw]
    assert sum(made) < 2.5 * total


def test_noise_of_a_clip_does_not_depend_on_its_batch():
    def clips(*seeds):
        return [torch.Generator().manual_seed(seed) for seed in seeds]

    both = DrawnNoise(3, 2, 4, (5, 6), CPU, clips(7, 8)).whole()
    alone = DrawnNoise(3, 1, 4, (5, 6), CPU, clips(8)).whole()
    assert both.shape == (3, 2, 4, 5, 6)
    assert torch.equal(both[:, 1:], alone)
    with pytest.raises(ValueError, match='got 1 for a batch of 2'):
        DrawnNoise(3, 2, 4, (5, 6), CPU, clips(1))


def test_the_global_generator_goes_on_behind_the_noise_at_once():
    torch.manual_seed(5)
    noise, after = at_once(3, 2, 2, (5,), None), torch.randn(4)
    torch.manual_seed(5)
    drawn = DrawnNoise(3, 2, 2, (5,), CPU, None)
    assert torch.equal(torch.randn(4), after)
    assert torch.equal(drawn.whole(), noise)
    drawn.finish()
    drawn.finish()
    torch.manual_seed(5)
    at_once(3, 2, 2, (5,), None)
    torch.randn(4)
    expected = torch.randn(4)
    torch.manual_seed(5)
    DrawnNoise(3, 2, 2, (5,), CPU, None)
    torch.randn(4)
    assert torch.equal(torch.randn(4), expected)


def test_given_and_mirrored_noise_read_alike():
    tensor = torch.randn(3, 2, 4, 5, dtype=torch.float64)
    given = GivenNoise(tensor)
    mirrored = MirroredNoise(given, lambda state: state.flip(-1))
    rows = mirrored.rows(slice(1, 2), slice(1, 3))
    assert rows.shape == (3, 2, 5)
    assert torch.equal(rows[2], tensor[2, 1, 1:3].float().flip(-1))
    assert torch.equal(torch.stack(list(rows[1:])), tensor[1:, 1, 1:3].float().flip(-1))
    assert torch.equal(rows[-1], rows[2])
    with pytest.raises(IndexError):
        rows[3]


def test_a_stream_of_whole_calls_does_not_depend_on_what_is_read():
    source = torch.Generator().manual_seed(2)
    expected = torch.stack([torch.randn(40, generator=source) for _ in range(4)])
    mine = torch.Generator().manual_seed(2)
    stream = DeviceNormalStream(mine, 4, 40)
    assert torch.equal(stream.read(2, 5, 9), expected[2, 5:9])
    assert torch.equal(stream.read(0, 0, 40), expected[0])
    stream.finish()
    assert torch.equal(mine.get_state(), source.get_state())


@pytest.mark.gpu
def test_a_cuda_generator_gives_the_same_whatever_the_rows():
    cuda = torch.device('cuda')
    whole = DrawnNoise(3, 2, 4, (5, 6), cuda, torch.Generator(cuda).manual_seed(1)).whole()
    noise = DrawnNoise(3, 2, 4, (5, 6), cuda, torch.Generator(cuda).manual_seed(1))
    assert torch.equal(noise.read(1, slice(1, 2), slice(1, 3)), whole[1, 1:2, 1:3])
    on_cpu = DrawnNoise(3, 2, 4, (5, 6), CPU, torch.Generator().manual_seed(1)).whole()
    assert torch.equal(DrawnNoise(3, 2, 4, (5, 6), cuda, torch.Generator().manual_seed(1)).whole().cpu(), on_cpu)


def test_ids_that_mean_the_same_have_one_form():
    import numpy as np

    for name in (3, np.int64(3), np.uint8(3), 3.0, np.float32(3), '3', np.str_('3')):
        assert repr(plain_id((name, 'a'))) == "(3, 'a')"
    assert [repr(plain_id(name)) for name in ('03', '-0', 'clip', np.str_('a b'), 1.5, None)] == [
        "'03'", "'-0'", "'clip'", "'a b'", '1.5', 'None',
    ]  # fmt: skip


def test_no_noise_has_the_shapes_of_noise():
    noise, parts = ZeroNoise((2, 4, 3, 5, 6), CPU), (slice(1, 3), slice(0, 2))
    assert torch.equal(noise.read(0, *parts), torch.zeros(2, 2, 5, 6))
    assert torch.equal(noise.rows(*parts)[1], torch.zeros(4, 5, 6))
    assert torch.equal(noise.whole(), torch.zeros(2, 4, 3, 5, 6))
