"""Videos that do not wait for whoever looks at them."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from posediff.structures.video_frame import VideoFrame
from posediff.video.reading import VideoSource

POLL_S, JOIN_S = 0.1, 1.0


class LiveVideo(VideoSource):
    """A camera, a stream, or a file that plays at its own speed: always the newest frame, and each only once.

    What comes while the last frame is worked on is left out, so that one is never behind by more than a frame.

    Args:
        name, fps, capture_fps: As for :class:`~posediff.video.reading.VideoSource`.

    Attributes:
        left_out: Frames of the last iteration that came too soon.
    """

    def __init__(self, name: str | Path, fps: float | None = None, capture_fps: float | None = None) -> None:
        super().__init__(name, fps, capture_fps)
        self._plays_itself = self.is_live
        self.is_live = True
        self.left_out = 0

    def frames(self, start: int = 0) -> Iterator[VideoFrame]:
        """Iterate over what comes from now on."""
        self.left_out = 0
        newest: queue.Queue[VideoFrame | BaseException | None] = queue.Queue(maxsize=1)
        stopped = threading.Event()
        reader = threading.Thread(target=self._read, args=(start, newest, stopped), daemon=True)
        reader.start()
        try:
            while (item := newest.get()) is not None:
                if isinstance(item, BaseException):
                    raise item
                yield item
        finally:
            stopped.set()
            reader.join(JOIN_S)  # a camera that hangs in the middle of a read must not hang the program

    def _read(
        self, start: int, newest: queue.Queue[VideoFrame | BaseException | None], stopped: threading.Event
    ) -> None:
        last: BaseException | None = None
        begun = time.monotonic()
        try:
            for frame in super().frames(start):
                if not self._plays_itself:
                    stopped.wait(max(begun + frame.time_s - time.monotonic(), 0))
                if stopped.is_set():
                    return
                if not frame.repeated:
                    self._offer(frame, newest)
        except BaseException as error:  # noqa: BLE001  raised again where the frames are used
            last = error
        while not stopped.is_set():  # behind the last frame, which is not left out
            try:
                newest.put(last, timeout=POLL_S)
                return
            except queue.Full:
                pass

    def _offer(self, frame: VideoFrame, newest: queue.Queue[VideoFrame | BaseException | None]) -> None:
        """Put a frame in the place of the one that nobody took, if there is one."""
        try:
            before = newest.get_nowait()
            self.left_out += 1
            if isinstance(before, VideoFrame) and before.after_cut:
                frame = replace(frame, after_cut=True)
        except queue.Empty:
            pass
        newest.put(frame)
