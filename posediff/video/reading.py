"""Read videos: files, streams, cameras, photos, folders of images."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from pathlib import Path

from posediff.structures.video_frame import VideoFrame
from posediff.video.constant_rate import ConstantRate
from posediff.video.film import WHOLE, Film
from posediff.video.images import Animation, Images, images_of, is_animated, other_pictures
from posediff.video.names import Place, find
from posediff.video.pictures import MAX_FPS, Picture, PictureSource
from posediff.video.timeline import Cut, TimeLine

MAX_CAPTURE_FPS = 100_000.0
SHOWN_CUTS = 3


class VideoSource:
    """A video that can be iterated repeatedly.

    Frames have the constant rate ``fps``, are rotated upright as the file states, and have square pixels. Time stamps
    determine when a picture is shown: if a frame has no picture, the previous one is repeated and marked; surplus
    pictures are dropped and counted. Where the stamps jump (see :class:`~posediff.video.timeline.TimeLine`), the clock
    continues by one picture; such cuts are listed and reported as a ``problem``.

    Args:
        name: Path, URL, or camera: ``camera:7``, or ``7`` if no file has that name.
        fps: Frame rate of the output; None: the video's own rate. The speed of motion does not change, except for
            sources without time stamps (folders of images and raw streams), which are assumed to have this rate.
        capture_fps: Rate at which the video was recorded, if it differs from the playback rate, as in slow motion:
            times are scaled, and the output has this rate unless ``fps`` is given.

    Attributes:
        img_shape: (h, w) px of the frames.
        images: Paths of the images of a folder, in order, or of a photo; None for other sources.
        num_frames: Expected number of frames; None if unknown.
        num_pictures: Number of pictures of the source, counted like ``VideoFrame.picture``; None: unknown.
        notes: Sentences about the video, collected on opening.
        dropped, repeated: Number of pictures dropped and repeated in the last iteration to keep the rate.
        cuts: Cuts found in the last iteration.
        problem: What was wrong with the video in the last iteration, as a sentence, or None.

    Raises:
        ModuleNotFoundError: PyAV is not installed.
        FileNotFoundError: The file or camera does not exist.
        ValueError: It is not a video, no frame can be decoded, a rate is out of range, or the source states no rate and
            none is given.
    """

    def __init__(self, name: str | Path, fps: float | None = None, capture_fps: float | None = None) -> None:
        self.name, self.capture_fps = str(name), capture_fps
        for option, value, most in (('fps', fps, MAX_FPS), ('capture_fps', capture_fps, MAX_CAPTURE_FPS)):
            if value is not None and not 0 < value <= most:
                raise ValueError(f'{option} must be in 0..{most:g}, got {value}')
        place = find(name)
        self.path = place.path or Path(self.name)
        self.is_live = place.path is None
        self._source = _source(place, self.name)
        self.images = self._source.paths if isinstance(self._source, Images) else None
        if self._source.img_shape is None:
            raise ValueError(f'{self.name}: no frame could be decoded (truncated?)')
        self.img_shape = self._source.img_shape
        self.num_pictures = self._source.num_pictures
        self.notes = list(self._source.notes)
        own = self._own_rate(fps)
        self._step_s = 1 / own
        self._scale = 1.0 if capture_fps is None else own / capture_fps
        self.fps = float(fps or capture_fps or own)
        self._resamples = fps is not None
        self.num_frames = self._expected_frames()
        self.dropped = self.repeated = 0
        self.cuts: list[Cut] = []
        self.problem: str | None = None

    def __iter__(self) -> Iterator[VideoFrame]:
        return self.frames()

    @property
    def picture_fps(self) -> float:
        """Playback rate of the source in pictures per second, independent of ``fps`` and ``capture_fps``."""
        return 1 / self._step_s

    def frames(self, start: int = 0) -> Iterator[VideoFrame]:
        """Iterate from frame ``start`` to the end, or to the first picture of another size, which is a ``problem``."""
        clock, line = ConstantRate(self.fps), TimeLine(self._step_s)
        self.repeated, self.problem, self.cuts = 0, None, []
        other_size, is_over, is_cut = None, False, False
        before: Picture | None = None
        try:
            for picture, time_s, after_cut in self._timed(line):
                is_cut |= after_cut
                if picture.image.shape[:2] != self.img_shape:
                    other_size = self._other_size(picture, time_s)
                    return
                ticks = clock.ticks(time_s)
                for tick in ticks:
                    shown = picture if tick == ticks[-1] or before is None else before
                    self.repeated += shown is not picture
                    if tick >= start:
                        repeated = shown is not picture
                        is_first = is_cut and not repeated
                        yield VideoFrame(tick, tick / self.fps, shown.image, repeated, shown.number, is_first)
                is_cut = is_cut and not ticks
                before = picture
            is_over = True
        finally:
            self.dropped = clock.dropped
            self.cuts = [Cut(cut.time_s * self._scale, cut.stamps_s) for cut in line.cuts]
            self.problem = other_size or self._complaint(clock.next_tick if is_over else None)

    def _timed(self, line: TimeLine) -> Iterator[tuple[Picture, float, bool]]:
        """Yield pictures, their times on the clock, s, and whether there is a cut before them.

        Pictures are held back until later ones show whether the time stamps restart.
        """
        held: deque[tuple[Picture, float]] = deque()
        num_cuts = 0
        for picture in self._pictures():
            held.append((picture, line(picture.stamp_s)))
            while len(held) > line.num_open:
                first, time_s = held.popleft()
                is_cut = num_cuts < len(line.cuts) and time_s >= line.cuts[num_cuts].time_s
                num_cuts += is_cut
                yield first, time_s * self._scale, is_cut
        yield from ((picture, time_s * self._scale, False) for picture, time_s in held)

    def _pictures(self) -> Iterator[Picture]:
        return iter(self._source)

    def _own_rate(self, fps: float | None) -> float:
        """Return the playback rate in pictures per second: the source's own, or one given by the caller.

        Args:
            fps: Frame rate given by the caller; used, like ``capture_fps``, if the source has no rate or time stamps.
        """
        source, given = self._source, self.capture_fps or fps
        if source.fps is None or (given is not None and not source.is_stamped):
            if given is None:
                stated = f' (its header says {source.stated:g}, which is not plausible)' if source.stated else ''
                raise ValueError(f'{self.name} does not state its frame rate{stated}: set fps')
            source.fps = given
        elif source.rate_note is not None:
            self.notes.append(source.rate_note)
        return source.fps

    def _expected_frames(self) -> int | None:
        """Return the number of frames expected from the header or the time stamps; None if neither states it."""
        source = self._source
        if self.is_live:
            return None
        if source.is_stamped and source.length_s is not None and len(source.stretches) < 2:
            return round(source.length_s * self._scale * self.fps)
        if source.is_stamped and source.stretches:
            last = sum(float(stretch[-1] - stretch[0]) + self._step_s for stretch in source.stretches) - self._step_s
        elif source.num_pictures:
            last = (source.num_pictures - 1) * self._step_s
        else:
            return None
        return round(last * self._scale * self.fps) + 1

    def _other_size(self, picture: Picture, time_s: float) -> str:
        (height, width), (first_height, first_width) = picture.image.shape[:2], self.img_shape
        name = '' if self.images is None else f' ({self.images[picture.number].name})'
        return (
            f'{self.name}: the picture at {time_s:g} s{name} is {width}x{height} px, the first '
            f'{first_width}x{first_height}: reading stops there'
        )

    def _complaint(self, frames: int | None) -> str | None:
        """Return what was wrong so far; also checks the length if the video was read to its end (``frames`` given)."""
        found = []
        if self._source.complaint is not None:
            found.append(self._source.complaint)
        if self.cuts:
            found.append(_cuts(self.cuts))
        if self.dropped and not self._resamples:
            found.append(f'{self.dropped} of its pictures exceed {self.fps:.5g} fps and are dropped')
        knows_length = self.num_frames is not None and not (self.cuts and not self._source.stretches)
        if frames is not None and self.num_frames and knows_length and frames < WHOLE * self.num_frames - 2:
            found.append(f'it ends after {frames / self.fps:.1f} s of {self.num_frames / self.fps:.1f} s (truncated?)')
        return f'{self.name}: {" and ".join(found)}' if found else None


def open_video(name: str | Path, fps: float | None = None, capture_fps: float | None = None) -> VideoSource:
    """Open a video; see :class:`VideoSource`."""
    return VideoSource(name, fps, capture_fps)


def _source(place: Place, name: str) -> PictureSource:
    if place.path is None:
        return Film(place, name, MAX_FPS)
    images = images_of(place.path)
    if images is not None:
        found = Images(name, images)
        others = other_pictures(place.path) if place.path.is_dir() else None
        found.notes += [] if others is None else [others]
        return found
    if place.path.suffix.lower() == '.webp' and is_animated(place.path):
        return Animation(name, place.path)
    return Film(place, name, MAX_FPS)


def _cuts(cuts: list[Cut]) -> str:
    """Describe the cuts in a message."""
    places = [f'from {cut.stamps_s[0]:.3f} s to {cut.stamps_s[1]:.3f} s at {cut.time_s:.3f} s' for cut in cuts]
    more = f' and {len(places) - SHOWN_CUTS} more' if len(places) > SHOWN_CUTS else ''
    return f'its time stamps jump {", ".join(places[:SHOWN_CUTS])}{more}: each jump is treated as a cut'
