"""2D poses of the persons in a frame."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

NO_TRACK = -1
"""Track id of a person without a track."""

PER_PERSON = ('boxes', 'box_scores', 'keypoints_2d', 'keypoint_scores', 'track_ids', 'crops')
"""Fields of :class:`FramePoses` with one row per person."""


@dataclass(frozen=True)
class FramePoses:
    """The 2D poses of the N persons in one frame: output of pose estimation, input and output of tracking.

    Attributes:
        frame_index: Frame index at the constant frame rate of the video, from 0.
        time_s: Seconds since the first frame.
        boxes: (N, 4) float32 px: left, top, right, bottom.
        box_scores: (N,) float32 in [0, 1], confidence of the detections.
        keypoints_2d: (N, K, 2) float32 px, finite, in the pose estimator's skeleton.
        keypoint_scores: (N, K) float32 in [0, 1]; 0 for undetected keypoints.
        track_ids: (N,) int64; :data:`NO_TRACK` for a person without a track, and for all persons before tracking. The
            default is :data:`NO_TRACK` for all.
        crops: (N, 4) float32 px, the boxes in which the pose estimator found the joints, if it can use them in the next
            frame; NaN by default.
        after_cut: Whether time is missing before this frame; see :class:`posediff.structures.video_frame.VideoFrame`.
    """

    frame_index: int
    time_s: float
    boxes: np.ndarray
    box_scores: np.ndarray
    keypoints_2d: np.ndarray
    keypoint_scores: np.ndarray
    track_ids: np.ndarray = None  # type: ignore[assignment]
    crops: np.ndarray = field(default=None, kw_only=True)  # type: ignore[arg-type]
    after_cut: bool = field(default=False, kw_only=True)

    def __post_init__(self) -> None:
        if self.track_ids is None:
            object.__setattr__(self, 'track_ids', np.full(len(self.boxes), NO_TRACK, np.int64))
        if self.crops is None:
            object.__setattr__(self, 'crops', np.full((len(self.boxes), 4), np.nan, np.float32))

    def __len__(self) -> int:
        return len(self.boxes)

    def take(self, rows: np.ndarray) -> FramePoses:
        """Return the persons of the given rows (indices or a mask), in that order."""
        return replace(self, **{name: getattr(self, name)[rows] for name in PER_PERSON})

    def extend(self, others: FramePoses) -> FramePoses:
        """Return these persons followed by ``others`` of the same frame."""
        return replace(
            self, **{name: np.concatenate([getattr(self, name), getattr(others, name)]) for name in PER_PERSON}
        )
