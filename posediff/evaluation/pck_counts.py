"""Counts of correct keypoints per clip, and the JSON file that contains them.

Shapes: N normalisers, L thresholds, C clips, K joints.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from posediff.evaluation.pck import mean_percentage

FORMAT = 'posediff PCK 1'
"""Value of ``format`` in the files."""


@dataclass(frozen=True)
class ClipCounts:
    """Numbers of counted and correct keypoints per clip, from which the measures of any choice of clips are computed.

    Attributes:
        joints: K names.
        thresholds: L fractions of the length.
        normalizers: N names, see :mod:`posediff.evaluation.pck`.
        clips: C names.
        totals: (N, C, K) int, counted keypoints.
        hits: (N, L, C, K) int, correct ones among them.
        oks: (C, 2) sum of the object keypoint similarities of the persons, and their number.
        jitter: (C, 2) sum of the relative accelerations, and their number.
    """

    joints: tuple[str, ...]
    thresholds: tuple[float, ...]
    normalizers: tuple[str, ...]
    clips: tuple[str, ...]
    totals: np.ndarray
    hits: np.ndarray
    oks: np.ndarray
    jitter: np.ndarray

    def label(self, normalizer: int, threshold: int) -> str:
        """Return the name of a PCK: ``PCK@0.2`` for the first normaliser, ``torso PCK@0.2`` for another one."""
        prefix = f'{self.normalizers[normalizer]} ' if normalizer else ''
        return f'{prefix}PCK@{self.thresholds[threshold]:g}'

    def pooled(self, normalizer: int, threshold: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the hits and totals of each joint over all clips, (K,) each."""
        return self.hits[normalizer, threshold].sum(0), self.totals[normalizer].sum(0)

    def measures(self, clips: np.ndarray | None = None) -> dict[str, float | None]:
        """Return every PCK (mean over joints, percent), ``OKS`` (0 … 1) and ``jitter``; None where nothing counts.

        Args:
            clips: Indices of the clips to use, which may occur several times; None uses all once.
        """
        rows = np.arange(len(self.clips)) if clips is None else clips
        measures: dict[str, float | None] = {}
        for normalizer in range(len(self.normalizers)):
            totals = self.totals[normalizer, rows].sum(0)
            for threshold in range(len(self.thresholds)):
                hits = self.hits[normalizer, threshold, rows].sum(0)
                measures[self.label(normalizer, threshold)] = mean_percentage(hits, totals)
        for name, sums in (('OKS', self.oks), ('jitter', self.jitter)):
            total, number = sums[rows].sum(0)
            measures[name] = float(total / number) if number else None
        return measures

    def to_dict(self) -> dict[str, Any]:
        """Return the contents of a file: the names, and under ``clips`` the counts of each clip."""
        clips = {}
        for row, clip in enumerate(self.clips):
            hits = {
                normalizer: {
                    f'{threshold:g}': self.hits[n, level, row].tolist()
                    for level, threshold in enumerate(self.thresholds)
                }
                for n, normalizer in enumerate(self.normalizers)
            }
            totals = {normalizer: self.totals[n, row].tolist() for n, normalizer in enumerate(self.normalizers)}
            sums = {'oks': self.oks[row].tolist(), 'jitter': self.jitter[row].tolist()}
            clips[clip] = {'totals': totals, 'hits': hits, **sums}
        names = {name: list(getattr(self, name)) for name in ('joints', 'thresholds', 'normalizers')}
        return {'format': FORMAT, **names, 'clips': clips}

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> ClipCounts:
        """Create counts from :meth:`to_dict`.

        Raises:
            LookupError, TypeError, ValueError: An entry is missing or of another type or length.
        """
        joints, thresholds, normalizers = (tuple(document[name]) for name in ('joints', 'thresholds', 'normalizers'))
        entries = document['clips'].values()
        shape = (len(normalizers), len(entries), len(joints))
        totals = [[entry['totals'][name] for entry in entries] for name in normalizers]
        hits = [
            [[entry['hits'][name][f'{threshold:g}'] for entry in entries] for threshold in thresholds]
            for name in normalizers
        ]
        return cls(
            joints=joints,
            thresholds=thresholds,
            normalizers=normalizers,
            clips=tuple(document['clips']),
            totals=np.array(totals, dtype=np.int64).reshape(shape),
            hits=np.array(hits, dtype=np.int64).reshape(len(normalizers), len(thresholds), *shape[1:]),
            oks=np.array([entry['oks'] for entry in entries], dtype=float).reshape(-1, 2),
            jitter=np.array([entry['jitter'] for entry in entries], dtype=float).reshape(-1, 2),
        )


def read_counts(path: str | Path) -> ClipCounts:
    """Read the counts in a file of the metric ``KeypointPCK``.

    Raises:
        FileNotFoundError: The file does not exist.
        ValueError: It is not such a file.
    """
    try:
        document = json.loads(Path(path).read_bytes())
    except ValueError as error:
        raise ValueError(f'{path} is not readable JSON (truncated?): {error}') from error
    if not isinstance(document, dict) or document.get('format') != FORMAT:
        raise ValueError(f"{path} is not an out_file of the metric KeypointPCK: its format is not '{FORMAT}'")
    try:
        return ClipCounts.from_dict(document)
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise ValueError(f'{path}: damaged counts: {type(error).__name__}: {error}') from error


def require_comparable(first: ClipCounts, second: ClipCounts, names: Sequence[str]) -> None:
    """Check that two results count the same keypoints of the same clips.

    Args:
        first, second: The results.
        names: Their names, for the message.

    Raises:
        ValueError: They do not; the message names the first difference.
    """
    for field in ('joints', 'thresholds', 'normalizers'):
        ours, theirs = getattr(first, field), getattr(second, field)
        if ours != theirs:
            texts = (', '.join(map(str, values)) for values in (ours, theirs))
            raise ValueError(f'{names[0]} and {names[1]} have different {field}: {" against ".join(texts)}')
    for one, other, name, place in ((first, second, names[1], names[0]), (second, first, names[0], names[1])):
        missing = sorted(set(one.clips) - set(other.clips))
        if missing:
            raise ValueError(
                f'{name} lacks clip {missing[0]} of {place} ({len(missing)} of its {len(one.clips)} clips)'
            )
    order = clip_order(first, second)
    for normalizer, clip, joint in np.argwhere(first.totals != second.totals[:, order])[:1]:
        counts = first.totals[normalizer, clip, joint], second.totals[normalizer, order[clip], joint]
        raise ValueError(
            f'clip {first.clips[clip]}, joint {first.joints[joint]}, {first.normalizers[normalizer]} normalizer: '
            f'{names[0]} counts {counts[0]} keypoints, {names[1]} {counts[1]}'
        )


def clip_order(first: ClipCounts, second: ClipCounts) -> np.ndarray:
    """Return the indices in ``second`` of the clips of ``first``, (C,)."""
    place = {clip: index for index, clip in enumerate(second.clips)}
    return np.array([place[clip] for clip in first.clips], dtype=int)
