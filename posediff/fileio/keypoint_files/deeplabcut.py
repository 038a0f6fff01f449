"""DeepLabCut tables: CSV, and HDF5 as written by pandas."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np

from posediff.fileio.keypoint_files.contents import Contents, RawPerson
from posediff.fileio.keypoint_files.documents import Source
from posediff.fileio.keypoint_files.formats import KeypointFormat, register_format
from posediff.fileio.keypoint_files.joint_names import columns_of
from posediff.fileio.keypoint_files.pandas_hdf import read_table

LEVELS = ('scorer', 'individuals', 'bodyparts', 'coords')
Table = tuple[list[Any], list[dict[str, str]], np.ndarray]  # frames, column labels, values


def _matches(source: Source) -> bool:
    if source.kind == 'h5':
        return True
    if source.kind not in ('csv', 'text'):
        return False
    with source.path.open(encoding='utf-8-sig', errors='replace') as file:
        return file.readline().startswith('scorer')


def _read(source: Source, skeleton: str | None) -> Contents:
    frames, labels, values = _csv_table(source.path) if source.kind != 'h5' else _hdf_table(source.path)
    people: list[RawPerson] = []
    name = skeleton
    individuals = list(dict.fromkeys(label.get('individuals', '') for label in labels))
    if len(individuals) > 1:  # body parts of a single individual are listed under 'single'
        individuals = [one for one in individuals if one != 'single']
    for individual in individuals:
        columns = {
            (label['bodyparts'], label['coords']): number
            for number, label in enumerate(labels)
            if label.get('individuals', '') == individual
        }
        parts = list(dict.fromkeys(part for part, _ in columns))
        name, places = columns_of(str(source.path), parts, name)
        points = np.full((len(frames), len(places), 2), np.nan)
        scores = np.zeros((len(frames), len(places)))
        for joint, place in enumerate(places):
            if place is None:
                continue
            part = parts[place]
            if (part, 'x') not in columns or (part, 'y') not in columns:
                raise ValueError(f'{source.path}: {part} has no x and y')
            points[:, joint] = values[:, [columns[part, 'x'], columns[part, 'y']]]
            scores[:, joint] = values[:, columns[part, 'likelihood']] if (part, 'likelihood') in columns else 1.0
        track = individual or None
        for row, frame in enumerate(frames):
            if np.isfinite(points[row]).all(-1).any():
                where = f'{source.path}: row {row}' + (f' of {individual}' if individual else '')
                people.append(RawPerson(where, frame, points[row], scores[row], track))
    numbers = all(isinstance(frame, int) for frame in frames)
    return Contents(people, skeleton=name, states_skeleton=True, first_frame=0 if numbers else None)


def _csv_table(file: Path) -> Table:
    try:
        with file.open(newline='', encoding='utf-8-sig') as lines:
            rows = [row for row in csv.reader(lines) if row]
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f'{file} is not a readable CSV file: {error}') from error
    depth = next((number for number, row in enumerate(rows) if row[0] == 'coords'), None)
    if depth is None or rows[0][0] != 'scorer':
        raise ValueError(f'{file}: expected header rows scorer, bodyparts and coords, as DeepLabCut writes them')
    # labelled images have their path in three columns, two of which are empty in the header
    index = 1 + sum(not label for label in rows[depth][1:])
    header = {row[0]: row[index:] for row in rows[: depth + 1]}
    labels = _labels(file, [header.get(level, []) for level in LEVELS], len(rows[0]) - index)
    values = np.full((len(rows) - depth - 1, len(labels)), np.nan)
    frames = []
    for number, row in enumerate(rows[depth + 1 :]):
        if len(row) != index + len(labels):
            raise ValueError(f'{file}: row {number} has {len(row)} values, the header {index + len(labels)}')
        try:
            values[number] = [float(text) if text.strip() else np.nan for text in row[index:]]
        except ValueError as error:
            raise ValueError(f'{file}: row {number}: {error}') from error
        frames.append(_frame(row[index - 1]))
    return frames, labels, values


def _labels(file: Path, levels: list[list[str]], number: int) -> list[dict[str, str]]:
    given = {name: level for name, level in zip(LEVELS, levels, strict=True) if level}
    if not {'bodyparts', 'coords'} <= given.keys() or any(len(level) != number for level in given.values()):
        raise ValueError(f'{file}: header rows bodyparts and coords must name every column')
    return [{name: level[column] for name, level in given.items()} for column in range(number)]


def _hdf_table(file: Path) -> Table:
    index, columns, values = read_table(file)
    depth = len(columns[0]) if columns else 0
    names = {3: LEVELS[:1] + LEVELS[2:], 4: LEVELS}.get(depth)
    if names is None:
        raise ValueError(
            f'{file}: expected columns of scorer, optionally individual, bodypart and coord, got {columns[:1]}'
        )
    labels = [dict(zip(names, map(str, column), strict=True)) for column in columns]
    return [_frame(str(one[-1] if isinstance(one, tuple) else one)) for one in index], labels, values


def _frame(text: str) -> int | str:
    """Return the frame of a row: its index if the label is a number, else the label, an image name."""
    return int(text) if text.strip().isdigit() else text


DEEPLABCUT = register_format(KeypointFormat('deeplabcut', 'DeepLabCut, .csv or .h5', _matches, _read))
