"""Evaluation of PoseTrack sequences."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from posediff.evaluation.posetrack.average_precision import PoseTrackResult, average_precision
from posediff.evaluation.posetrack.entries import Entry, read_json
from posediff.evaluation.posetrack.matching import match
from posediff.evaluation.posetrack.protocols import get_protocol
from posediff.evaluation.posetrack.sequence import Persons
from posediff.evaluation.posetrack.tracking_evaluator import TrackingEvaluator
from posediff.fileio.input_files import data_files
from posediff.structures.posetrack_joints import NUM_JOINTS

NORMALISED = 2.5
"""If all predicted coordinates are within this bound, they are not px."""


class PoseTrackEvaluator:
    """Evaluator that pools scores and labels of all sequences; figures are not means over sequences.

    Args:
        protocol: A key of :data:`~posediff.evaluation.posetrack.protocols.PROTOCOLS`.
        tracking: Also evaluate tracking.
    """

    def __init__(self, protocol: str = 'poseval', tracking: bool = False) -> None:
        self.protocol = get_protocol(protocol)
        self._tracking = TrackingEvaluator(self.protocol) if tracking else None
        self._scores: list[list[np.ndarray]] = [[] for _ in range(NUM_JOINTS)]
        self._labels: list[list[np.ndarray]] = [[] for _ in range(NUM_JOINTS)]
        self._num_true: list[np.ndarray] = []

    def add(
        self,
        truth: dict[str, Any],
        predictions: dict[str, Any],
        truth_name: str | Path = 'ground truth',
        predictions_name: str | Path = 'predictions',
    ) -> None:
        """Add one sequence.

        Args:
            truth, predictions: Contents of one file each, in PoseTrack18's or PoseTrack17's format.
            truth_name, predictions_name: Their names in errors.

        Raises:
            ValueError: An entry is missing, malformed or inconsistent; the message names file and entry.
        """
        true_entry, entry = Entry(truth_name), Entry(predictions_name)
        true_sequence = self.protocol.read_truth(truth, true_entry)
        predicted_sequence = self.protocol.read_predictions(predictions, entry, true_sequence)
        _check_pixels(predicted_sequence.persons, true_sequence.persons, str(predictions_name))
        with Entry(f'{truth_name}, {predictions_name}'):
            true, predicted = self.protocol.select(true_sequence, predicted_sequence)
            if self._tracking is not None:
                self._tracking.add(true, predicted, true_sequence)
        right = match(predicted, true)
        self._num_true.append(true.exists.sum(0))
        for joint in range(NUM_JOINTS):
            exists = predicted.exists[:, joint]
            self._scores[joint].append(predicted.scores[exists, joint])
            self._labels[joint].append(right[exists, joint])

    @property
    def num_sequences(self) -> int:
        """Number of added sequences."""
        return len(self._num_true)

    def result(self, sequences: Sequence[int] | None = None) -> PoseTrackResult:
        """Return the figures of all added sequences.

        Args:
            sequences: Indices of the sequences to use, in the order of adding; repeated indices count repeatedly. If
                given, tracking figures are omitted, as they exist for all sequences only.
        """
        chosen = range(self.num_sequences) if sequences is None else sequences
        scores = [np.concatenate([*(several[index] for index in chosen), np.empty(0)]) for several in self._scores]
        labels = [
            np.concatenate([*(several[index] for index in chosen), np.empty(0, dtype=bool)]) for several in self._labels
        ]
        num_true = sum((self._num_true[index] for index in chosen), np.zeros(NUM_JOINTS, dtype=np.int64))
        figures = 100.0 * np.array(
            [
                average_precision(of_joint, right, float(there), self.protocol.least_true)
                for of_joint, right, there in zip(scores, labels, num_true, strict=True)
            ]
        )
        return PoseTrackResult(
            ap=figures[:, 0],
            precision=figures[:, 1],
            recall=figures[:, 2],
            num_true=num_true,
            num_predicted=np.array([len(several) for several in labels]),
            num_right=np.array([several.sum() for several in labels]),
            tracking=self._tracking.result() if self._tracking is not None and sequences is None else None,
        )


def _check_pixels(predicted: Persons, true: Persons, name: str) -> None:
    """Raise if all predictions lie close to the origin, far from the ground truth: they are not in px."""
    reach = [
        float(np.abs(points[np.isfinite(points)]).max(initial=0.0))
        for points in (persons.points[persons.exists] for persons in (predicted, true))
    ]
    if 0 < reach[0] <= NORMALISED < reach[1]:
        raise ValueError(f'{name}: no keypoint lies further than {reach[0]:.3g} from 0: they are normalised, not in px')


def evaluate_folders(
    truth: str | Path, predictions: str | Path, protocol: str = 'poseval', tracking: bool = False
) -> PoseTrackResult:
    """Evaluate the result files of a folder; for the arguments and errors see :func:`read_folders`."""
    return read_folders(truth, predictions, protocol, tracking).result()


def read_folders(
    truth: str | Path, predictions: str | Path, protocol: str = 'poseval', tracking: bool = False
) -> PoseTrackEvaluator:
    """Add the result files of a folder, sequence by sequence in the order of their names.

    Args:
        truth: Folder with one ``.json`` per sequence.
        predictions: Folder with a file of the same name for each; other files are ignored.
        protocol: A key of :data:`~posediff.evaluation.posetrack.protocols.PROTOCOLS`.
        tracking: Also evaluate tracking.

    Raises:
        FileNotFoundError: A folder or a file of predictions is missing.
        ValueError: A file is malformed; the message names file and entry.
    """
    evaluator = PoseTrackEvaluator(protocol, tracking)
    for path in sequence_files(truth):
        answer = Path(predictions) / path.name
        if not answer.is_file():
            raise FileNotFoundError(f'{answer} does not exist: every sequence of {truth} needs its predictions')
        evaluator.add(read_json(path), read_json(answer), path, answer)
    return evaluator


def sequence_files(folder: str | Path) -> list[Path]:
    """Return the ``.json`` files of a folder of sequences, sorted by name.

    Raises:
        FileNotFoundError: The folder or its ``.json`` files do not exist.
    """
    files = data_files(folder, '.json')
    if not files:
        raise FileNotFoundError(f'{folder} is not a folder of .json files, one per sequence')
    return files
