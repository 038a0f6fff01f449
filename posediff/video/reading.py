"""Read videos with PyAV: files, streams, cameras, folders of images."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from posediff.video.frames import ConstantRate, VideoFrame

IMAGE_SUFFIXES = ('.jpg', '.jpeg', '.png', '.bmp', '.webp', '.tif', '.tiff')
MAX_FPS = 1000.0
COMPLETE = 0.98  # share of the announced length that a whole file has; headers round


class VideoSource:
    """A video to iterate over, as often as wanted.

    Frames come at the constant rate ``fps``, turned upright as the file says, with square pixels. Where a file has no
    picture for a moment, the one before is repeated and marked; pictures that come too soon are dropped and counted.

    Args:
        name: Path, URL, or number of a camera.
        fps: Rate to read at; None: the file's own. A folder of images needs one.

    Attributes:
        img_shape: (h, w) px of the frames.
        num_frames: How many there should be; None where that is not known.
        dropped, repeated: What the last iteration did to keep the rate.
        problem: What was wrong with the file in the last iteration, in words, or None.

    Raises:
        ModuleNotFoundError: PyAV is not installed.
        FileNotFoundError: There is no such file.
        ValueError: It is no video, has no frame, or does not say its rate.
    """

    def __init__(self, name: str | Path, fps: float | None = None) -> None:
        self.name = str(name)
        self.path = Path(self.name).expanduser()
        self.is_live = self.name.isdigit() or '://' in self.name
        if fps is not None and not 0 < fps <= MAX_FPS:
            raise ValueError(f'fps must be in 0..{MAX_FPS:g}, got {fps}')
        self.images = _images(self.path) if self.path.is_dir() else None
        if not self.is_live and not self.path.exists():
            raise FileNotFoundError(f'video {self.name} does not exist')
        self.dropped = self.repeated = 0
        self.problem: str | None = None
        with self._open() as container:
            stream = _video_stream(container, self.name)
            own = None if self.images else stream.average_rate or stream.guessed_rate
            rate = fps if fps is not None else float(own or 0)
            if not 0 < rate <= MAX_FPS:
                raise ValueError(f'{self.name} does not say its frame rate{f" ({own})" if own else ""}: give it')
            self.fps = rate
            self.num_frames = self._announced(container, stream)
            first = next(self._pictures(container, stream), None)
        if first is None:
            raise ValueError(f'{self.name}: not one frame could be decoded; is it truncated?')
        self.img_shape: tuple[int, int] = first[2].shape[:2]

    def __iter__(self) -> Iterator[VideoFrame]:
        return self.frames()

    def frames(self, start: int = 0) -> Iterator[VideoFrame]:
        """Iterate from a frame on, up to the end or to a picture of another size, which is a ``problem``."""
        clock = ConstantRate(self.fps)
        self.repeated, self.problem, damaged = 0, None, [0]
        with self._open() as container:
            before: np.ndarray | None = None
            before_number = 0
            for number, time_s, image in self._pictures(container, _video_stream(container, self.name), damaged):
                if image.shape[:2] != self.img_shape:
                    self.dropped = clock.dropped
                    self.problem = (
                        f'{self.name}: the picture at {time_s} s is {image.shape[1]}x{image.shape[0]} px, the first '
                        f'{self.img_shape[1]}x{self.img_shape[0]}: read up to there'
                    )
                    return
                ticks = clock.ticks(time_s)
                for tick in ticks:
                    is_new = tick == ticks[-1] or before is None
                    self.repeated += not is_new
                    if tick >= start:
                        shown, picture = (image, number) if is_new else (before, before_number)
                        yield VideoFrame(tick, tick / self.fps, shown, not is_new, picture)
                before, before_number = image, number
        self.dropped = clock.dropped
        self.problem = self._complaint(clock.next_tick, damaged[0])

    def _open(self) -> Any:
        av = import_av()
        if self.images is not None:
            return _ImageFolder(self.images)
        try:
            if self.name.isdigit():
                return av.open(f'/dev/video{self.name}', format='v4l2')
            return av.open(self.name if self.is_live else str(self.path))
        except (av.error.FFmpegError, OSError) as error:
            raise ValueError(f'{self.name} cannot be read as a video: {error.strerror or error}') from error

    def _pictures(
        self, container: Any, stream: Any, damaged: list[int] | None = None
    ) -> Iterator[tuple[int, float | None, np.ndarray]]:
        """Numbers, times and images (H, W, 3) in the order in which they are shown.

        Pictures of a file are counted as they are decoded, images of a folder with those that cannot be read. What
        cannot be decoded is counted in ``damaged``.
        """
        if isinstance(container, _ImageFolder):
            for number, image in enumerate(container):
                if image is not None:
                    yield number, number / self.fps, image
                elif damaged is not None:
                    damaged[0] += 1
            return
        av = import_av()
        stream.thread_type = 'AUTO'
        number = 0
        packets = container.demux(stream)
        while True:
            try:
                packet = next(packets, None)
                if packet is None:
                    return
                frames = packet.decode()
            except av.error.FFmpegError:
                if damaged is not None:
                    damaged[0] += 1
                continue
            for frame in frames:
                yield number, frame.time, _upright(frame, stream.sample_aspect_ratio)
                number += 1

    def _announced(self, container: Any, stream: Any) -> int | None:
        if self.images is not None:
            return len(self.images)
        if self.is_live:
            return None
        if stream.duration and stream.time_base:
            return round(float(stream.duration * stream.time_base) * self.fps)
        if container.duration:
            return round(container.duration / 1e6 * self.fps)
        return stream.frames or None

    def _complaint(self, frames: int, damaged: int) -> str | None:
        found = []
        if damaged:
            found.append(f'{damaged} pieces of it cannot be decoded')
        if self.num_frames and frames < COMPLETE * self.num_frames - 2:
            found.append(f'it ends after {frames / self.fps:.1f} s of {self.num_frames / self.fps:.1f} s (truncated?)')
        return f'{self.name}: {" and ".join(found)}' if found else None


def open_video(name: str | Path, fps: float | None = None) -> VideoSource:
    """Open a video; see :class:`VideoSource`."""
    return VideoSource(name, fps)


class _ImageFolder:
    """Images of a folder in the order of their names, with a container's face."""

    def __init__(self, paths: list[Path]) -> None:
        self.paths = paths

    def __enter__(self) -> _ImageFolder:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def __iter__(self) -> Iterator[np.ndarray | None]:
        """Images; None for one that cannot be read."""
        from posediff.datasets.transforms.clip_loading import read_image

        for path in self.paths:
            try:
                image = read_image(str(path))
            except ValueError:
                yield None
            else:
                yield np.ascontiguousarray(image[..., ::-1])


def _images(folder: Path) -> list[Path]:
    found = sorted(path for path in folder.iterdir() if path.suffix.lower() in IMAGE_SUFFIXES)
    if not found:
        raise ValueError(f'{folder} is a folder without images ({", ".join(IMAGE_SUFFIXES)})')
    return found


def _video_stream(container: Any, name: str) -> Any:
    if isinstance(container, _ImageFolder):
        return None
    if not container.streams.video:
        kinds = ', '.join(sorted({stream.type for stream in container.streams})) or 'nothing'
        raise ValueError(f'{name} has no pictures in it, only {kinds}')
    return container.streams.video[0]


def _upright(frame: Any, pixel_aspect: Fraction | None) -> np.ndarray:
    """(H, W, 3) uint8, red first; turned as the file says, pixels square."""
    width = round(frame.width * pixel_aspect) if pixel_aspect else frame.width
    image = frame.to_ndarray(format='rgb24', width=width, height=frame.height)
    turns = round(frame.rotation / 90) % 4
    return np.ascontiguousarray(np.rot90(image, turns)) if turns else image


def import_av() -> Any:
    """PyAV, or one sentence that says how to get it."""
    try:
        import av
        import av.error
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError("reading and writing videos needs PyAV: pip install 'posediff[pipeline]'") from error
    return av
