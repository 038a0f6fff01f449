"""The two official evaluation protocols: how files are read and filtered before matching.

``poseval`` is PoseTrack's evaluator (leonid-pishchulin/poseval) of the 2017 and 2018 benchmarks, used for nearly every
published figure. ``posetrack21`` is the evaluator of that data set (anDoer/PoseTrack21). Peculiarities of both are
reproduced; where the latter's code fails, :class:`PoseTrack21` raises an error.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np

from posediff.evaluation.posetrack.entries import Entry, check_unique
from posediff.evaluation.posetrack.posetrack17 import read_posetrack17
from posediff.evaluation.posetrack.posetrack18 import read_posetrack18
from posediff.evaluation.posetrack.posetrack21 import read_posetrack21
from posediff.evaluation.posetrack.regions import inside_regions
from posediff.evaluation.posetrack.sequence import Persons, PoseTrackSequence, Region
from posediff.fileio.annolist import is_annolist
from posediff.fileio.image_ids import id_value


class Protocol(ABC):
    """Rules that turn files into valid persons.

    Attributes:
        least_true: Lower bound of the denominator of recall, the number of true joints.
        odd_empty_frames: See :class:`~posediff.evaluation.posetrack.hota.Hota`.
    """

    least_true: float
    odd_empty_frames: bool

    @abstractmethod
    def read_truth(self, document: dict[str, Any], entry: Entry) -> PoseTrackSequence:
        """Read ground truth.

        Args:
            document: Content of a file.
            entry: Position in the file, for errors.
        """

    @abstractmethod
    def read_predictions(self, document: dict[str, Any], entry: Entry, truth: PoseTrackSequence) -> PoseTrackSequence:
        """Read predictions for the frames of ``truth``; frames are paired by position."""

    @abstractmethod
    def select(self, truth: PoseTrackSequence, predicted: PoseTrackSequence) -> tuple[Persons, Persons]:
        """Drop invalid frames and joints in ignore regions.

        Returns:
            True and predicted persons.

        Raises:
            ValueError: The sequences cannot be compared.
        """


class Poseval(Protocol):
    """Protocol of poseval: a frame is valid if it has annotations, a joint exists if it is listed or not (0, 0, 0)."""

    least_true = 0.0
    odd_empty_frames = False

    def read_truth(self, document: dict[str, Any], entry: Entry) -> PoseTrackSequence:
        if is_annolist(document):
            return read_posetrack17(document, entry, truth=True)
        return read_posetrack18(document, entry, truth=True)

    def read_predictions(self, document: dict[str, Any], entry: Entry, truth: PoseTrackSequence) -> PoseTrackSequence:
        if is_annolist(document):
            predicted = read_posetrack17(document, entry, truth=False, wanted=truth.evaluated)
        else:
            predicted = read_posetrack18(document, entry, truth=False)
        num_frames, expected = len(predicted.frame_names), len(truth.frame_names)
        if num_frames != expected:
            raise ValueError(f'{entry}: {num_frames} frames, but the ground truth has {expected}')
        _check_names(truth, predicted, entry)
        return predicted

    def select(self, truth: PoseTrackSequence, predicted: PoseTrackSequence) -> tuple[Persons, Persons]:
        regions = _regions_that_count(truth)
        true, found = (
            _remove_ignored(persons.take(truth.evaluated[persons.frame]), regions)
            for persons in (truth.persons, predicted.persons)
        )
        headless = true.lacks_head & np.isin(true.frame, found.frame)  # poseval fails on frames with both
        if headless.any():
            frame = true.frame[headless.argmax()]
            raise ValueError(f'a person in frame {truth.frame_names[frame]} has no head box')
        _check_enough_track_ids(true, found, truth)
        _check_enough_track_ids(found, true, truth)
        return true, found


class PoseTrack21(Protocol):
    """Protocol of PoseTrack21: a frame is valid if ``is_labeled`` is set, a joint exists if its coordinates are > 0."""

    least_true = 1.0
    odd_empty_frames = True

    def read_truth(self, document: dict[str, Any], entry: Entry) -> PoseTrackSequence:
        return read_posetrack21(document, entry, truth=True)

    def read_predictions(self, document: dict[str, Any], entry: Entry, truth: PoseTrackSequence) -> PoseTrackSequence:
        expected = len(truth.frame_names)
        predicted = read_posetrack21(document, entry, truth=False, num_frames=expected)
        if len(predicted.frame_names) < expected:
            raise ValueError(
                f'{entry}: {len(predicted.frame_names)} frames, but the ground truth has {expected}',
            )
        for frame in np.flatnonzero(truth.evaluated):
            if id_value(predicted.image_ids[frame]) != id_value(truth.image_ids[frame]):
                raise ValueError(
                    f'{entry}: images[{frame}] has the id {predicted.image_ids[frame]!r}, '
                    f'but the ground truth has {truth.image_ids[frame]!r}'
                )
        return predicted

    def select(self, truth: PoseTrackSequence, predicted: PoseTrackSequence) -> tuple[Persons, Persons]:
        regions = _regions_that_count(truth)
        selected = []
        for persons in (truth.persons, predicted.persons):
            counted = persons.take(truth.evaluated[persons.frame])
            inside = inside_regions(counted.points, counted.frame, regions)
            nowhere = inside | ~(counted.points > 0).any(-1) & ~np.isnan(counted.points).any(-1)
            stays = ~nowhere.all(-1) | ~np.isin(counted.frame, list(regions))
            selected.append(counted.without(inside).take(stays))
        for frame in np.flatnonzero(truth.evaluated):
            if frame not in selected[0].frame:
                raise ValueError(
                    f'frame {truth.frame_names[frame]} is labelled but has no person outside ignore regions: '
                    'the evaluator of PoseTrack21 fails on such frames'
                )
        for persons in selected:
            for frame in np.unique(persons.frame):
                check_unique(persons.track_ids[persons.frame == frame], truth.frame_names[frame])
        return selected[0], selected[1]


PROTOCOLS: dict[str, Protocol] = {'poseval': Poseval(), 'posetrack21': PoseTrack21()}


def get_protocol(name: str) -> Protocol:
    """Return a protocol by name.

    Raises:
        ValueError: The name is unknown.
    """
    if name not in PROTOCOLS:
        raise ValueError(f'protocol {name!r} is none of {", ".join(PROTOCOLS)}')
    return PROTOCOLS[name]


def _check_names(truth: PoseTrackSequence, predicted: PoseTrackSequence, entry: Entry) -> None:
    """Raise if predictions are of other images or in another order: frames are paired by position."""
    if not (truth.image_ids and predicted.image_ids):
        return
    expected, given = ([name.rpartition('/')[2] for name in one.frame_names] for one in (truth, predicted))
    if expected != given and sorted(expected) == sorted(given):
        frame = next(frame for frame, names in enumerate(zip(expected, given, strict=True)) if names[0] != names[1])
        raise ValueError(
            f'{entry}: its images are those of the ground truth in another order: images[{frame}] is '
            f'{predicted.frame_names[frame]!r}, there it is {truth.frame_names[frame]!r}; frames are paired by position'
        )
    if set(expected).isdisjoint(given):
        raise ValueError(
            f'{entry}: none of its images is one of the ground truth: images[0] is {predicted.frame_names[0]!r}, there '
            f'it is {truth.frame_names[0]!r}'
        )


def _regions_that_count(truth: PoseTrackSequence) -> dict[int, list[Region]]:
    return {frame: several for frame, several in truth.regions.items() if several and truth.evaluated[frame]}


def _remove_ignored(persons: Persons, regions: dict[int, list[Region]]) -> Persons:
    """Remove the joints in ignore regions and, in frames with regions, persons without joints."""
    if not regions:
        return persons
    left = persons.without(inside_regions(persons.points, persons.frame, regions))
    return left.take(left.exists.any(-1) | ~np.isin(left.frame, list(regions)))


def _check_enough_track_ids(persons: Persons, others: Persons, truth: PoseTrackSequence) -> None:
    """Raise ValueError if, in a frame with n track ids, a person after the first n has joints; poseval needs its id.

    Args:
        persons: Persons to check.
        others: The persons compared with them; only frames that contain some are checked.
        truth: Ground truth, for the names of the frames.
    """
    lacking = persons.track_ids == None  # noqa: E711  # elementwise comparison
    for frame in np.unique(persons.frame[lacking & np.isin(persons.frame, others.frame)]):
        of_frame = persons.frame == frame
        if persons.exists[of_frame][(~lacking[of_frame]).sum() :].any():
            raise ValueError(f'a person in frame {truth.frame_names[frame]} has no track_id')
