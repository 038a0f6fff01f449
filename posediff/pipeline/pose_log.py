"""A log of the 2D poses of a video on disk, from which an interrupted run is continued."""

from __future__ import annotations

import json
import shutil
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from posediff.fileio.atomic_files import atomic_write
from posediff.structures.frame_poses import FramePoses

PART_FRAMES = 200
"""Frames per file of the log."""

DEFAULTS = {'capture_fps': None}
"""Values of settings that logs of earlier versions do not state."""

COLUMNS = ('boxes', 'box_scores', 'keypoints_2d', 'keypoint_scores', 'crops')
"""Fields of :class:`FramePoses` that are stored with one row per person; track ids are not stored."""


class PoseLog:
    """The 2D poses of a video from its first frame on, in files of :data:`PART_FRAMES` frames.

    Detection and pose estimation take most of the time of a run; tracking and all later stages are computed again from
    the log, so that a continued run gives the results of an uninterrupted one.

    A file that cannot be read (truncated because the disk was full or the process was killed) is renamed to
    ``.damaged`` with all files after it; their frames are processed again.

    Args:
        folder: Folder of the log.
        about: Settings that the poses depend on; written as JSON, and compared with an existing log on ``resume``.
        resume: Continue an existing log.
        overwrite: Delete an existing log first.

    Attributes:
        num_frames: Number of frames in the log.
        last: The last frame of the log when it was opened; None for a new log.
        problem: A sentence about damaged files; None if there are none.

    Raises:
        FileExistsError: There is a log of an interrupted run, and neither ``resume`` nor ``overwrite`` is given.
        FileNotFoundError: ``resume`` without a log.
        ValueError: The log was written with other settings; the message names the setting.
    """

    def __init__(
        self, folder: str | Path, about: Mapping[str, Any], resume: bool = False, overwrite: bool = False
    ) -> None:
        self.folder = Path(folder)
        self.about: dict[str, Any] = json.loads(json.dumps(about, default=str))
        self.num_frames = 0
        self.last: FramePoses | None = None
        self.problem: str | None = None
        if resume:
            self._check()
            self._count()
        elif overwrite:
            shutil.rmtree(self.folder, ignore_errors=True)
        else:
            refuse_interrupted_run(self.folder)

    def read(self) -> Iterator[FramePoses]:
        """Yield the frames of the log, in order."""
        for path in self._parts():
            yield from _read_part(path)

    def _parts(self) -> list[Path]:
        return sorted(self.folder.glob('*.npz'))

    def _count(self) -> None:
        """Count the frames of consecutive readable files, and rename the others."""
        parts = self._parts()
        for number, path in enumerate(parts):
            try:
                if path.name != _part_name(self.num_frames):
                    raise ValueError(f'{_part_name(self.num_frames)} before it is missing')
                found = list(_read_part(path))
                if not found:
                    raise ValueError('it is empty')
            except (OSError, EOFError, ValueError, KeyError, IndexError, zipfile.BadZipFile, zlib.error) as error:
                self._set_aside(parts[number:], error)
                return
            self.num_frames += len(found)
            self.last = found[-1]

    def _set_aside(self, parts: list[Path], error: Exception) -> None:
        """Rename files to ``.damaged`` and describe this in :attr:`problem`; ``error`` is that of the first file."""
        for path in parts:
            path.replace(path.with_suffix('.npz.damaged'))
        more = f' and {len(parts) - 1} after it are' if len(parts) > 1 else ' is'
        self.problem = (
            f'{parts[0]} cannot be read ({type(error).__name__}: {error}): it{more} renamed to .damaged; frames from '
            f'{self.num_frames} on are processed again'
        )

    def record(self, poses: Iterable[FramePoses]) -> Iterator[FramePoses]:
        """Write frames to the log and yield them; frames before an exception are written too."""
        waiting: list[FramePoses] = []
        try:
            for frame in poses:
                waiting.append(frame)
                if len(waiting) == PART_FRAMES:
                    self._write(waiting)
                    waiting = []
                yield frame
        finally:
            if waiting:
                self._write(waiting)

    def remove(self) -> None:
        """Delete the log, after the run has finished."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _write(self, frames: list[FramePoses]) -> None:
        if not self.num_frames:
            with atomic_write(self.folder / 'about.json') as draft:
                draft.write_text(json.dumps(self.about))
        with atomic_write(self.folder / _part_name(self.num_frames)) as draft:
            np.savez(
                draft,
                frame_index=np.array([one.frame_index for one in frames]),
                time_s=np.array([one.time_s for one in frames]),
                after_cut=np.array([one.after_cut for one in frames]),
                counts=np.array([len(one.boxes) for one in frames]),
                **{name: np.concatenate([getattr(one, name) for one in frames]) for name in COLUMNS},
            )
        self.num_frames += len(frames)

    def _check(self) -> None:
        """Check that the settings of an existing log are those of this run."""
        path = self.folder / 'about.json'
        if not path.is_file():
            raise FileNotFoundError(f'{self.folder.parent} holds no interrupted run: there is nothing to resume')
        try:
            before = DEFAULTS | dict(json.loads(path.read_text()))
        except (ValueError, TypeError) as error:
            raise ValueError(
                f'{path} is damaged ({error}): the run cannot be continued; --overwrite removes it and starts again'
            ) from error
        for name, value in self.about.items():
            if name in before and before[name] != value:
                raise ValueError(
                    f'{self.folder.parent} was started with {name} {before[name]}, not {value}: it cannot be continued'
                )


def refuse_interrupted_run(folder: Path) -> None:
    """Raise an error if a folder holds the log of an interrupted run.

    Raises:
        FileExistsError: It does.
    """
    if any(folder.glob('*.npz*')):
        raise FileExistsError(
            f'{folder.parent} holds an interrupted run: --resume continues it, --overwrite removes it and starts again'
        )


def _part_name(first_frame: int) -> str:
    return f'{first_frame:09d}.npz'


def _read_part(path: Path) -> Iterator[FramePoses]:
    with np.load(path, allow_pickle=False) as part:
        # files of earlier versions have no cuts and no crops
        old = {
            'after_cut': np.zeros(len(part['counts']), bool),
            'crops': np.full(part['boxes'].shape, np.nan, np.float32),
        }
        wanted = ('frame_index', 'time_s', 'counts', 'after_cut', *COLUMNS)
        arrays = {name: part[name] if name in part else old[name] for name in wanted}
    ends = np.cumsum(arrays['counts'])
    num_persons = int(arrays['counts'].sum())
    if any(len(arrays[name]) != num_persons for name in COLUMNS):
        raise ValueError(f'it states {num_persons} persons but holds another number')
    for number, (end, count) in enumerate(zip(ends.tolist(), arrays['counts'].tolist(), strict=True)):
        rows = slice(end - count, end)
        yield FramePoses(
            int(arrays['frame_index'][number]),
            float(arrays['time_s'][number]),
            **{name: arrays[name][rows] for name in COLUMNS},
            after_cut=bool(arrays['after_cut'][number]),
        )
