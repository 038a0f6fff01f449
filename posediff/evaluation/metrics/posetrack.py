"""Metric of 2D poses in videos: PoseTrack's average precision, independent of the package ``poseval``."""

from __future__ import annotations

import os.path
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log

from posediff.evaluation.metrics.mmpose_samples import as_array, ids_of, key_frame_path, keypoint_names
from posediff.evaluation.posetrack import PoseTrackEvaluator, PoseTrackResult
from posediff.evaluation.posetrack.ground_truth import Documents, frames_of, from_coco, from_folder
from posediff.evaluation.posetrack.protocols import get_protocol
from posediff.evaluation.posetrack.result_files import (
    PredictedPerson,
    prediction_document,
    to_posetrack18,
    write_predictions,
)
from posediff.evaluation.posetrack.track_predictions import give_track_ids
from posediff.evaluation.tables import markdown_table
from posediff.registry import METRICS, TRACKERS
from posediff.structures.posetrack_joints import POSETRACK18_KEYPOINTS, POSETRACK18_SIGMAS

SCORE_MODES = ('keypoint', 'keypoint_times_box')
RELIABLE_SCORE = 0.2
"""Only keypoints with a higher score count for the person's score in non-maximum suppression, as MMPose's default."""

GROUP_NAMES = {
    'Head': 'Head AP', 'Shoulder': 'Shou AP', 'Elbow': 'Elb AP', 'Wrist': 'Wri AP', 'Hip': 'Hip AP', 'Knee': 'Knee AP',
    'Ankle': 'Ankl AP', 'Mean': 'AP',
}  # fmt: skip
TRACKING_NAMES = {
    'motp': 'MOTP', 'mot_precision': 'mot_precision', 'mot_recall': 'mot_recall', 'hota': 'HOTA', 'deta': 'DetA',
    'assa': 'AssA',
}  # fmt: skip


@METRICS.register_module()
class PoseTrackAP(BaseMetric):
    """Average precision, in percent, on PoseTrack.

    Reports ``Head AP``, ``Shou AP``, ``Elb AP``, ``Wri AP``, ``Hip AP``, ``Knee AP``, ``Ankl AP`` and ``AP``, the
    names of MMPose's ``PoseTrack18Metric``, and ``precision`` and ``recall`` over all predictions. With a tracker it
    adds ``Head MOTA`` … ``MOTA``, ``MOTP``, ``mot_precision``, ``mot_recall``, ``HOTA``, ``DetA``, ``AssA`` and
    ``num_switches`` (the sum over joints).

    Accepts predictions of MMPose's models. Duplicates of a person, from the padding of distributed samplers, count
    once. A person whose box has no prediction counts as missed.

    Args:
        gt_folder: Folder of PoseTrack's ground truth, one ``.json`` per sequence. A sample is matched to an image by
            ``img_id`` or, for PoseTrack17's format, by the last two parts of ``img_path``.
        ann_file: Alternative to ``gt_folder``: one COCO-style file with ``bbox_head``. The images of one folder form a
            sequence.
        score_mode: Score of a joint: ``'keypoint'``, the model's keypoint score (for heatmaps: the maximum), or
            ``'keypoint_times_box'``, the keypoint score times the box score, as in DCPose.
        nms: ``'oks'`` suppresses overlapping persons by object keypoint similarity (needs MMPose); None keeps all.
        nms_threshold: Similarity above which the lower-scored person is suppressed.
        protocol: ``'poseval'`` or ``'posetrack21'``, see :mod:`posediff.evaluation.posetrack.protocols`.
        outfile_prefix: Write one result file per sequence into the folder of this path.
        format_only: Write the files without evaluating; the ground truth then needs no annotations.
        tracker: Config of a tracker (:mod:`posediff.tracking`). It tracks persons after suppression by their boxes (or
            the boxes of the keypoints if the model predicts none), scores and keypoints.
        fps: Frames per second of the sequences, for the tracker.
        collect_device, prefix, collect_dir: See :class:`mmengine.evaluator.BaseMetric`.

    Raises:
        ValueError: An option has an unknown value.
        ImportError: ``nms='oks'`` without MMPose.
    """

    default_prefix = 'posetrack'

    def __init__(
        self,
        gt_folder: str | None = None,
        ann_file: str | None = None,
        score_mode: str = 'keypoint',
        nms: str | None = None,
        nms_threshold: float = 0.9,
        protocol: str = 'poseval',
        outfile_prefix: str | None = None,
        format_only: bool = False,
        tracker: dict | None = None,
        fps: float = 25.0,
        collect_device: str = 'cpu',
        prefix: str | None = None,
        collect_dir: str | None = None,
    ) -> None:
        super().__init__(collect_device, prefix, collect_dir)
        if (gt_folder is None) == (ann_file is None):
            raise ValueError('PoseTrackAP needs either gt_folder or ann_file')
        if score_mode not in SCORE_MODES:
            raise ValueError(f'score_mode {score_mode!r} is none of {", ".join(SCORE_MODES)}')
        if nms not in (None, 'oks'):
            raise ValueError(f"nms {nms!r} is neither 'oks' nor None")
        if format_only and outfile_prefix is None:
            raise ValueError('format_only needs outfile_prefix, the path to write to')
        get_protocol(protocol)
        if nms == 'oks':
            import mmpose.evaluation.functional.nms  # noqa: F401  # fail now, not after a test run
        self.gt_folder, self.ann_file = gt_folder, ann_file
        self.score_mode = score_mode
        self.nms, self.nms_threshold = nms, nms_threshold
        self.tracker = None if tracker is None else TRACKERS.build(tracker)
        self.fps = fps
        if self.tracker is not None:
            self.tracker.reset(fps)  # an invalid frame rate fails now, not after a test run
        self.protocol = protocol
        self.outfile_prefix, self.format_only = outfile_prefix, format_only

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Store the predictions of a batch.

        Args:
            data_batch: Unused.
            data_samples: ``to_dict()`` of MMPose's ``PoseDataSample``, with ``id``, ``img_id``, ``pred_instances``
                with ``keypoints`` (N, K, 2) px and ``keypoint_scores`` (N, K), box scores in ``pred_instances`` or
                ``gt_instances`` (default 1).

        Raises:
            FileNotFoundError: The ground truth does not exist. It is checked with the first sample, so that a model can
                be built without the data.
            ValueError: Predictions are missing or inconsistent.
        """
        self._require_ground_truth()
        self.results.extend(self._read(sample) for sample in data_samples)

    def compute_metrics(self, results: list[dict]) -> dict[str, float]:
        """Return the figures of the whole data set, see the class.

        Raises:
            ValueError: A sample matches no image, or ground truth is malformed.
        """
        by_image: dict[Any, dict[tuple, dict]] = {}
        for result in results:
            by_image.setdefault(result['image'], {}).setdefault(result['ids'], result)
        image_at = {result['frame']: result['image'] for result in results}
        evaluator = PoseTrackEvaluator(self.protocol, tracking=self.tracker is not None)
        seen: set[Any] = set()
        for file, truth in self._truth():
            frames = frames_of(truth, file)
            persons = []
            for image_id, name in frames:
                image = image_at.get(_last_two(name)) if image_id is None else image_id
                if image is not None and image in seen:
                    raise ValueError(f'{self.place}: image id {image!r} of {file} also belongs to another image')
                seen.add(image)
                several = by_image.pop(image, {})
                persons.append(self._persons([several[ids] for ids in sorted(several)]))
            if self.tracker is not None:
                persons = give_track_ids(persons, self.tracker, self.fps)
            document = prediction_document(frames, persons)
            if self.outfile_prefix is not None:
                write_predictions(Path(os.path.dirname(self.outfile_prefix)) / file, document)
            if not self.format_only:
                evaluator.add(truth, document, f'{self.place}: {file}', f'predictions for {file}')
        if by_image:
            raise ValueError(
                f'{len(by_image)} of the images that were predicted are in no sequence of {self.place}, '
                f'such as {next(iter(by_image))!r}'
            )
        return {} if self.format_only else _report(evaluator.result())

    def check_ground_truth(self) -> None:
        """Read the ground truth alone; raise the same errors as :meth:`process` and :meth:`compute_metrics`."""
        self._require_ground_truth()
        for file, truth in self._truth():
            frames_of(truth, file)

    def _require_ground_truth(self) -> None:
        if not (Path(self.gt_folder).is_dir() if self.gt_folder else Path(str(self.ann_file)).is_file()):
            raise FileNotFoundError(f'PoseTrackAP finds no ground truth at {self.place}')

    @property
    def place(self) -> str:
        """Path of the ground truth."""
        return str(self.gt_folder or self.ann_file)

    def _truth(self) -> Documents:
        tracks = self.tracker is not None and not self.format_only
        return from_folder(self.place) if self.gt_folder else from_coco(self.place, tracks)

    def _read(self, sample: Mapping[str, Any]) -> dict[str, Any]:
        """Return the fields to store of a sample, identical on all processes."""
        name = f'sample {sample.get("id")!r}'
        missing = [key for key in ('id', 'img_id', 'pred_instances') if key not in sample]
        if missing:
            raise ValueError(f'{name} has no {missing[0]}')
        predicted, truth = sample['pred_instances'], sample.get('gt_instances', {})
        keypoints, scores = as_array(predicted['keypoints']), as_array(predicted['keypoint_scores'])
        if keypoints.ndim != 3 or keypoints.shape[-1] != 2 or scores.shape != keypoints.shape[:2]:
            raise ValueError(
                f'{name}: keypoints {keypoints.shape} and keypoint_scores {scores.shape} are not (N, K, 2) and (N, K)'
            )
        names = keypoint_names(self.dataset_meta, keypoints.shape[1])
        boxes = _one_each(predicted.get('bbox_scores', truth.get('bbox_scores')), len(keypoints))
        places = _one_each(predicted.get('bboxes', truth.get('bboxes')), len(keypoints))
        scales = _one_each(truth.get('bbox_scales'), len(keypoints))
        return {
            'image': sample['img_id'],
            'frame': _last_two(key_frame_path(sample)),
            'ids': ids_of(sample),
            'keypoints': to_posetrack18(keypoints, names),
            'scores': to_posetrack18(scores[..., None], names)[..., 0],
            'columns': [column for column, name in enumerate(POSETRACK18_KEYPOINTS) if name in names],
            'boxes': np.ones(len(keypoints)) if boxes is None else boxes,
            'places': [None] * len(keypoints) if places is None else places[:, :4],
            'areas': (np.ptp(keypoints, axis=1) if scales is None else scales).prod(-1),
        }

    def _persons(self, results: Sequence[dict]) -> list[PredictedPerson]:
        """Return the persons of one frame after suppression."""
        persons, areas, columns = [], [], []
        for result in results:
            for keypoints, scores, box, place, area in zip(
                *(result[name] for name in ('keypoints', 'scores', 'boxes', 'places', 'areas')), strict=True
            ):
                reliable = scores[result['columns']]
                reliable = reliable[reliable > RELIABLE_SCORE]
                score = float(box * reliable.mean()) if len(reliable) else 0.0
                weight = box if self.score_mode == 'keypoint_times_box' else 1.0
                persons.append(PredictedPerson(keypoints, scores * weight, score, place, float(box)))
                areas.append(area)
                columns = result['columns']
        if self.nms is None or not persons:
            return persons
        from mmpose.evaluation.functional.nms import oks_nms

        candidates = [
            {'keypoints': np.c_[person.keypoints, person.scores][columns], 'score': person.score, 'area': area}
            for person, area in zip(persons, areas, strict=True)
        ]
        kept = oks_nms(candidates, self.nms_threshold, sigmas=np.array(POSETRACK18_SIGMAS)[columns])
        return [persons[index] for index in kept]


def _report(result: PoseTrackResult) -> dict[str, float]:
    groups = {measure: result.groups(measure) for measure in ('ap', 'precision', 'recall')}
    if result.tracking is not None:
        groups |= {measure: result.tracking.groups(measure) for measure in ('mota', 'hota')}
    rows: list[list[str | float | None]] = [[f'{measure}, %', *means.values()] for measure, means in groups.items()]
    print_log('\n' + markdown_table(['', *groups['ap']], rows, digits=1), logger='current')
    metrics = {name: groups['ap'][group] for group, name in GROUP_NAMES.items()}
    metrics |= {'precision': groups['precision']['Mean'], 'recall': groups['recall']['Mean']}
    if result.tracking is not None:
        metrics |= {name.replace('AP', 'MOTA'): groups['mota'][group] for group, name in GROUP_NAMES.items()}
        metrics |= {name: result.tracking.total(measure) for measure, name in TRACKING_NAMES.items()}
        metrics['num_switches'] = int(result.tracking.num_switches.sum())
    return metrics


def _one_each(value: Any, number: int) -> np.ndarray | None:
    """Return the array if it has ``number`` entries, else None.

    The true boxes of a sample are not those of its predictions for bottom-up models.
    """
    if value is None or len(value) != number:
        return None
    return as_array(value)


def _last_two(path: str | Path) -> str:
    """Return folder and file name, which do not depend on the data root."""
    return '/'.join(Path(path).parts[-2:])
