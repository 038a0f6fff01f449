"""List the takes in a folder of CMU motion capture, from its ``index.csv`` if it has one, else from file names."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from posediff.fileio.input_files import data_files

INDEX_COLUMNS = ('clip', 'subject', 'skeleton', 'file', 'fps', 'description')  # others are ignored


@dataclass(frozen=True)
class SourceTake:
    """One motion file and its metadata.

    Attributes:
        name: Name of the take, unique within the subject.
        subject: Name of the subject.
        motion_path: The ``.amc`` or ``.bvh`` file.
        skeleton_path: The ``.asf`` file of an ``.amc`` file; None for BVH, or if none was found.
        fps: Frame rate that the index states; None without an index.
        description: Description in the index; without one, the words of the file name.
    """

    name: str
    subject: str
    motion_path: Path
    skeleton_path: Path | None
    fps: float | None
    description: str


def find_takes(source: str | Path) -> list[SourceTake]:
    """List the motion files of a folder, by its ``index.csv`` if it has one, else by file names ``<subject>_<take>``.

    Raises:
        FileNotFoundError: The folder does not exist, or has no motion.
        ValueError: The index lacks a column or has an invalid line; the message names it.
    """
    source = Path(source)
    if not source.is_dir():
        raise FileNotFoundError(f'{source}: no such folder')
    index = source / 'index.csv'
    takes = list(_indexed_takes(source, index) if index.is_file() else _named_takes(source))
    if not takes:
        where = f'{index}: no lines after the header' if index.is_file() else f'{source}: no .amc or .bvh file in it'
        raise FileNotFoundError(where)
    return takes


def _named_takes(source: Path) -> Iterator[SourceTake]:
    for path in data_files(source, ('.amc', '.bvh'), recursive=True):
        subject = path.stem.rsplit('_', 1)[0]
        skeleton = _find_skeleton(path, subject, source) if path.suffix.lower() == '.amc' else None
        yield SourceTake(path.stem, _subject_name(subject), path, skeleton, None, path.stem.replace('_', ' '))


def _indexed_takes(source: Path, index: Path) -> Iterator[SourceTake]:
    try:
        with index.open(newline='', encoding='utf-8-sig') as file:  # spreadsheets write a byte order mark
            reader = csv.DictReader(file)
            missing = [name for name in INDEX_COLUMNS if name not in (reader.fieldnames or ())]
            if missing:
                raise ValueError(
                    f'{index}: column {", ".join(missing)} missing; it has: {", ".join(reader.fieldnames or ())}'
                )
            for row in reader:
                yield _indexed_take(source, row, f'{index}, line {reader.line_num}')
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f'{index}: not a table of comma-separated values in UTF-8 ({error})') from error


def _indexed_take(source: Path, row: dict[str, str | None], where: str) -> SourceTake:
    short = [name for name in INDEX_COLUMNS if row[name] is None]
    empty = [name for name in ('clip', 'subject', 'file') if not row[name]]
    if short or empty:
        raise ValueError(f'{where}: {", ".join(short or empty)} is empty')
    known = {name: row[name] or '' for name in INDEX_COLUMNS}
    path = source / known['file']
    if Path(known['file']).is_absolute() or '..' in Path(known['file']).parts:
        raise ValueError(f'{where}: file must be a path below the folder, got {known["file"]!r}')
    try:
        fps = float(known['fps'])
    except ValueError:
        fps = float('nan')
    if not (np.isfinite(fps) and fps > 0):
        raise ValueError(f'{where}: fps must be a positive number, got {known["fps"]!r}')
    borrowed = re.search(r'borrowed\((\w+)\)', known['skeleton'])
    owner = borrowed.group(1) if borrowed else known['subject']
    skeleton = _find_skeleton(path, owner, source) if path.suffix.lower() == '.amc' else None
    words = known['description'] or known['clip'].replace('_', ' ')
    return SourceTake(known['clip'], _subject_name(known['subject']), path, skeleton, fps, words)


def _subject_name(text: str) -> str:
    """Return the subject: ``02`` is kept; ``60/61`` is a pair, ``unstated (..., likely 94)`` a guess."""
    guess = re.search(r'likely (\d+)', text)
    return guess.group(1) if guess else re.sub(r'[\W_]+', '-', text).strip('-')


def _find_skeleton(motion_path: Path, subject: str, source: Path) -> Path | None:
    """Return the only ``.asf`` file beside a motion file, else the one named after the subject, else None."""
    beside = data_files(motion_path.parent, '.asf')
    if len(beside) == 1:
        return beside[0]
    below = data_files(source, '.asf', recursive=True)
    return next((path for path in below if path.stem.lower() == subject.lower()), None)
