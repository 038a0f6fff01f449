"""The random draws of a sampling run: each made when a sampler asks for it, for the rows at hand alone."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Protocol, overload

import torch
from torch import Tensor

from posediff.diffusion.normal_stream import DeviceNormalStream, NormalStream

Generators = torch.Generator | Sequence[torch.Generator] | None


class Draws(Protocol):
    """What a sampler is given: a tensor (draws, N, …), or something that makes draw k when it is read."""

    def __len__(self) -> int: ...

    def __getitem__(self, draw: int, /) -> Tensor: ...


class Noise(ABC):
    """All draws of all rows, (draws, B, M, …); draw 0 is x_T.

    Attributes:
        shape: The whole shape.
    """

    shape: tuple[int, ...]

    @abstractmethod
    def read(self, draw: int, clips: slice, hypotheses: slice) -> Tensor:
        """One draw of the rows at hand: float32 (b, m, …)."""

    def rows(self, clips: slice, hypotheses: slice) -> Draws:
        """The draws of a block of rows, (draws, N, …), made one by one when they are read."""
        draws, batch, num_hypotheses, *state = self.shape
        rows = len(range(batch)[clips]) * len(range(num_hypotheses)[hypotheses])
        return _Rows((rows, *state), range(draws), lambda draw: self.read(draw, clips, hypotheses).flatten(0, 1))

    def whole(self) -> Tensor:
        """Everything at once, (draws, B, M, …)."""
        return torch.stack([self.read(draw, slice(None), slice(None)) for draw in range(self.shape[0])])

    def finish(self) -> None:  # noqa: B027  most have nothing to do
        """Leave the generators as if everything had been drawn from them."""


class _Rows:
    """Reads like a tensor (draws, N, …) along its first axis; a slice of it is as lazy."""

    def __init__(self, shape: tuple[int, ...], order: range, read: Callable[[int], Tensor]) -> None:
        self._row_shape, self._order, self._read = shape, order, read

    @property
    def shape(self) -> torch.Size:
        return torch.Size((len(self._order), *self._row_shape))

    def __len__(self) -> int:
        return len(self._order)

    @overload
    def __getitem__(self, draw: int) -> Tensor: ...

    @overload
    def __getitem__(self, draw: slice) -> _Rows: ...

    def __getitem__(self, draw: int | slice) -> Tensor | _Rows:
        if isinstance(draw, slice):
            return _Rows(self._row_shape, self._order[draw], self._read)
        return self._read(self._order[draw])


class GivenNoise(Noise):
    """Noise that the caller holds: a tensor (draws, B, M, …)."""

    def __init__(self, noise: Tensor) -> None:
        self.noise = noise
        self.shape = tuple(noise.shape)

    def read(self, draw: int, clips: slice, hypotheses: slice) -> Tensor:
        return self.noise[draw, clips, hypotheses].float()


class MirroredNoise(Noise):
    """Another noise with every draw mirrored.

    Args:
        noise: The other.
        mirror: ``mirror((…, state axes))`` → the same shape.
    """

    def __init__(self, noise: Noise, mirror: Callable[[Tensor], Tensor]) -> None:
        self.noise, self.mirror = noise, mirror
        self.shape = noise.shape

    def read(self, draw: int, clips: slice, hypotheses: slice) -> Tensor:
        return self.mirror(self.noise.read(draw, clips, hypotheses))


class DrawnNoise(Noise):
    """Noise of generators, made draw by draw.

    With CPU generators every number is the one that ``torch.randn`` gives for everything at once: (draws, B, M, …)
    from one generator, (draws, M, …) for each clip from a list of B. So it depends neither on which rows are read
    together nor on the device where it is wanted; with a list a clip's noise does not depend on the other clips
    either. What is held is one draw of the rows at hand. On its way to a CUDA device it goes through pinned memory,
    and nothing waits.

    With a CUDA generator each draw is one call for all rows of the generator: independent of the rows read together,
    but held as a whole, and of values of its own.

    Args:
        draws: Random draws that the sampler consumes for a row.
        batch: B.
        num_hypotheses: M.
        state_shape: Shape of one x_t.
        device: Where the noise is wanted.
        generator: None for torch's global one on the CPU, which is left at once where drawing everything would leave
            it; one generator, or a list of B, which :meth:`finish` leaves there.

    Raises:
        ValueError: The list has another length than B.
    """

    def __init__(
        self,
        draws: int,
        batch: int,
        num_hypotheses: int,
        state_shape: tuple[int, ...],
        device: torch.device,
        generator: Generators,
    ) -> None:
        self.shape = (draws, batch, num_hypotheses, *state_shape)
        self._device = device
        self._row = torch.Size(state_shape).numel()
        one = torch.default_generator if generator is None else generator
        self._shared = isinstance(one, torch.Generator)
        sources = [one] if isinstance(one, torch.Generator) else list(one)
        if not self._shared and len(sources) != batch:
            raise ValueError(f'a list of generators needs one per clip: got {len(sources)} for a batch of {batch}')
        size = (batch if self._shared else 1) * num_hypotheses * self._row
        # What others may draw from meanwhile, and what several clips draw from, goes on behind these numbers at once.
        self._finished = generator is None or len({id(source) for source in sources}) < len(sources)
        self._streams = []
        for source in sources:
            self._streams.append(_stream(source, draws, size))
            if self._finished:
                _stream(source, draws, size).finish()

    def read(self, draw: int, clips: slice, hypotheses: slice) -> Tensor:
        batch, num_hypotheses = self.shape[1:3]
        first, last, _ = clips.indices(batch)
        begin, end, _ = hypotheses.indices(num_hypotheses)
        shape = (last - first, end - begin, *self.shape[3:])
        if self._shared and end - begin == num_hypotheses:
            parts = [(self._streams[0], first * num_hypotheses, last * num_hypotheses)]
        elif self._shared:
            parts = [(self._streams[0], clip * num_hypotheses + begin, clip * num_hypotheses + end)
                     for clip in range(first, last)]  # fmt: skip
        else:
            parts = [(self._streams[clip], begin, end) for clip in range(first, last)]
        source = self._streams[0].device if self._streams else self._device
        pinned = source.type == 'cpu' and self._device.type == 'cuda' and torch.cuda.is_available()
        noise = torch.empty(shape, dtype=torch.float32, device=source, pin_memory=pinned)
        blocks = noise.view(len(parts), noise.numel() // max(len(parts), 1))
        for block, (stream, start, stop) in zip(blocks, parts, strict=True):
            block.copy_(stream.read(draw, start * self._row, stop * self._row))
        return noise.to(self._device, non_blocking=True)

    def finish(self) -> None:
        if not self._finished:
            for stream in self._streams:
                stream.finish()
        self._finished = True


def _stream(generator: torch.Generator, draws: int, size: int) -> NormalStream | DeviceNormalStream:
    return (NormalStream if generator.device.type == 'cpu' else DeviceNormalStream)(generator, draws, size)
