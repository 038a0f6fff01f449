"""Metric of 2D keypoints in annotated videos: percentage of correct keypoints, similarity, jitter, calibration."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log

from posediff.evaluation.jitter import relative_accelerations
from posediff.evaluation.keypoint_similarity import box_areas, keypoint_similarity
from posediff.evaluation.metrics.mmpose_samples import keypoint_names
from posediff.evaluation.metrics.pck_people import People, read_person
from posediff.evaluation.metrics.pck_scores import ScoreReport
from posediff.evaluation.pck import (
    NORMALIZERS,
    joint_percentages,
    mean_percentage,
    normalized_distances,
    pck,
    pooled_percentage,
    reference_lengths,
    require_segment,
)
from posediff.evaluation.pck_counts import ClipCounts
from posediff.evaluation.tables import markdown_table
from posediff.fileio.atomic_files import atomic_write
from posediff.registry import METRICS
from posediff.structures.argument_checks import require_finite, require_one_of
from posediff.structures.posetrack_joints import POSETRACK18_KEYPOINTS, POSETRACK18_SIGMAS

FARTHEST = np.finfo(np.float64).max
"""Distance of the keypoints of people who were not found."""


@METRICS.register_module()
class KeypointPCK(BaseMetric):
    """Percentage of correct keypoints on annotated video, for given boxes or for detected people.

    Reports, over the counted keypoints:

    * ``PCK@0.2`` …, in percent: mean over joints, by the first normaliser; ``torso PCK@0.2`` … by the others. A
      normaliser that no person has is left out. See :mod:`posediff.evaluation.pck` for the lengths;
    * ``OKS``, 0 … 1: mean object keypoint similarity of the persons with a counted keypoint. The sigmas are those of
      PoseTrack18 or, for other joints, of the data set; without sigmas it is left out. The area is 0.53 times that of
      the box, as MMPose's for JHMDB;
    * ``ECE``, 0 … 1: expected calibration error of ``keypoint_scores`` as the probability to be correct at the largest
      threshold, in ten bins;
    * ``jitter``: mean acceleration per squared frame over runs of consecutive frames of one person, divided by the
      diagonal of the box; left out without such runs. See :mod:`posediff.evaluation.jitter`.

    Of a person that was not found, every joint is wrong at every threshold and the OKS is 0; the person is left out of
    jitter and ECE.

    A table per joint is logged; joints without a counted keypoint have a dash. Duplicates of a person, from the padding
    of distributed samplers, count once.

    Args:
        thresholds: Fractions of the length.
        normalizers: Names of lengths: ``'box'``, ``'torso'``, ``'head'``.
        joints: Names of the joints to count; None counts all. A joint counts where it is annotated.
        inside_only: Count a joint only where its annotation is inside the picture.
        out_file: JSON file for the counts per clip, which ``posediff benchmark pck`` compares, and for the reliability
            of scores and of the spread of hypotheses.
        collect_device, prefix, collect_dir: See :class:`mmengine.evaluator.BaseMetric`.

    Raises:
        ValueError: An option has an unknown or a repeated value.
    """

    default_prefix = 'pck'

    def __init__(
        self,
        thresholds: Sequence[float] = (0.2, 0.1, 0.05),
        normalizers: Sequence[str] = ('box',),
        joints: Sequence[str] | None = None,
        inside_only: bool = True,
        out_file: str | None = None,
        collect_device: str = 'cpu',
        prefix: str | None = None,
        collect_dir: str | None = None,
    ) -> None:
        super().__init__(collect_device, prefix, collect_dir)
        for threshold in thresholds:
            require_finite('KeypointPCK', {'thresholds': threshold})
            if threshold <= 0:
                raise ValueError(f'KeypointPCK: thresholds must be positive, got {threshold}')
        for normalizer in normalizers:
            require_one_of('KeypointPCK', 'normalizers', normalizer, NORMALIZERS)
        options = {'thresholds': [f'{threshold:g}' for threshold in thresholds], 'normalizers': normalizers}
        for name, values in (options if joints is None else {**options, 'joints': joints}).items():
            if not values or len(set(values)) < len(values):
                raise ValueError(f'KeypointPCK: {name} must be at least one, each once, got {values!r}')
        self.thresholds, self.normalizers = tuple(thresholds), tuple(normalizers)
        self.joints = None if joints is None else tuple(joints)
        self.inside_only, self.out_file = inside_only, out_file

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Store annotations and predictions of a batch.

        Args:
            data_batch: Unused.
            data_samples: ``to_dict()`` of MMPose's ``PoseDataSample`` of one person, in px of the original picture:
                ``gt_instances`` with ``keypoints`` (1, K, 2), ``keypoints_visible`` (1, K), ``bboxes`` (1, 4);
                ``pred_instances`` with ``keypoints`` and ``keypoint_scores``, or None for a person that was not found;
                ``id``; ``ori_shape`` (h, w);
                ``frame_path`` (or ``img_path``), whose folder is the clip and whose name is the number of the frame;
                optional ``raw_ann_info`` with ``track_id``, and ``pred_hypotheses`` (M, K, 2).

        Raises:
            ValueError: A field is missing or malformed, or ``joints`` has names that the data set has not.
        """
        for sample in data_samples:
            person = read_person(sample)
            self._check_joints(keypoint_names(self.dataset_meta, len(person['true'])))
            self.results.append(person)

    def compute_metrics(self, results: list[dict]) -> dict[str, float]:
        """Return the figures of the whole data set, see the class.

        Raises:
            ValueError: No keypoint counts.
        """
        if not results:
            raise ValueError('KeypointPCK has no sample to evaluate: the data set is empty')
        everything = People.collect(results)
        names = keypoint_names(self.dataset_meta, everything.true.shape[1])
        truth = everything.true, everything.annotated, everything.box
        lengths = {normalizer: reference_lengths(normalizer, *truth, names) for normalizer in self.normalizers}
        joints = [name for name in names if self.joints is None or name in self.joints]
        people = everything.with_joints([names.index(joint) for joint in joints])
        counted = people.inside if self.inside_only else people.annotated
        distances = {name: _distances(people, sizes) for name, sizes in lengths.items()}
        main = self.normalizers[0]
        if not (counted & np.isfinite(distances[main])).any():
            where = ' inside the picture' if self.inside_only else ''
            raise ValueError(
                f'KeypointPCK: no keypoint counts: of {len(people)} persons, none has one of {", ".join(joints)} '
                f'annotated{where}, and a length for the {main} normalizer'
            )
        counts = ClipCounts(
            joints=tuple(joints),
            thresholds=self.thresholds,
            normalizers=self.normalizers,
            **_clip_counts(people, counted, distances, self.thresholds, self._sigmas(names, joints)),
        )
        scores = ScoreReport(
            people, counted & people.found[:, None], distances[main], lengths[main], max(self.thresholds)
        )
        measures = counts.measures() | {'ECE': scores.calibration_error}
        metrics = {name: value for name, value in measures.items() if value is not None}
        print_log('\n' + _table(counts), logger='current')
        if len(metrics) < len(measures):
            omitted = ', '.join(name for name in measures if name not in metrics)
            print_log(f'KeypointPCK: nothing to measure for {omitted}', logger='current')
        if self.out_file is not None:
            document = counts.to_dict() | {
                'inside_only': self.inside_only,
                'metrics': metrics,
                'joint_pck': _joint_pck(counts),
                'scores': {'normalizer': main, 'threshold': max(self.thresholds), **scores.to_dict(joints)},
            }
            text = json.dumps(document, allow_nan=False)
            with atomic_write(self.out_file) as temporary:
                temporary.write_text(text + '\n')
        return metrics

    def _check_joints(self, names: Sequence[str]) -> None:
        """Check that the data set has the joints that are named by the options."""
        for joint in self.joints or ():
            if joint not in names:
                raise ValueError(f'KeypointPCK: joint {joint} is none of the data set: {", ".join(names)}')
        for normalizer in self.normalizers:
            require_segment(normalizer, names)

    def _sigmas(self, names: Sequence[str], joints: Sequence[str]) -> np.ndarray | None:
        """Return the sigmas of the counted joints, (K,); None if they are not known."""
        known = dict(zip(POSETRACK18_KEYPOINTS, POSETRACK18_SIGMAS, strict=True))
        listed = (self.dataset_meta or {}).get('sigmas')
        if not set(joints) <= set(known) and listed is not None and len(listed) == len(names):
            known = dict(zip(names, map(float, listed), strict=True))
        return np.array([known[joint] for joint in joints]) if set(joints) <= set(known) else None


def _distances(people: People, lengths: np.ndarray) -> np.ndarray:
    """Return distances in units of a length, (P, K); infinite for persons without it, who do not count."""
    distances = np.full(people.true.shape[:2], np.inf)
    known = lengths > 0
    distances[known] = FARTHEST  # finite: the keypoints of a person that was not found count
    known &= people.found
    distances[known] = normalized_distances(people.predicted[known], people.true[known], lengths[known])
    return distances


def _clip_counts(
    people: People,
    counted: np.ndarray,
    distances: Mapping[str, np.ndarray],
    thresholds: Sequence[float],
    sigmas: np.ndarray | None,
) -> dict[str, Any]:
    """Return the attributes of :class:`ClipCounts` that depend on the predictions."""
    clips = sorted(set(people.clip))
    rows_of = [people.clip == clip for clip in clips]
    totals, hits = [], []
    for measured in distances.values():
        valid = counted & np.isfinite(measured)
        pairs = [pck(measured[rows], valid[rows], thresholds) for rows in rows_of]
        hits.append(np.stack([hit for hit, _ in pairs], axis=1))
        totals.append([total for _, total in pairs])
    similar, known = np.zeros(len(people)), np.zeros(len(people), dtype=bool)
    if sigmas is not None:
        known[:] = counted.any(-1)
        rows = known & people.found
        predicted, true, boxes = people.predicted[rows], people.true[rows], people.box[rows]
        similar[rows] = keypoint_similarity(predicted, true, counted[rows], box_areas(boxes), sigmas)
    jitter = {clip: np.zeros(2) for clip in clips}
    diagonals = np.linalg.norm(people.box[:, 2:] - people.box[:, :2], axis=-1)
    for run in people.runs():
        values = relative_accelerations(people.predicted[run], diagonals[run], counted[run])
        jitter[people.clip[run[0]]] += values.sum(), len(values)
    return {
        'clips': tuple(clips),
        'totals': np.array(totals),
        'hits': np.array(hits),
        'oks': np.array([[similar[rows].sum(), known[rows].sum()] for rows in rows_of]),
        'jitter': np.array(list(jitter.values())),
    }


def _levels(counts: ClipCounts) -> list[tuple[int, int]]:
    """Return the pairs of a normaliser's and a threshold's index."""
    return [
        (normalizer, threshold)
        for normalizer in range(len(counts.normalizers))
        for threshold in range(len(counts.thresholds))
    ]


def _joint_pck(counts: ClipCounts) -> dict[str, dict[str, float | None]]:
    """Return the PCK of each joint in percent, by the name of the measure; None without a counted keypoint."""
    percentages = {counts.label(*level): joint_percentages(*counts.pooled(*level)) for level in _levels(counts)}
    return {label: dict(zip(counts.joints, values, strict=True)) for label, values in percentages.items()}


def _table(counts: ClipCounts) -> str:
    """Return a table with one row per joint, and below them the mean of the joints and all keypoints together."""
    levels = [level for level in _levels(counts) if counts.totals[level[0]].any()]
    pooled = [counts.pooled(*level) for level in levels]
    totals = counts.totals[0].sum(0)
    rows: list[list[str | float | None]] = [
        [joint, str(total), *values]
        for joint, total, *values in zip(
            counts.joints, totals, *(joint_percentages(*pair) for pair in pooled), strict=True
        )
    ]
    for name, percentage in (('mean of joints', mean_percentage), ('all keypoints', pooled_percentage)):
        rows.append([name, str(totals.sum()), *(percentage(*pair) for pair in pooled)])
    header = ['%', f'keypoints ({counts.normalizers[0]})', *(counts.label(*level) for level in levels)]
    return markdown_table(header, rows, digits=1)
