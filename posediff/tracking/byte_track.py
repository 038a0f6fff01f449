"""MMDetection's ByteTrack as a tracker."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from posediff.registry import TRACKERS
from posediff.structures.argument_checks import require_finite
from posediff.structures.component_choices import CommandLineChoice
from posediff.structures.frame_poses import NO_TRACK, FramePoses
from posediff.tracking.base import TRACKER_OPTIONS, BaseTracker


@TRACKERS.register_module()
class ByteTrackTracker(BaseTracker):
    """MMDetection's ByteTrack (Zhang et al., ECCV 2022), which uses boxes only and ignores poses.

    Intended for comparison; :class:`~posediff.tracking.pose_tracker.PoseTracker` also uses poses. Boxes are predicted
    one step ahead per call of ``update``, regardless of the number of frames between two calls.

    Needs the packages of the extra ``video``, and ``lap`` from the extra ``tracking``.

    Args:
        max_lost_s, min_hits: See :class:`~posediff.tracking.base.BaseTracker`.
        high_score, low_score: Detections above ``high_score`` can start a track and take part in the first association;
            detections between the two take part in the second.
        min_iou, min_iou_low, min_iou_new: Minimum IoU in the first association, in the second, and with tracks that
            have no id yet. In the first and the last the IoU is weighted by the detection score.

    Raises:
        ValueError: A number is out of range.
        ImportError: A package is missing; the message names it.
    """

    command_line = (CommandLineChoice('byte', 'ByteTrack of MMDetection, by boxes', options=TRACKER_OPTIONS),)

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
        self._max_lost_frames = int(self.max_lost_s * self.fps + 1e-6)  # avoids 2.9999 frames for 0.1 s at 30 fps
        self._tracker = _import('mmdet.models.trackers').ByteTracker(
            obj_score_thrs=self.scores,
            init_track_thr=self.scores['high'],  # the same threshold as in frames with existing tracks
            match_iou_thrs=self.overlaps,
            num_tentatives=self.min_hits,
            num_frames_retain=self._max_lost_frames + 1,
        )
        self._tracker.kf = _import('mmdet.models.task_modules.tracking').KalmanFilter()
        self._first_frame: int | None = None
        self._ids: dict[int, int] = {}
        self._next_id = 0

    def _update(self, found: FramePoses) -> np.ndarray:
        self._first_frame = found.frame_index if self._first_frame is None else self._first_frame
        frame = found.frame_index - self._first_frame + 1  # never 0: the library confirms all tracks of frame 0
        tracks = self._tracker.tracks
        for number in [number for number, track in tracks.items() if self._lost_for(track, frame)]:
            del tracks[number]
        self._tracker.track(_data_sample(frame, found))
        track_ids = np.full(len(found), NO_TRACK, dtype=np.int64)
        for number, track in sorted(tracks.items()):
            for name in self._tracker.memo_items:  # the library keeps the whole history of a track
                track[name] = track[name][-self.min_hits :]
            if len(track['bboxes']) >= self.min_hits:
                track.tentative = False  # the library never confirms a track that has just started
                if number not in self._ids:
                    self._ids[number] = self._next_id
                    self._next_id += 1
            if int(track['frame_ids'][-1]) == frame:
                track_ids[int(track['masks'][-1])] = self._ids.get(number, NO_TRACK)
        self._ids = {number: track_id for number, track_id in self._ids.items() if number in tracks}
        return track_ids

    def _lost_for(self, track: Any, frame: int) -> bool:
        """Return whether a track was lost for too long before a frame."""
        return frame - int(track['frame_ids'][-1]) > self._max_lost_frames


def _data_sample(frame: int, found: FramePoses) -> Any:
    """Convert detections to the data sample that MMDetection's trackers take."""
    import torch
    from mmengine.structures import InstanceData

    sample = _import('mmdet.structures').DetDataSample(metainfo={'frame_id': frame})
    sample.pred_instances = InstanceData(
        bboxes=torch.from_numpy(found.boxes),
        scores=torch.from_numpy(found.box_scores),
        labels=torch.zeros(len(found), dtype=torch.int64),
        # Not masks but detection indices: the library stores this field with the track, which identifies the detection.
        masks=torch.arange(len(found)),
    )
    return sample


def _import(module: str) -> Any:
    """Import a part of an optional package.

    Raises:
        ImportError: The package is missing.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        package = module.partition('.')[0]
        raise ImportError(
            f'ByteTrackTracker needs {package}, which cannot be imported ({error}): run `posediff setup openmmlab`, or '
            "`pip install 'posediff[tracking]'` for lap; PoseTracker needs neither"
        ) from error
