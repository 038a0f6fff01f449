"""The noise of a sampling run, drawn on demand for a block of rows."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Protocol, overload

import torch
from torch import Tensor

from posediff.diffusion.normal_stream import DeviceNormalStream, NormalStream

Generators = torch.Generator | Sequence[torch.Generator] | None


class Draws(Protocol):
    """The noise of a sampler: a tensor (draws, N, …), or an object that draws entry k when it is read."""

    def __len__(self) -> int: ...

    def __getitem__(self, draw: int, /) -> Tensor: ...


class Noise(ABC):
    """The noise of all rows, (draws, B, M, …); draw 0 is x_T.

    Attributes:
        shape: (draws, B, M, …).
    """

    shape: tuple[int, ...]

    @abstractmethod
    def read(self, draw: int, clips: slice, hypotheses: slice) -> Tensor:
        """Return one draw of a block of rows: float32 (b, m, …)."""

    def rows(self, clips: slice, hypotheses: slice) -> Draws:
        """Return the noise (draws, N, …) of a block of rows; each draw is computed when it is read."""
        draws, batch, num_hypotheses, *state = self.shape
        rows = len(range(batch)[clips]) * len(range(num_hypotheses)[hypotheses])
        return _Rows((rows, *state), range(draws), lambda draw: self.read(draw, clips, hypotheses).flatten(0, 1))

    def whole(self) -> Tensor:
        """Return all noise, (draws, B, M, …)."""
        return torch.stack([self.read(draw, slice(None), slice(None)) for draw in range(self.shape[0])])

    def finish(self) -> None:  # noqa: B027  optional
        """Advance the generators to their state after all draws."""


class _Rows:
    """A lazy sequence of draws, indexed like the first axis of a tensor (draws, N, …)."""

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
    """Noise from a tensor (draws, B, M, …), read as float32."""

    def __init__(self, noise: Tensor) -> None:
        self.noise = noise
        self.shape = tuple(noise.shape)

    def read(self, draw: int, clips: slice, hypotheses: slice) -> Tensor:
        return self.noise[draw, clips, hypotheses].float()


class ZeroNoise(Noise):
    """Noise that is 0 everywhere, the mean of the distribution.

    Args:
        shape: (draws, B, M, …).
        device: Device of the noise.
    """

    def __init__(self, shape: tuple[int, ...], device: torch.device) -> None:
        self.shape, self.device = shape, device

    def read(self, draw: int, clips: slice, hypotheses: slice) -> Tensor:
        _, batch, num_hypotheses, *state = self.shape
        rows = len(range(batch)[clips]), len(range(num_hypotheses)[hypotheses])
        return torch.zeros((*rows, *state), device=self.device)


class MirroredNoise(Noise):
    """Noise in which every state is mirrored, for predictions on mirrored inputs.

    Args:
        noise: The noise to mirror.
        mirror: Function of a state (…, state axes) that keeps the shape.
    """

    def __init__(self, noise: Noise, mirror: Callable[[Tensor], Tensor]) -> None:
        self.noise, self.mirror = noise, mirror
        self.shape = noise.shape

    def read(self, draw: int, clips: slice, hypotheses: slice) -> Tensor:
        return self.mirror(self.noise.read(draw, clips, hypotheses))


class DrawnNoise(Noise):
    """Noise drawn from generators on demand.

    With CPU generators, the numbers equal those of one call of ``torch.randn`` for all noise: (draws, B, M, …) from one
    generator, or (draws, M, …) per clip from a list of B. They depend neither on the block of rows nor on the device;
    with a list, the noise of a clip does not depend on other clips. Only one draw of one block is in memory. Copies to
    CUDA are asynchronous, through pinned memory.

    With a CUDA generator, each draw is one call for all rows of the generator: it does not depend on the block of rows,
    but is in memory as a whole and has other values.

    Args:
        draws: Random draws per row.
        batch: B.
        num_hypotheses: M.
        state_shape: Shape of one x_t.
        device: Device of the noise.
        generator: One generator or a list of B, advanced past all draws by :meth:`finish`. None: the global CPU
            generator of torch. This one, and the generators of a list with repeated generators, are advanced past all
            draws in the constructor.

    Raises:
        ValueError: The length of the list is not B.
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
        # global and repeated generators are advanced now, since other code or clips draw from them before finish()
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
