"""Selection of the video stream of a file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from posediff.video.packets import Packets

NO_FILM = ('attached_pic', 'timed_thumbnails')  # dispositions of cover images and previews


def choose_film(container: Any, name: str, packets: Mapping[int, Packets]) -> tuple[Any, str | None]:
    """Choose the stream to read: a video before a still image, the default stream before others, then the first.

    Args:
        container: Result of ``av.open``.
        name: Name of the video, for errors.
        packets: Time stamps of its streams by stream index; empty if unknown. Streams with a single picture count as
            still images.

    Returns:
        The stream, and a note if there were several candidates.

    Raises:
        ValueError: There is no readable video stream.
    """
    streams = container.streams.video
    if not streams:
        kinds = ', '.join(sorted({stream.type for stream in container.streams})) or 'nothing'
        raise ValueError(f'{name} has no video stream, only {kinds}')
    films = [stream for stream in streams if not any(_has(stream, flag) for flag in NO_FILM)]
    if not films:
        raise ValueError(f'{name} has no video stream, only an attached picture')
    films = [stream for stream in films if stream.codec_context is not None]
    if not films:
        raise ValueError(f'{name}: there is no decoder for its pictures')
    if all(_has(stream, 'dependent') for stream in films):
        raise ValueError(f'{name} is a tiled image, which is not supported: save it as JPEG or PNG')
    if packets:
        films = [stream for stream in films if packets[stream.index].count > 1] or films
    film = next((stream for stream in films if _has(stream, 'default')), films[0])
    if len(films) == 1:
        return film, None
    size = f'{film.codec_context.width}x{film.codec_context.height}'
    return film, f'{name} has {len(films)} video streams: stream {film.index} is read, {size} px'


def _has(stream: Any, flag: str) -> bool:
    return bool(stream.disposition & getattr(type(stream.disposition), flag, 0))
