"""Standard normal numbers of a generator, read piece by piece with the values of one large draw."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

BLOCK = 16  # numbers that PyTorch's CPU kernel makes at a time, each block from the next 16 uniform ones
PIECE = 2**16  # numbers made at a time where they are passed over


@dataclass(frozen=True)
class _Place:
    """A place in the stream: the generator's state after ``position`` numbers, and the last of these."""

    state: Tensor
    position: int
    left: Tensor


class NormalStream:
    """The numbers of ``torch.randn((draws, size), generator=generator)`` without the tensor that holds them all.

    PyTorch fills 16 numbers or more on the CPU in blocks of 16, in order, and makes the last 16 anew where 16 does
    not divide their number (``normal_fill`` in ATen). So calls whose sizes are multiples of 16, with the rest in the
    last call, give the numbers of the one call bit by bit. A tensor of fewer than 16 is drawn as a whole.

    Reading forwards costs each number once. Where a read leaves a draw before its end, the place is kept (5 KB), so
    that the next rows of the same draw go on from there. ``generator`` is not touched before :meth:`finish`.

    Args:
        generator: On the CPU.
        draws: Number of draws.
        size: Numbers of one draw.
    """

    def __init__(self, generator: torch.Generator, draws: int, size: int) -> None:
        self.device = generator.device
        self._source = generator
        self._own = torch.Generator()
        self._size, self._total = size, draws * size
        # What can be drawn in whole blocks; the others come with the last call.
        rest = self._total % BLOCK
        self._limit = self._total if not rest else max(self._total - rest - BLOCK, 0)
        self._start = _Place(generator.get_state(), 0, torch.empty(0))
        self._kept: dict[int, _Place] = {}
        self._position, self._left = 0, self._start.left
        self._go_to(self._start)

    def read(self, draw: int, start: int, stop: int) -> Tensor:
        """Numbers ``start`` to ``stop`` of one draw, float32 (stop - start,)."""
        first, last = draw * self._size + start, draw * self._size + stop
        kept = self._kept.pop(draw, None)
        if kept is not None and kept.position - len(kept.left) <= first:
            self._go_to(kept)
        elif self._position - len(self._left) > first:
            self._go_to(self._start)
        self._pass_over(first)
        end = -(-last // BLOCK) * BLOCK
        end = max(end if end <= self._limit else self._total, self._position)
        numbers = torch.cat([self._left, self._draw(end - self._position)])
        begin = end - len(numbers)
        self._position = end
        self._left = numbers[-2 * BLOCK :].clone()  # the next read may begin within the last call's last blocks
        if stop < self._size:
            self._kept[draw] = _Place(self._own.get_state(), self._position, self._left)
        return numbers[first - begin : last - begin]

    def finish(self) -> None:
        """Put the generator where drawing everything at once would have left it."""
        self._pass_over(self._total)
        self._draw(self._total - self._position)
        self._position = self._total
        self._source.set_state(self._own.get_state())

    def _go_to(self, place: _Place) -> None:
        self._own.set_state(place.state)
        self._position, self._left = place.position, place.left

    def _pass_over(self, target: int) -> None:
        """Draw up to the last block that begins at or before ``target``, and keep nothing."""
        target = min(target // BLOCK * BLOCK, self._limit)
        while self._position < target:
            count = min(target - self._position, PIECE)
            self._draw(count)
            self._position, self._left = self._position + count, self._start.left

    def _draw(self, count: int) -> Tensor:
        return torch.randn(count, generator=self._own, dtype=torch.float32)


class DeviceNormalStream:
    """One call of ``torch.randn(size, generator=generator)`` for each draw, on the generator's device.

    A CUDA generator's numbers depend on the size of the call, so a call is always a whole draw, and a part of a draw
    is cut out of it. Used as :class:`NormalStream` is; the numbers are not those of a single call for all draws.
    """

    def __init__(self, generator: torch.Generator, draws: int, size: int) -> None:
        self.device = generator.device
        self._source, self._draws, self._size = generator, draws, size
        self._own = torch.Generator(generator.device)
        self._states = [generator.get_state()]  # before draw 0, 1, …

    def read(self, draw: int, start: int, stop: int) -> Tensor:
        """Numbers ``start`` to ``stop`` of one draw, float32 (stop - start,)."""
        for earlier in range(len(self._states) - 1, draw):
            self._make(earlier)
        return self._make(draw)[start:stop]

    def finish(self) -> None:
        """Put the generator after the last draw."""
        self.read(self._draws - 1, 0, 0)
        self._source.set_state(self._states[self._draws])

    def _make(self, draw: int) -> Tensor:
        self._own.set_state(self._states[draw])
        numbers = torch.randn(self._size, generator=self._own, device=self._own.device, dtype=torch.float32)
        if len(self._states) == draw + 1:
            self._states.append(self._own.get_state())
        return numbers
