"""What was seen in each frame, kept on disk while a video is looked at, so that a broken run can go on."""

from __future__ import annotations

import json
import shutil
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from posediff.fileio.atomic_files import replacing

PART_FRAMES = 200
OLDER = {'capture_fps': None}
"""What earlier versions, which do not say it, did."""
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
        after_cut: Time is missing before this frame; see :class:`posediff.structures.video_frame.VideoFrame`.
    """

    frame_index: int
    time_s: float
    boxes: np.ndarray
    box_scores: np.ndarray
    keypoints_2d: np.ndarray
    keypoint_scores: np.ndarray
    after_cut: bool = field(default=False, kw_only=True)


class SightingsLog:
    """Sightings of a video from its first frame on, in parts of :data:`PART_FRAMES` frames.

    Finding people takes most of the time; who is who and what follows are worked out again from the log, so that a run
    that goes on ends as one that was never broken.

    A part that cannot be read, cut off by a full disk or a machine that stopped, is set aside with all after it: it
    gets the suffix ``.damaged``, and its frames are looked at again.

    Args:
        folder: Where the parts are.
        about: What the sightings depend on, for JSON.
        resume: Go on with what is there.
        overwrite: Begin anew, whatever is there.

    Attributes:
        num_frames: That are on disk.
        last: The last of those that were there at the beginning.
        problem: What was set aside, and why; None: nothing.

    Raises:
        FileExistsError: There is a run that was broken off, and neither ``resume`` nor ``overwrite`` says what to do
            with it.
        FileNotFoundError: There is nothing to go on with.
        ValueError: What is there was made of something else; the message names what.
    """

    def __init__(
        self, folder: str | Path, about: Mapping[str, Any], resume: bool = False, overwrite: bool = False
    ) -> None:
        self.folder = Path(folder)
        self.about: dict[str, Any] = json.loads(json.dumps(about, default=str))
        self.num_frames = 0
        self.last: Sighting | None = None
        self.problem: str | None = None
        if resume:
            self._check()
            self._count()
        elif overwrite:
            shutil.rmtree(self.folder, ignore_errors=True)
        else:
            refuse_broken_run(self.folder)

    def read(self) -> Iterator[Sighting]:
        """What is there, in order."""
        for path in self._parts():
            yield from _read_part(path)

    def _parts(self) -> list[Path]:
        return sorted(self.folder.glob('*.npz'))

    def _count(self) -> None:
        """Frames of the parts that are whole and follow one another; the others are set aside."""
        parts = self._parts()
        for number, path in enumerate(parts):
            try:
                if path.name != _part_name(self.num_frames):
                    raise ValueError(f'there is no {_part_name(self.num_frames)} before it')
                found = list(_read_part(path))
                if not found:
                    raise ValueError('it is empty')
            except (OSError, EOFError, ValueError, KeyError, IndexError, zipfile.BadZipFile, zlib.error) as error:
                self._set_aside(parts[number:], error)
                return
            self.num_frames += len(found)
            self.last = found[-1]

    def _set_aside(self, parts: list[Path], error: Exception) -> None:
        for path in parts:
            path.replace(path.with_suffix('.npz.damaged'))
        more = f' and {len(parts) - 1} after it are' if len(parts) > 1 else ' is'
        self.problem = (
            f'{parts[0]} cannot be read ({type(error).__name__}: {error}): it{more} set aside as .damaged; frames from '
            f'{self.num_frames} on are looked at again'
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
        with replacing(self.folder / _part_name(self.num_frames)) as draft:
            np.savez(
                draft,
                frame_index=np.array([one.frame_index for one in sightings]),
                time_s=np.array([one.time_s for one in sightings]),
                after_cut=np.array([one.after_cut for one in sightings]),
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
        try:
            before = OLDER | dict(json.loads(path.read_text()))
        except (ValueError, TypeError) as error:
            raise ValueError(
                f'{path} is damaged ({error}): the run cannot go on, --overwrite removes it and begins anew'
            ) from error
        for name, value in self.about.items():
            if name in before and before[name] != value:
                raise ValueError(
                    f'{self.folder.parent} was begun with {name} {before[name]}, not {value}: it cannot go on'
                )


def refuse_broken_run(folder: Path) -> None:
    """Refuse to begin anew in a folder that holds sightings of an interrupted run.

    Raises:
        FileExistsError: There are some.
    """
    if any(folder.glob('*.npz*')):
        raise FileExistsError(
            f'{folder.parent} holds a run that was broken off: --resume goes on with it, --overwrite removes it and '
            'begins anew'
        )


def _part_name(first_frame: int) -> str:
    return f'{first_frame:09d}.npz'


def _read_part(path: Path) -> Iterator[Sighting]:
    with np.load(path, allow_pickle=False) as part:
        arrays = {name: part[name] for name in ('frame_index', 'time_s', 'counts', *COLUMNS)}
        # parts of earlier versions have no cuts
        arrays['after_cut'] = part['after_cut'] if 'after_cut' in part else np.zeros(len(arrays['counts']), bool)
    ends = np.cumsum(arrays['counts'])
    people_in_part = int(arrays['counts'].sum())
    if any(len(arrays[name]) != people_in_part for name in COLUMNS):
        raise ValueError(f'it does not hold the {people_in_part} people that it counts')
    for number, (end, count) in enumerate(zip(ends.tolist(), arrays['counts'].tolist(), strict=True)):
        people = slice(end - count, end)
        yield Sighting(
            int(arrays['frame_index'][number]),
            float(arrays['time_s'][number]),
            *(arrays[name][people] for name in COLUMNS),
            after_cut=bool(arrays['after_cut'][number]),
        )
