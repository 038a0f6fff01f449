"""ByteTrack's association, with poses beside boxes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.optimize import linear_sum_assignment

from posediff.geometry.similarity import box_iou, box_sizes, object_keypoint_similarity
from posediff.registry import TRACKERS
from posediff.structures.argument_checks import require_finite
from posediff.tracking.base import NO_TRACK, BaseTracker, Detections
from posediff.tracking.motion import ConstantVelocity, LimbMotion

DEFAULT_SIGMA = 0.1
"""Wider than the spread among annotators that COCO's figures are of: from frame to frame a pose changes."""

PLACE_STD = 0.02
"""Of the mean of a person's keypoints, sizes; a box is less exact."""

PLACE_WEIGHT = 0.1
"""Of the similarity of places beside that of boxes and poses; from 0.2 on, people who meet and turn back swap ids."""


class _Track:
    """A person who is followed: the box and the pose of the last frame with them, moved along since.

    Attributes:
        track_id: -1 until the person was found often enough.
        hits: In how many frames the person was found.
        last_frame: The last of them.
        box: (4,) px.
        keypoints, seen: (K, 2) px and (K,) bool.
        expected_keypoints: (K, 2) px, the keypoints with the limbs moved on as well.
    """

    def __init__(self, frame_index: int, box: np.ndarray, keypoints: np.ndarray, seen: np.ndarray) -> None:
        self.track_id, self.hits, self.last_frame = NO_TRACK, 1, frame_index
        self.box, self.keypoints, self.seen = box, keypoints, seen
        self.motion, self.limbs = ConstantVelocity(), LimbMotion(len(keypoints))

    @property
    def expected_keypoints(self) -> np.ndarray:
        return self.keypoints + self.limbs.step

    def predict(self, seconds: float) -> None:
        self._move(self.motion.predict(seconds))
        self.limbs.predict(seconds)

    def correct(self, frame_index: int, box: np.ndarray, keypoints: np.ndarray, seen: np.ndarray) -> None:
        """Take in the person as found. Keypoints that both poses have say how far it moved: where somebody is hidden
        in part, the box says more about that than about motion."""
        both, errors = self.seen & seen, keypoints - self.keypoints
        if both.any():
            error = errors[both].mean(0)
        else:
            error = (box - self.box).reshape(2, 2).mean(0)
        self.limbs.correct(errors - error, both, box_sizes(box[None]).item())
        self.hits, self.last_frame = self.hits + 1, frame_index
        self.box, self.keypoints, self.seen = box, keypoints, seen
        self._move(self.motion.correct(error) - error)

    def _move(self, step: np.ndarray) -> None:
        self.box, self.keypoints = self.box + np.tile(step, 2), self.keypoints + step


@TRACKERS.register_module()
class PoseTracker(BaseTracker):
    """Follows boxes and poses: ByteTrack (Zhang et al., ECCV 2022, algorithm 1) with a similarity that sees poses.

    In every frame tracks are moved to where a Kalman filter expects them, and persons are assigned to them so that the
    sum of similarities is largest (Hungarian method), in three rounds: who is found with a score of at least
    ``high_score`` to tracks that have an id, lost ones included (the paper's first association); who is found with a
    lower score to those that are left (its second; its code leaves lost ones out there); who is left of the first to
    tracks without id. Who is left then begins a track. A track without id ends with the first frame that it is not
    found in.

    The paper's similarity is the intersection over union of boxes. Here it is a mean of that and of the object keypoint
    similarity of poses, which tells people apart whose boxes coincide. Poses are compared with limbs moved on at
    speeds of their own, which tells people apart who pass through each other in the same pose. The variance of the
    expected place is added to the spread of the keypoints: the longer a person was not seen, the less the place counts.
    Which persons may be assigned depends on this similarity alone. Among them those whose mean keypoint is where the
    track expects it are preferred: for people who pass through each other the boxes are too inexact, and poses change.

    Args:
        max_lost_s, min_hits: See :class:`~posediff.tracking.base.BaseTracker`.
        high_score, low_score: Of persons, see above; who is below ``low_score`` is passed over.
        pose_weight: Of poses in the mean of the two similarities, from 0 to 1. Boxes count alone where two poses have
            no keypoint in common.
        min_similarity, min_similarity_low: Who is less alike is not assigned; the latter is for lower scores.
        min_keypoint_score: Keypoints below it are taken as not seen.
        sigmas: (K,) spread of each keypoint in units of half the box's size, as COCO lists them; None is 0.1 for all.

    Raises:
        ValueError: A number is out of its range.
    """

    def __init__(
        self,
        max_lost_s: float = 1.0,
        min_hits: int = 2,
        high_score: float = 0.6,
        low_score: float = 0.1,
        pose_weight: float = 0.5,
        min_similarity: float = 0.2,
        min_similarity_low: float = 0.3,
        min_keypoint_score: float = 0.3,
        sigmas: Sequence[float] | None = None,
    ) -> None:
        super().__init__(max_lost_s, min_hits)
        shares = {
            'pose_weight': pose_weight,
            'min_similarity': min_similarity,
            'min_similarity_low': min_similarity_low,
        }
        scores = {'high_score': high_score, 'low_score': low_score, 'min_keypoint_score': min_keypoint_score}
        require_finite('PoseTracker', {**shares, **scores})
        for name, value in shares.items():
            if not 0 <= value <= 1:
                raise ValueError(f'PoseTracker: {name} must be between 0 and 1, got {value!r}')
        if low_score > high_score:
            raise ValueError(f'PoseTracker: low_score {low_score} is above high_score {high_score}')
        if sigmas is not None and not (np.isfinite(sigmas).all() and np.min(sigmas) > 0):
            raise ValueError(f'PoseTracker: sigmas must be positive, got {sigmas!r}')
        self.high_score, self.low_score = high_score, low_score
        self.pose_weight = pose_weight
        self.min_similarity, self.min_similarity_low = min_similarity, min_similarity_low
        self.min_keypoint_score = min_keypoint_score
        self.sigmas = None if sigmas is None else np.array(sigmas, dtype=np.float64)

    def _reset(self) -> None:
        self._tracks: list[_Track] = []
        self._next_id = 0

    def _update(self, frame_index: int, found: Detections) -> np.ndarray:
        self._forget_and_predict(frame_index)
        owners: list[_Track | None] = [None] * len(found)
        poses = [found.boxes, found.keypoints, found.keypoint_scores >= self.min_keypoint_score]

        def assign(tracks: list[_Track], rows: np.ndarray, least: float) -> tuple[list[_Track], np.ndarray]:
            """Assign rows of the detections, and return the tracks and rows that are left."""
            some = [values[rows] for values in poses]
            pairs = _best_pairs(self._similarity(tracks, *some), least, PLACE_WEIGHT * _place_similarity(tracks, *some))
            for index, column in pairs:
                owners[rows[column]] = track = tracks[index]
                track.correct(frame_index, *(values[rows[column]] for values in poses))
            taken = {index for index, _ in pairs}
            others = [track for index, track in enumerate(tracks) if index not in taken]
            return others, np.delete(rows, [column for _, column in pairs])

        high = np.flatnonzero(found.scores >= self.high_score)
        low = np.flatnonzero((found.scores >= self.low_score) & (found.scores < self.high_score))
        left, high = assign([track for track in self._tracks if track.track_id != NO_TRACK], high, self.min_similarity)
        assign(left, low, self.min_similarity_low)
        gone, high = assign([track for track in self._tracks if track.track_id == NO_TRACK], high, self.min_similarity)
        self._tracks = [track for track in self._tracks if track not in gone]
        for row in high:
            owners[row] = track = _Track(frame_index, *(values[row] for values in poses))
            self._tracks.append(track)
        for track in self._tracks:
            if track.track_id == NO_TRACK and track.hits >= self.min_hits:
                track.track_id = self._next_id
                self._next_id += 1
        return np.array([NO_TRACK if owner is None else owner.track_id for owner in owners], dtype=np.int64)

    def _forget_and_predict(self, frame_index: int) -> None:
        assert self.fps is not None
        # a little less than the product, which may come out just above a whole number of frames
        keep_from = frame_index - self.max_lost_s * self.fps - 1e-6
        self._tracks = [track for track in self._tracks if track.last_frame >= keep_from]
        for track in self._tracks:
            assert self._last_frame is not None
            track.predict((frame_index - self._last_frame) / self.fps)

    def _similarity(
        self, tracks: list[_Track], boxes: np.ndarray, keypoints: np.ndarray, seen: np.ndarray
    ) -> np.ndarray:
        """(tracks, N) in [0, 1]."""
        if not tracks or not len(boxes):
            return np.zeros((len(tracks), len(boxes)))
        track_boxes = np.stack([track.box for track in tracks])
        overlap = box_iou(track_boxes, boxes)
        sigmas = np.full(keypoints.shape[1], DEFAULT_SIGMA) if self.sigmas is None else self.sigmas
        if keypoints.shape[1] != len(sigmas):
            raise ValueError(f'PoseTracker: {len(sigmas)} sigmas for {keypoints.shape[1]} keypoints')
        # of two boxes of a person the larger: the smaller is of somebody who is hidden in part
        sizes = np.maximum(box_sizes(track_boxes)[:, None], box_sizes(boxes))
        variances = np.array([track.motion.variance for track in tracks])
        alike, num_both = object_keypoint_similarity(
            np.stack([track.expected_keypoints for track in tracks]),
            np.stack([track.seen for track in tracks]),
            keypoints,
            seen,
            sizes[..., None] * np.sqrt(4 * sigmas**2 + variances[:, None, None]),
        )
        weight = np.where(num_both > 0, self.pose_weight, 0.0)
        return (1 - weight) * overlap + weight * alike


def _place_similarity(tracks: list[_Track], boxes: np.ndarray, keypoints: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """(tracks, N) in [0, 1]: exp(-d² / (2 spread²)) of the distance d between the mean keypoints of track and person.

    The mean is of the keypoints that both have; where there are none, the centres of the boxes are compared.
    """
    if not tracks or not len(boxes):
        return np.zeros((len(tracks), len(boxes)))
    track_boxes = np.stack([track.box for track in tracks])
    sizes = np.maximum(box_sizes(track_boxes)[:, None], box_sizes(boxes))
    both = np.stack([track.seen for track in tracks])[:, None] & seen
    errors = keypoints - np.stack([track.expected_keypoints for track in tracks])[:, None]
    number = both.sum(-1)[..., None]
    of_keypoints = np.where(both[..., None], errors, 0.0).sum(2) / np.maximum(number, 1)
    of_boxes = (boxes - track_boxes[:, None]).reshape(*both.shape[:2], 2, 2).mean(2)
    distances = np.linalg.norm(np.where(number > 0, of_keypoints, of_boxes), axis=-1)
    variances = PLACE_STD**2 + np.array([track.motion.variance for track in tracks])[:, None]
    return np.exp(-(distances**2) / (2 * sizes**2 * variances))


def _best_pairs(similarity: np.ndarray, least: float, preference: np.ndarray) -> list[tuple[int, int]]:
    """Rows and columns whose similarities and preferences have the largest sum.

    Only those are paired whose similarity is at least ``least``.
    """
    allowed = (similarity >= least) & (similarity > 0)
    rows, columns = linear_sum_assignment(np.where(allowed, similarity + preference, 0.0), maximize=True)
    return [(int(row), int(column)) for row, column in zip(rows, columns, strict=True) if allowed[row, column]]
