"""Live video: sources that do not wait for the consumer."""

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
    """A camera, a stream, or a file played at its own speed: always yields the newest frame, each at most once.

    Frames that arrive while the previous frame is processed are skipped, so the delay is at most one frame.

    Args:
        name, fps, capture_fps: As for :class:`~posediff.video.reading.VideoSource`.

    Attributes:
        left_out: Number of frames skipped in the last iteration.
    """

    def __init__(self, name: str | Path, fps: float | None = None, capture_fps: float | None = None) -> None:
        super().__init__(name, fps, capture_fps)
        self._plays_itself = self.is_live
        self.is_live = True
        self.left_out = 0

    def frames(self, start: int = 0) -> Iterator[VideoFrame]:
        """Iterate over the frames that arrive from now on."""
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
            reader.join(JOIN_S)  # a camera that hangs in a read must not hang the program

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
        except BaseException as error:  # noqa: BLE001  raised again in the consumer's thread
            last = error
        while not stopped.is_set():  # queued after the last frame, which must not be skipped
            try:
                newest.put(last, timeout=POLL_S)
                return
            except queue.Full:
                pass

    def _offer(self, frame: VideoFrame, newest: queue.Queue[VideoFrame | BaseException | None]) -> None:
        """Put a frame into the queue, replacing one that was not consumed."""
        try:
            before = newest.get_nowait()
            self.left_out += 1
            if isinstance(before, VideoFrame) and before.after_cut:
                frame = replace(frame, after_cut=True)
        except queue.Empty:
            pass
        newest.put(frame)
