"""What was seen in each frame, kept on disk while a video is looked at, so that a broken run can go on."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from posediff.atomic_files import replacing

PART_FRAMES = 200
COLUMNS = ('boxes', 'box_scores', 'keypoints_2d', 'keypoint_scores')


@dataclass(frozen=True)
class Sighting:
    """The people of one frame, before anybody told them apart.

    Attributes:
        frame_index, time_s: Of the frame.
        boxes: (N, 4) float32 px: left, top, right, bottom.
        box_scores: (N,) float32.
        keypoints_2d: (N, K, 2) float32 px.
        keypoint_scores: (N, K) float32 in [0, 1].
    """

    frame_index: int
    time_s: float
    boxes: np.ndarray
    box_scores: np.ndarray
    keypoints_2d: np.ndarray
    keypoint_scores: np.ndarray


class SightingsLog:
    """Sightings of a video from its first frame on, in parts of :data:`PART_FRAMES` frames.

    Finding people takes most of the time; who is who and what follows are worked out again from the log, so that a run
    that goes on ends as one that was never broken.

    Args:
        folder: Where the parts are.
        about: What the sightings depend on, for JSON.
        resume: Go on with what is there; else begin anew.

    Attributes:
        num_frames: That are on disk.
        last: The last of those that were there at the beginning.

    Raises:
        FileNotFoundError: There is nothing to go on with.
        ValueError: What is there was made of something else; the message names what.
    """

    def __init__(self, folder: str | Path, about: Mapping[str, Any], resume: bool = False) -> None:
        self.folder = Path(folder)
        self.about: dict[str, Any] = json.loads(json.dumps(about, default=str))
        if resume:
            self._check()
        else:
            shutil.rmtree(self.folder, ignore_errors=True)
        self.num_frames = 0
        self.last: Sighting | None = None
        for sighting in self.read():
            self.num_frames += 1
            self.last = sighting

    def read(self) -> Iterator[Sighting]:
        """What is there, in order."""
        for path in sorted(self.folder.glob('*.npz')):
            with np.load(path, allow_pickle=False) as part:
                arrays = dict(part)
            ends = np.cumsum(arrays['counts'])
            for number, (end, count) in enumerate(zip(ends.tolist(), arrays['counts'].tolist(), strict=True)):
                people = slice(end - count, end)
                yield Sighting(
                    int(arrays['frame_index'][number]),
                    float(arrays['time_s'][number]),
                    *(arrays[name][people] for name in COLUMNS),
                )

    def record(self, sightings: Iterable[Sighting]) -> Iterator[Sighting]:
        """Hand sightings through and keep them, the last ones also when the run breaks."""
        waiting: list[Sighting] = []
        try:
            for sighting in sightings:
                waiting.append(sighting)
                if len(waiting) == PART_FRAMES:
                    self._write(waiting)
                    waiting = []
                yield sighting
        finally:
            if waiting:
                self._write(waiting)

    def remove(self) -> None:
        """The run came to its end."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _write(self, sightings: list[Sighting]) -> None:
        if not self.num_frames:
            with replacing(self.folder / 'about.json') as draft:
                draft.write_text(json.dumps(self.about))
        with replacing(self.folder / f'{self.num_frames:09d}.npz') as draft:
            np.savez(
                draft,
                frame_index=np.array([one.frame_index for one in sightings]),
                time_s=np.array([one.time_s for one in sightings]),
                counts=np.array([len(one.boxes) for one in sightings]),
                **{name: np.concatenate([getattr(one, name) for one in sightings]) for name in COLUMNS},
            )
        self.num_frames += len(sightings)

    def _check(self) -> None:
        path = self.folder / 'about.json'
        if not path.is_file():
            raise FileNotFoundError(
                f'{self.folder.parent} holds no run that was broken off: there is nothing to resume'
            )
        before = json.loads(path.read_text())
        for name, value in self.about.items():
            if before.get(name) != value:
                raise ValueError(
                    f'{self.folder.parent} was begun with {name} {before.get(name)}, not {value}: it cannot go on'
                )
