"""Annotations and predictions of people in frames of clips, as the metric of PCK collects them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import PurePosixPath
from typing import Any

import numpy as np
import torch

from posediff.datasets.frame_windows import frame_number
from posediff.evaluation.metrics.mmpose_samples import as_array, ids_of, key_frame_path
from posediff.evaluation.pck import inside_picture


@dataclass(frozen=True)
class People:
    """P people with K joints, in order of clip, frame and id.

    Attributes:
        clip: (P,) folder of the frame.
        frame: (P,) number of the frame in its clip.
        track: (P,) id of the person in the clip, or None.
        predicted, true: (P, K, 2) px; predictions of a person that was not found are NaN.
        annotated, inside: (P, K) bool: annotated; annotated and inside the picture.
        box: (P, 4) px, (x1, y1, x2, y2).
        scores: (P, K) keypoint scores.
        spread: (P, K) px, spread of the hypotheses; NaN for a single hypothesis.
    """

    clip: np.ndarray
    frame: np.ndarray
    track: np.ndarray
    predicted: np.ndarray
    true: np.ndarray
    annotated: np.ndarray
    inside: np.ndarray
    box: np.ndarray
    scores: np.ndarray
    spread: np.ndarray

    def __len__(self) -> int:
        return len(self.clip)

    @property
    def found(self) -> np.ndarray:
        """(P,) bool, the people with predictions."""
        found: np.ndarray = np.isfinite(self.predicted).all((1, 2))
        return found

    @classmethod
    def collect(cls, results: Sequence[dict[str, Any]]) -> People:
        """Stack the results of :func:`read_person`; a person that occurs several times counts once."""
        once = {result['key']: result for result in reversed(results)}
        ordered = [once[key] for key in sorted(once)]
        stacked = {}
        for field in fields(cls):
            values = [person[field.name] for person in ordered]
            stacked[field.name] = np.array(values, dtype=object if field.name in ('clip', 'track') else None)
        return cls(**stacked)

    def with_joints(self, columns: Sequence[int]) -> People:
        """Return the same people with the joints of these indices only."""
        of_joints = ('predicted', 'true', 'annotated', 'inside', 'scores', 'spread')
        return dataclasses.replace(self, **{name: getattr(self, name)[:, list(columns)] for name in of_joints})

    def runs(self) -> Iterator[np.ndarray]:
        """Yield the indices of each person in consecutive frames, in order, at least three.

        A person is known by its track id or, without track ids, as the only person of every frame of the clip.

        Raises:
            ValueError: Two people of a frame have one track id.
        """
        for clip in sorted(set(self.clip)):
            indices = np.flatnonzero(self.clip == clip)
            tracks = self.track[indices]
            if any(track is None for track in tracks):
                if len(np.unique(self.frame[indices])) < len(indices):
                    continue
                tracks = np.zeros(len(indices))
            for track in np.unique(tracks):
                of_track = indices[tracks == track]  # in order of the frame
                steps = np.diff(self.frame[of_track])
                if (steps == 0).any():
                    twice = of_track[int(np.flatnonzero(steps == 0)[0])]
                    raise ValueError(
                        f'clip {clip}: two people of frame {self.frame[twice]} have track id {self.track[twice]}'
                    )
                for run in np.split(of_track, np.flatnonzero(steps != 1) + 1):
                    if len(run) >= 3:
                        yield run


def read_person(sample: Mapping[str, Any]) -> dict[str, Any]:
    """Return the attributes of :class:`People` for one sample, and its ``key``, identical on all processes.

    Args:
        sample: ``to_dict()`` of a top-down sample, see :class:`posediff.evaluation.metrics.KeypointPCK`.
            ``pred_instances`` is None for a person that was not found.

    Raises:
        ValueError: A field is missing, of a wrong shape, or not finite; the message names the sample.
    """
    name = f'sample {sample.get("sample_id", sample.get("id"))!r}'
    for key in ('id', 'gt_instances', 'pred_instances', 'ori_shape'):
        if key not in sample:
            raise ValueError(f'{name} has no {key}')
    truth, predictions = sample['gt_instances'], sample['pred_instances']
    true = _field(name, 'gt_instances', truth, 'keypoints')
    if true.ndim != 3 or true.shape[0] != 1 or true.shape[2] != 2:
        raise ValueError(
            f'{name}: gt_instances.keypoints is {true.shape}, not (1, K, 2): one person per sample is expected'
        )
    visible = _field(name, 'gt_instances', truth, 'keypoints_visible')
    if visible.ndim == 3:  # MMPose's KeypointConverter adds a column of weights
        visible = visible.min(-1)
    arrays = {
        'gt_instances.keypoints_visible': (visible, true.shape[:2]),
        'gt_instances.bboxes': (_field(name, 'gt_instances', truth, 'bboxes'), (1, 4)),
    }
    if predictions is not None:
        scores = _field(name, 'pred_instances', predictions, 'keypoint_scores')
        arrays |= {
            'pred_instances.keypoints': (_field(name, 'pred_instances', predictions, 'keypoints'), true.shape),
            'pred_instances.keypoint_scores': (scores, true.shape[:2]),
        }
    for field, (array, shape) in arrays.items():
        if array.shape != shape:
            raise ValueError(f'{name}: {field} is {array.shape}, not {shape}')
        if not np.isfinite(array).all():
            raise ValueError(f'{name}: {field} is not finite')
    annotated = visible > 0
    if not np.isfinite(true[annotated]).all():
        raise ValueError(f'{name}: an annotated keypoint is not finite')
    box = arrays['gt_instances.bboxes'][0][0]
    if not (box[2:] > box[:2]).all():
        raise ValueError(f'{name}: box {box.tolist()} (x1, y1, x2, y2) has no area')
    if predictions is None:
        predicted, scores = np.full(true.shape[1:], np.nan), np.zeros(true.shape[1])
    else:
        predicted, scores = (arrays[f'pred_instances.{field}'][0][0] for field in ('keypoints', 'keypoint_scores'))
    path = key_frame_path(sample)
    clip, frame = _place(name, path)
    track = (sample.get('raw_ann_info') or {}).get('track_id')
    return {
        'key': (clip, frame, ids_of(sample)),
        'clip': clip,
        'frame': frame,
        'track': None if track is None else int(track),
        'predicted': predicted,
        'true': true[0],
        'annotated': annotated[0],
        'inside': annotated[0] & inside_picture(true[0], sample['ori_shape']),
        'box': box,
        'scores': scores,
        'spread': _spread(name, sample.get('pred_hypotheses'), true.shape[1]),
    }


def _field(name: str, group: str, instances: Mapping[str, Any], field: str) -> np.ndarray:
    if field not in instances:
        raise ValueError(f'{name} has no {group}.{field}')
    return as_array(instances[field])


def _place(name: str, path: str) -> tuple[str, int]:
    """Return the clip and the number of a frame, ``('wave/clip_1', 12)`` for ``wave/clip_1/00012.png``."""
    clip = str(PurePosixPath(path).parent)
    if not path or clip == '.':
        raise ValueError(f'{name}: frame_path {path!r} has no folder, which names the clip')
    try:
        return clip, frame_number(path)
    except ValueError as error:
        raise ValueError(f'{name}: {error}') from None


def _spread(name: str, hypotheses: Any, num_keypoints: int) -> np.ndarray:
    """Return the standard deviation (K,) in px of the hypotheses (M, K, 2), as the head's score; NaN for M = 1."""
    if hypotheses is None or len(hypotheses) < 2:
        return np.full(num_keypoints, np.nan)
    drawn = torch.as_tensor(as_array(hypotheses))
    if drawn.shape[1:] != (num_keypoints, 2) or not torch.isfinite(drawn).all():
        raise ValueError(f'{name}: pred_hypotheses {tuple(drawn.shape)} are not finite (M, {num_keypoints}, 2)')
    return drawn.var(0, correction=1).sum(-1).sqrt().numpy()
