"""The interface of trackers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import numpy as np

from posediff.structures.argument_checks import require_finite, require_whole
from posediff.structures.component_choices import CommandLineChoice
from posediff.structures.frame_poses import NO_TRACK, FramePoses

TRACKER_OPTIONS = {
    'max_lost_s': 'seconds that a lost person keeps the id',
    'min_hits': 'frames in which a person must be detected before getting an id',
    'high_score': 'detections with a lower score do not start a track',
    'low_score': 'ignore detections with a lower score',
}
"""Command-line options shared by :class:`PoseTracker` and :class:`ByteTrackTracker`, with their help."""


class BaseTracker(ABC):
    """A tracker that assigns persistent ids to the persons of a video, frame by frame.

    * Causal: the ids of a frame depend only on this frame and earlier ones.
    * Bounded: memory does not grow with the length of the video; tracks lost for too long are deleted.
    * An id belongs to at most one person per frame and is never reused within a video; ids count from 0.
    * The order of the detections in a frame does not affect their ids.
    * The same video yields the same ids, regardless of what was tracked before :meth:`reset`.

    Args:
        max_lost_s: Maximum time in seconds that a person may be lost and still keep the id.
        min_hits: Number of frames in which a person must be detected before an id is assigned; 1 assigns it at once.
            Earlier frames get no id retroactively.
    """

    command_line: ClassVar[tuple[CommandLineChoice, ...]] = ()
    """Names by which users select the component on the command line; empty: it cannot be selected there."""

    fps: float | None = None
    _last_frame: int | None = None
    _num_keypoints: int | None = None

    def __init__(self, max_lost_s: float, min_hits: int) -> None:
        owner = type(self).__name__
        require_finite(owner, {'max_lost_s': max_lost_s}, 0)
        require_whole(owner, {'min_hits': min_hits}, 1)
        self.max_lost_s = max_lost_s
        self.min_hits = min_hits

    def reset(self, fps: float) -> None:
        """Start a new video.

        Args:
            fps: Frame rate of the video.

        Raises:
            ValueError: ``fps`` is not a positive number.
        """
        require_finite(type(self).__name__, {'fps': fps})
        if fps <= 0:
            raise ValueError(f'{type(self).__name__}: fps must be positive, got {fps!r}')
        self.fps = fps
        self._last_frame = self._num_keypoints = None
        self._reset()

    def update(
        self,
        frame_index: int,
        boxes: np.ndarray,
        scores: np.ndarray,
        keypoints: np.ndarray | None = None,
        keypoint_scores: np.ndarray | None = None,
    ) -> np.ndarray:
        """Process the next frame.

        Args:
            frame_index: Index of the frame in the video, in units of 1 / ``fps``; must increase. Frames on which no
                detector ran are skipped.
            boxes: (N, 4) px, left, top, right, bottom; N may be 0.
            scores: (N,), confidence of the detections.
            keypoints: (N, K, 2) px, with the same K throughout a video. None is K = 0.
            keypoint_scores: (N, K), in [0, 1]; 0 for undetected keypoints. None means that all were detected.

        Returns:
            (N,) int64, the track id of each detection; -1 for a detection without a track or without an id yet.

        Raises:
            RuntimeError: :meth:`reset` was not called.
            ValueError: An argument has a wrong shape or value, or frames are out of order.
        """
        name = type(self).__name__
        if self.fps is None:
            raise RuntimeError(f'{name}: call reset(fps) before the first frame')
        require_whole(name, {'frame_index': frame_index}, 0)
        if self._last_frame is not None and frame_index <= self._last_frame:
            raise ValueError(f'{name}: frame {frame_index} comes after frame {self._last_frame}; indices must increase')
        place = f'{name}, frame {frame_index}'
        checked = _checked(place, boxes, scores, keypoints, keypoint_scores)
        found = FramePoses(int(frame_index), frame_index / self.fps, *checked)
        if len(found):
            self._check_number_of_keypoints(place, found.keypoints_2d.shape[1])
        order = np.lexsort((*found.boxes.T[::-1], -found.box_scores))  # results must not depend on the caller's order
        track_ids = np.full(len(found), NO_TRACK, dtype=np.int64)
        track_ids[order] = self._update(found.take(order))
        self._last_frame = frame_index
        return track_ids

    def _check_number_of_keypoints(self, place: str, number: int) -> None:
        if self._num_keypoints not in (None, number):
            raise ValueError(f'{place}: {number} keypoints, but {self._num_keypoints} in an earlier frame')
        self._num_keypoints = number

    @abstractmethod
    def _reset(self) -> None:
        """Delete all tracks; the next id is 0."""

    @abstractmethod
    def _update(self, found: FramePoses) -> np.ndarray:
        """Return the track ids (N,) of the persons of a frame.

        Args:
            found: The validated arguments of :meth:`update`, in float64, sorted by descending score, then by box. K is
                0 without keypoints.
        """


def _checked(place: str, boxes: Any, scores: Any, keypoints: Any, keypoint_scores: Any) -> tuple[np.ndarray, ...]:
    """Return the arguments of a frame as arrays, or raise an error that names the frame and the argument."""
    boxes, scores = np.array(boxes, dtype=np.float64), np.array(scores, dtype=np.float64)
    boxes = boxes if boxes.size else boxes.reshape(0, 4)
    number = len(boxes)
    if boxes.shape != (number, 4) or scores.shape != (number,):
        raise ValueError(f'{place}: boxes {boxes.shape} and scores {scores.shape} are not (N, 4) and (N,)')
    if keypoints is None and keypoint_scores is not None:
        raise ValueError(f'{place}: keypoint_scores without keypoints')
    if keypoints is None or not number:
        keypoints, keypoint_scores = np.zeros((number, 0, 2)), None
    keypoints = np.array(keypoints, dtype=np.float64)
    if keypoints.ndim != 3 or keypoints.shape[::2] != (number, 2):
        raise ValueError(f'{place}: keypoints {keypoints.shape} are not ({number}, K, 2)')
    shape = keypoints.shape[:2]
    keypoint_scores = np.ones(shape) if keypoint_scores is None else np.array(keypoint_scores, dtype=np.float64)
    if keypoint_scores.shape != shape:
        raise ValueError(f'{place}: keypoint_scores {keypoint_scores.shape} are not {shape}')
    unseen = keypoint_scores == 0
    for name, values, fine in (
        ('boxes', boxes, np.isfinite(boxes).all(-1)),
        ('scores', scores, np.isfinite(scores)),
        ('keypoint_scores', keypoint_scores, np.isfinite(keypoint_scores).all(-1)),
        ('keypoints', keypoints, (np.isfinite(keypoints).all(-1) | unseen).all(-1)),
        ('sides of boxes', boxes[:, 2:] - boxes[:, :2], (boxes[:, 2:] > boxes[:, :2]).all(-1)),
    ):
        if not fine.all():
            row = int(fine.argmin())
            wanted = 'positive' if name.startswith('sides') else 'finite'
            raise ValueError(f'{place}: {name} of detection {row} are not {wanted}: {values[row].tolist()}')
    return boxes, scores, np.where(unseen[..., None], 0.0, keypoints), keypoint_scores
