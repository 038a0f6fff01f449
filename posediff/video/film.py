"""Video files and streams read through FFmpeg: stream selection, frame rate, pictures."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing
from itertools import islice
from typing import Any

import numpy as np

from posediff.video.colour import rgb
from posediff.video.names import Place
from posediff.video.orientation import display_matrix, is_off_axis, upright
from posediff.video.packets import Packets, read_packets
from posediff.video.pictures import PHOTO_FPS, Picture, PictureSource
from posediff.video.rate import best_rate
from posediff.video.streams import choose_film

RAW = ('h264', 'hevc', 'vvc', 'evc', 'm4v', 'mjpeg', 'cavsvideo', 'mpegvideo', 'obu', 'vc1', 'dirac')  # no time stamps
FIRST_PICTURES = 16  # decoded on opening, to check whether the time stamps are in order
WHOLE = 0.98  # minimum share of the header's length in a complete file, since headers round
SLACK_S = 0.2  # by which audio may start before the video
MAX_STATED_FPS = 240.0  # the rate of a live source is measured if the stated one is higher


class Film(PictureSource):
    """A video file, camera or stream.

    Args:
        place: Location of the video.
        name: Name for messages.
        max_fps: Highest plausible rate; a higher one in the header or the time stamps is not used.

    Attributes:
        packets: Time stamps of a file; None for cameras and streams.

    Raises:
        ValueError: FFmpeg cannot read it as a video, or it has no readable video stream.
    """

    def __init__(self, place: Place, name: str, max_fps: float) -> None:
        super().__init__(name)
        self.place = place
        self._index: int | None = None
        self._stamps: np.ndarray | None = None  # used if the stamps of decoded pictures are wrong
        self.packets: Packets | None = None
        end_s = 0.0
        if place.path is not None and place.path.is_file():
            with self._open() as container:
                found, end_s = read_packets(container, _errors())
                stream, note = choose_film(container, name, found)
                self._index, self.packets = stream.index, found[stream.index]
                self.notes += [note] if note else []
        with self._open() as container:
            stream = self._stream(container)
            self.is_stamped = container.format.name not in RAW and (
                self.packets is None or bool(self.packets.stretches)
            )
            self.length_s = _length(container, stream, end_s)
            self.num_pictures = stream.frames or None
            self._read_first_pictures(stream, max_fps)
        if self.packets is not None and self.packets.is_whole:
            self.num_pictures = self.packets.count
            self.stretches = self.packets.stretches

    def _read_first_pictures(self, stream: Any, max_fps: float) -> None:
        """Decode the first pictures and set the image size, the frame rate and the notes."""
        with closing(self._frames(stream)) as frames:
            first = next(frames, None)
            times: list[float] = []
            if first is not None:
                matrix = display_matrix(first)
                self.img_shape = self._image(first, stream).shape[:2]
                aspect = stream.sample_aspect_ratio
                if aspect and round(first.width * aspect) != first.width:
                    self.notes.append(
                        f'{self.name}: its pixels are not square: pictures of {first.width}x{first.height} px are '
                        f'stretched to {round(first.width * aspect)}x{first.height}, in which keypoints and boxes of a '
                        'file are expected'
                    )
                if is_off_axis(matrix):
                    self.notes.append(
                        f'{self.name} is rotated by an angle that is no multiple of 90 degrees: the nearest one is used'
                    )
                more = islice(frames, FIRST_PICTURES - 1 if self._is_doubtful(stream) else 0)
                times = [frame.time for frame in (first, *more) if frame.time is not None]
        self.fps = self._rate(stream, times, max_fps)
        if self.packets is not None and self.packets.in_order and (np.diff(times) < 0).any():
            # AVI has one time stamp per picture, that of decoding: decoded pictures carry them in the wrong order
            self._stamps = np.concatenate(self.packets.stretches)

    def _is_doubtful(self, stream: Any) -> bool:
        """Return whether time stamps have to be checked after decoding."""
        if self.packets is None:
            return _has_doubtful_rate(stream)
        return self.packets.in_order and bool(stream.codec_context.has_b_frames)

    def _rate(self, stream: Any, times: list[float], max_fps: float) -> float | None:
        """Return the rate in pictures per second; None if neither the header nor the time stamps give one.

        Args:
            stream: PyAV's video stream.
            times: Time stamps of the first decoded pictures, s.
            max_fps: Highest plausible rate.
        """
        stated = stream.average_rate or stream.guessed_rate
        self.stated = None if stated is None else float(stated)
        if not self.is_stamped:
            own = float(stream.codec_context.framerate or 0)
            if not 0 < own <= max_fps:  # ticks of the codec's clock, which is not the rate of its pictures
                self.stated = own or self.stated
                return None
            self.rate_note = f'{self.name} has no time stamps: it is read at the {own:g} fps stated by its codec'
            return own
        stretches: tuple[np.ndarray, ...] = ()
        if self.packets is not None:
            stretches = self.packets.stretches
        elif _has_doubtful_rate(stream):
            stretches = (np.unique(np.array(times)),)
        unit = float(stream.time_base)
        fps = best_rate(stretches, (stream.average_rate, stream.base_rate, stream.guessed_rate), unit, max_fps)
        if fps is None:
            has_steps = any(len(stretch) > 1 for stretch in stretches)
            self.is_stamped = not has_steps  # ignore time stamps that give no rate
            if not has_steps and stated and float(stated) <= max_fps:
                return float(stated)
            return PHOTO_FPS if self.packets is not None and self.packets.count == 1 else None
        if not stated or abs(fps / float(stated) - 1) > 0.005:
            header = f'{float(stated):g} fps' if stated else 'no rate'
            self.notes.append(f'{self.name}: its header says {header}, its time stamps {fps:.5g} fps, which is used')
        return fps

    def __iter__(self) -> Iterator[Picture]:
        """Yield the pictures in presentation order."""
        self.damaged = 0
        with self._open() as container:
            stream = self._stream(container)
            for number, frame in enumerate(self._frames(stream)):
                stamp = frame.time if self.is_stamped else None
                if self._stamps is not None:
                    stamp = float(self._stamps[number]) if number < len(self._stamps) else None
                yield Picture(number, stamp, self._image(frame, stream))

    def _image(self, frame: Any, stream: Any) -> np.ndarray:
        aspect = stream.sample_aspect_ratio
        image = rgb(frame, round(frame.width * aspect) if aspect else frame.width)
        return upright(image, display_matrix(frame))

    def _frames(self, stream: Any) -> Generator[Any, None, None]:
        """Yield the decoded frames; packets that cannot be decoded are counted."""
        stream.thread_type = 'AUTO'
        packets = stream.container.demux(stream)
        while True:
            try:
                packet = next(packets, None)
                if packet is None:
                    return
                frames = packet.decode()
            except _errors():
                self.damaged += 1
                continue
            yield from frames

    def _stream(self, container: Any) -> Any:
        if self._index is None:
            return choose_film(container, self.name, {})[0]
        return next(stream for stream in container.streams.video if stream.index == self._index)

    def _open(self) -> Any:
        av = import_av()
        try:
            return av.open(self.place.address, format=self.place.format)
        except (av.error.FFmpegError, OSError) as error:
            raise ValueError(f'{self.name} cannot be read as a video: {error.strerror or error}') from error


def _length(container: Any, stream: Any, end_s: float) -> float | None:
    """Return the length stated by the header, s; None if there is none, or if the file is complete.

    The pictures of a complete file give its length more accurately than the header.

    Args:
        end_s: End of the last packet of any stream; 0: unknown.
    """
    length, start = container.duration and container.duration / 1e6, (container.start_time or 0) / 1e6
    if length and start > 0 and 'matroska' in container.format.name:
        length -= start  # FFmpeg writes the end time of the last picture, on a clock that starts at 0
    if stream.duration and stream.time_base:
        length = float(stream.duration * stream.time_base)
        start = float((stream.start_time or 0) * stream.time_base)
    return None if not length or end_s - start >= WHOLE * length - SLACK_S else length


def _has_doubtful_rate(stream: Any) -> bool:
    rate = stream.average_rate or stream.guessed_rate
    return not rate or float(rate) > MAX_STATED_FPS


def _errors() -> tuple[type[Exception], ...]:
    return (import_av().error.FFmpegError,)


def import_av() -> Any:
    """Import PyAV, or raise an error that says how to install it."""
    try:
        import av
        import av.error
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError("reading and writing videos needs PyAV: pip install 'posediff[pipeline]'") from error
    return av
