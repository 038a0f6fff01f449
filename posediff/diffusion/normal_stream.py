"""Standard normal numbers of a generator, read in parts with the values of one large draw."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

BLOCK = 16  # block size of PyTorch's CPU kernel; each block uses the next 16 uniform numbers
PIECE = 2**16  # numbers drawn at a time when skipping


@dataclass(frozen=True)
class _Place:
    """A position in the stream, to which the generator can return.

    Attributes:
        state: State of the generator at this position.
        position: Numbers drawn since the start of the stream.
        left: (n,) the last numbers before the position, from which the next read may start.
    """

    state: Tensor
    position: int
    left: Tensor


class NormalStream:
    """The numbers of ``torch.randn((draws, size), generator=generator)``, without storing all of them.

    On the CPU, PyTorch draws 16 or more numbers in blocks of 16, and draws the last 16 again if their number is not a
    multiple of 16 (``normal_fill`` in ATen). Several calls therefore give exactly the numbers of one call if all sizes
    except the last are multiples of 16 and the last call has the rest. Fewer than 16 numbers are drawn in one call.

    Reading forwards draws each number once. If a read ends within a draw, the position is stored (5 KB), and the next
    rows of the same draw continue from it. The state of ``generator`` does not change before :meth:`finish`.

    Args:
        generator: A CPU generator.
        draws: Number of draws.
        size: Numbers per draw.
    """

    def __init__(self, generator: torch.Generator, draws: int, size: int) -> None:
        self.device = generator.device
        self._source = generator
        self._own = torch.Generator()
        self._size, self._total = size, draws * size
        # number of numbers that can be drawn in whole blocks; the others are drawn in the last call
        rest = self._total % BLOCK
        self._limit = self._total if not rest else max(self._total - rest - BLOCK, 0)
        self._start = _Place(generator.get_state(), 0, torch.empty(0))
        self._kept: dict[int, _Place] = {}  # draw → where the last read of it ended
        self._position, self._left = 0, self._start.left
        self._go_to(self._start)

    def read(self, draw: int, start: int, stop: int) -> Tensor:
        """Return the numbers ``start`` to ``stop`` of one draw, float32 (stop - start,)."""
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
        self._left = numbers[-2 * BLOCK :].clone()  # the next read may start within these blocks
        if stop < self._size:
            self._kept[draw] = _Place(self._own.get_state(), self._position, self._left)
        return numbers[first - begin : last - begin]

    def finish(self) -> None:
        """Advance the generator to its state after all draws."""
        self._pass_over(self._total)
        self._draw(self._total - self._position)
        self._position = self._total
        self._source.set_state(self._own.get_state())

    def _go_to(self, place: _Place) -> None:
        self._own.set_state(place.state)
        self._position, self._left = place.position, place.left

    def _pass_over(self, target: int) -> None:
        """Skip to the last block that starts at or before ``target``."""
        target = min(target // BLOCK * BLOCK, self._limit)
        while self._position < target:
            count = min(target - self._position, PIECE)
            self._draw(count)
            self._position, self._left = self._position + count, self._start.left

    def _draw(self, count: int) -> Tensor:
        return torch.randn(count, generator=self._own, dtype=torch.float32)


class DeviceNormalStream:
    """The numbers of one call of ``torch.randn(size, generator=generator)`` per draw, on the device of the generator.

    The numbers of a CUDA generator depend on the size of the call, so a whole draw is computed for each part of it. The
    interface is that of :class:`NormalStream`; the numbers differ from those of one call for all draws.
    """

    def __init__(self, generator: torch.Generator, draws: int, size: int) -> None:
        self.device = generator.device
        self._source, self._draws, self._size = generator, draws, size
        self._own = torch.Generator(generator.device)
        self._states = [generator.get_state()]  # before draw 0, 1, …

    def read(self, draw: int, start: int, stop: int) -> Tensor:
        """Return the numbers ``start`` to ``stop`` of one draw, float32 (stop - start,)."""
        for earlier in range(len(self._states) - 1, draw):
            self._make(earlier)
        return self._make(draw)[start:stop]

    def finish(self) -> None:
        """Advance the generator to its state after all draws."""
        self.read(self._draws - 1, 0, 0)
        self._source.set_state(self._states[self._draws])

    def _make(self, draw: int) -> Tensor:
        self._own.set_state(self._states[draw])
        numbers = torch.randn(self._size, generator=self._own, device=self._own.device, dtype=torch.float32)
        if len(self._states) == draw + 1:
            self._states.append(self._own.get_state())
        return numbers
