"""Read the time stamps of a file without decoding."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from posediff.video.timeline import max_pause

MAX_PACKETS = 20_000  # eleven minutes at 30 fps, enough to determine a rate
REORDERED = 16  # maximum number of pictures by which H.264 and H.265 decode ahead


@dataclass(frozen=True)
class Packets:
    """The time stamps of a stream.

    Attributes:
        count: Number of packets that hold a picture.
        stretches: Presentation times, s: one ascending float64 array (n,) for each part between two jumps of the
            stamps. Pictures without a time stamp are not included.
        is_whole: Whether the whole stream was read.
        in_order: Whether the stamps never decrease from packet to packet: the stream has none, or has decoding times
            only.
    """

    count: int
    stretches: tuple[np.ndarray, ...]
    is_whole: bool
    in_order: bool


def read_packets(container: Any, errors: tuple[type[Exception], ...]) -> tuple[dict[int, Packets], float]:
    """Read the time stamps of the video streams of an open file.

    Args:
        container: Result of ``av.open``.
        errors: Exceptions raised on reading damaged files.

    Returns:
        The time stamps by stream index, and the end of the last packet of any stream, s.
    """
    streams = container.streams.video
    stamps: dict[int, list[tuple[int | None, int | None]]] = defaultdict(list)
    count, end_s, packets = 0, 0.0, container.demux()
    while count < MAX_PACKETS:
        try:
            packet = next(packets, None)
        except errors:
            continue
        if packet is None:
            break
        if packet.pts is not None and packet.time_base:
            end_s = max(end_s, float((packet.pts + (packet.duration or 0)) * packet.time_base))
        if packet.size and not packet.is_discard and packet.stream.type == 'video':
            stamps[packet.stream.index].append((packet.pts, packet.dts))
            count += 1
    whole = count < MAX_PACKETS
    found = {stream.index: _packets(stamps[stream.index], float(stream.time_base), whole) for stream in streams}
    return found, end_s


def _packets(stamps: Sequence[tuple[int | None, int | None]], unit_s: float, is_whole: bool) -> Packets:
    shown = [(pts if pts is not None else dts, dts) for pts, dts in stamps if pts is not None or dts is not None]
    times = np.array([pts for pts, _ in shown], float) * unit_s
    if not len(times):
        return Packets(len(stamps), (), is_whole, True)
    decoded = [dts for _, dts in shown if dts is not None]
    # Decoding times increase within a stretch; presentation times decrease where pictures are decoded ahead.
    by_display = len(decoded) < len(shown)
    order = times if by_display else np.array(decoded, float) * unit_s
    steps = np.diff(order)
    step = float(np.median(np.abs(steps[steps != 0]))) if (steps != 0).any() else 0.0
    back = -step * (2 * REORDERED if by_display else 3)
    restarts = np.flatnonzero(steps < back) + 1
    stretches = tuple(piece for part in np.split(times, restarts) for piece in _at_pauses(np.sort(part), step))
    return Packets(len(stamps), stretches, is_whole, bool((np.diff(times) >= 0).all()))


def _at_pauses(times: np.ndarray, step: float) -> list[np.ndarray]:
    """Split ascending stamps at long pauses; decoding times pause a few pictures later than presentation times."""
    return np.split(times, np.flatnonzero(np.diff(times) > max_pause(step)) + 1)
