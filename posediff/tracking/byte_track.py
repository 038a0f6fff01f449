"""MMDetection's ByteTrack, behind the contract of this folder."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from posediff.registry import TRACKERS
from posediff.structures.argument_checks import require_finite
from posediff.tracking.base import NO_TRACK, BaseTracker, Detections


@TRACKERS.register_module()
class ByteTrackTracker(BaseTracker):
    """ByteTrack (Zhang et al., ECCV 2022) as MMDetection has it: boxes alone, poses are not looked at.

    It is here to be compared with; :class:`~posediff.tracking.pose_tracker.PoseTracker` sees poses as well. It moves
    its boxes on once for every call of ``update``, however many frames lie between two.

    Needs what the extra ``video`` stands for, and ``lap``, the extra ``tracking``.

    Args:
        max_lost_s, min_hits: See :class:`~posediff.tracking.base.BaseTracker`.
        high_score, low_score: Who is found with more than the first can begin a track, and takes part in the first
            association; who is between the two, in the second.
        min_iou, min_iou_low, min_iou_new: Overlap that is needed in the first association, in the second, and with
            tracks that have no id yet. In the first and the last it is weighted by the person's score.

    Raises:
        ValueError: A number is out of its range.
        ImportError: A package is missing; the message names it.
    """

    def __init__(
        self,
        max_lost_s: float = 1.0,
        min_hits: int = 2,
        high_score: float = 0.6,
        low_score: float = 0.1,
        min_iou: float = 0.1,
        min_iou_low: float = 0.5,
        min_iou_new: float = 0.3,
    ) -> None:
        super().__init__(max_lost_s, min_hits)
        self.scores = {'high': high_score, 'low': low_score}
        self.overlaps = {'high': min_iou, 'low': min_iou_low, 'tentative': min_iou_new}
        require_finite('ByteTrackTracker', {'high_score': high_score, 'low_score': low_score})
        require_finite('ByteTrackTracker', {'min_iou': min_iou, 'min_iou_low': min_iou_low, 'min_iou_new': min_iou_new})
        if low_score > high_score:
            raise ValueError(f'ByteTrackTracker: low_score {low_score} is above high_score {high_score}')
        for package in ('lap', 'mmdet', 'mmcv'):
            _import(package)

    def _reset(self) -> None:
        assert self.fps is not None
        self._max_lost_frames = int(self.max_lost_s * self.fps + 1e-6)  # 0.1 s of 30 frames/s are not 2.9999 frames
        self._tracker = _import('mmdet.models.trackers').ByteTracker(
            obj_score_thrs=self.scores,
            init_track_thr=self.scores['high'],  # as for everybody who is found when there are other tracks
            match_iou_thrs=self.overlaps,
            num_tentatives=self.min_hits,
            num_frames_retain=self._max_lost_frames + 1,
        )
        self._tracker.kf = _import('mmdet.models.task_modules.tracking').KalmanFilter()
        self._first_frame: int | None = None
        self._ids: dict[int, int] = {}
        self._next_id = 0

    def _update(self, frame_index: int, found: Detections) -> np.ndarray:
        self._first_frame = frame_index if self._first_frame is None else self._first_frame
        frame = frame_index - self._first_frame + 1  # never 0, where the library takes everybody for certain
        tracks = self._tracker.tracks
        for number in [number for number, track in tracks.items() if self._lost_for(track, frame)]:
            del tracks[number]
        self._tracker.track(_data_sample(frame, found))
        track_ids = np.full(len(found), NO_TRACK, dtype=np.int64)
        for number, track in sorted(tracks.items()):
            for name in self._tracker.memo_items:  # the library keeps all of a track's past
                track[name] = track[name][-self.min_hits :]
            if len(track['bboxes']) >= self.min_hits:
                track.tentative = False  # the library itself never has that of a track that just began
                if number not in self._ids:
                    self._ids[number] = self._next_id
                    self._next_id += 1
            if int(track['frame_ids'][-1]) == frame:
                track_ids[int(track['masks'][-1])] = self._ids.get(number, NO_TRACK)
        self._ids = {number: track_id for number, track_id in self._ids.items() if number in tracks}
        return track_ids

    def _lost_for(self, track: Any, frame: int) -> bool:
        """Whether a track was lost for too long before a frame."""
        return frame - int(track['frame_ids'][-1]) > self._max_lost_frames


def _data_sample(frame: int, found: Detections) -> Any:
    """Detections as MMDetection's trackers take them."""
    import torch
    from mmengine.structures import InstanceData

    sample = _import('mmdet.structures').DetDataSample(metainfo={'frame_id': frame})
    sample.pred_instances = InstanceData(
        bboxes=torch.from_numpy(found.boxes),
        scores=torch.from_numpy(found.scores),
        labels=torch.zeros(len(found), dtype=torch.int64),
        # Not masks: the library keeps whatever is called so with the track, which says who is who in its answer.
        masks=torch.arange(len(found)),
    )
    return sample


def _import(module: str) -> Any:
    """Import a part of an optional package.

    Raises:
        ImportError: It is missing.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        package = module.partition('.')[0]
        raise ImportError(
            f'ByteTrackTracker needs {package}, which does not import ({error}): run `make setup`, or '
            "`pip install 'posediff[tracking]'` for lap; PoseTracker needs neither"
        ) from error
