"""The time stamps of a file, read without decoding a picture."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from posediff.video.timeline import max_pause

MAX_PACKETS = 20_000  # eleven minutes at 30 pictures a second: enough to know a rate by
REORDERED = 16  # pictures by which H.264 and H.265 may decode ahead


@dataclass(frozen=True)
class Packets:
    """Time stamps of a stream.

    Attributes:
        count: Packets that hold a picture.
        stretches: (n,) float64 s, ascending: when pictures are shown, cut where the stamps jump. A picture without a
            stamp is in none.
        is_whole: Whether that is the whole stream.
        in_order: The stamps never go back from packet to packet: the stream has none, or its stamps are those of
            decoding.
    """

    count: int
    stretches: tuple[np.ndarray, ...]
    is_whole: bool
    in_order: bool


def read_packets(container: Any, errors: tuple[type[Exception], ...]) -> tuple[dict[int, Packets], float]:
    """Time stamps of the video streams of an open file.

    Args:
        container: What ``av.open`` gives.
        errors: That reading damaged files raises.

    Returns:
        The stamps by the streams' index, and when the last packet of any stream ends, s.
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
    # Decoding times rise in a stretch; times of display go back where pictures are decoded ahead of their turn.
    by_display = len(decoded) < len(shown)
    order = times if by_display else np.array(decoded, float) * unit_s
    steps = np.diff(order)
    step = float(np.median(np.abs(steps[steps != 0]))) if (steps != 0).any() else 0.0
    back = -step * (2 * REORDERED if by_display else 3)
    restarts = np.flatnonzero(steps < back) + 1
    stretches = tuple(piece for part in np.split(times, restarts) for piece in _at_pauses(np.sort(part), step))
    return Packets(len(stamps), stretches, is_whole, bool((np.diff(times) >= 0).all()))


def _at_pauses(times: np.ndarray, step: float) -> list[np.ndarray]:
    """Stretches without longer pauses of ascending stamps; times of decoding pause a few pictures later than these."""
    return np.split(times, np.flatnonzero(np.diff(times) > max_pause(step)) + 1)
