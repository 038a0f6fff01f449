"""ByteTrack's association with a similarity of poses and boxes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.optimize import linear_sum_assignment

from posediff.geometry.similarity import box_iou, box_sizes, object_keypoint_similarity
from posediff.registry import TRACKERS
from posediff.structures.argument_checks import require_finite
from posediff.structures.component_choices import CommandLineChoice
from posediff.structures.frame_poses import NO_TRACK, FramePoses
from posediff.tracking.base import TRACKER_OPTIONS, BaseTracker
from posediff.tracking.motion import ConstantVelocity, LimbMotion

DEFAULT_SIGMA = 0.1
"""Default sigma of keypoints. Larger than COCO's, which only cover annotator noise: poses change between frames."""

PLACE_STD = 0.02
"""Standard deviation of the measured mean keypoint of a person, in sizes (square root of the area of the box)."""

PLACE_WEIGHT = 0.1
"""Weight of the position similarity relative to that of boxes and poses; from 0.2 on, ids swap when persons meet and
turn back."""


class _Track:
    """The track of a person: box and pose of the last detection, moved by the predicted motion since.

    Attributes:
        track_id: Track id; -1 until the track is confirmed.
        hits: Number of frames in which the person was detected.
        last_frame: Index of the last of these frames.
        box: (4,) px.
        keypoints, seen: (K, 2) px and (K,) bool.
        expected_keypoints: (K, 2) px, the keypoints including the predicted limb motion.
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
        """Update the track with a detection.

        The displacement is measured on the keypoints visible in both poses, since partial occlusion changes the box.
        """
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
    """Tracks boxes and poses: ByteTrack (Zhang et al., ECCV 2022, algorithm 1) with a similarity that includes poses.

    In every frame a Kalman filter predicts the tracks, and detections are assigned to maximise the sum of similarities
    (Hungarian method), in three rounds:

    * detections with a score of at least ``high_score`` to tracks with an id, including lost tracks (the paper's first
      association)
    * detections with a lower score to the remaining tracks (the paper's second; its code excludes lost tracks here)
    * the remaining detections of the first round to tracks without an id

    Detections that still remain of the first round start a track. A track without an id ends with the first frame
    without a detection.

    The paper's similarity is the IoU of boxes. Here it is a weighted mean of the IoU and the object keypoint similarity
    of poses, which distinguishes persons whose boxes coincide. Poses are compared after each limb is moved at its own
    predicted velocity, which distinguishes persons who pass each other in the same pose. The variance of the predicted
    position is added to the spread of the keypoints, so that the position counts less the longer a person is lost.
    This similarity alone decides which assignments are allowed. Among these, assignments whose mean keypoint is near
    the predicted position are preferred: when persons pass each other, boxes are too imprecise and poses change.

    Args:
        max_lost_s, min_hits: See :class:`~posediff.tracking.base.BaseTracker`.
        high_score, low_score: Detection scores, see above; detections below ``low_score`` are ignored.
        pose_weight: Weight of the pose similarity in the mean, from 0 to 1. If two poses share no keypoint, only the
            boxes are compared.
        min_similarity, min_similarity_low: Minimum similarity of an assignment; the latter is for low scores.
        min_keypoint_score: Keypoints below this score are ignored.
        sigmas: (K,) spread of each keypoint in units of half the box size, as COCO lists them; None: 0.1 for all.

    Raises:
        ValueError: A number is out of range.
    """

    command_line = (
        CommandLineChoice(
            'pose',
            'by boxes and poses',
            options={
                **TRACKER_OPTIONS,
                'pose_weight': 'weight of the pose similarity relative to that of boxes, 0 to 1',
            },
        ),
    )

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
        require_finite('PoseTracker', shares, 0, 1)
        require_finite('PoseTracker', scores)
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

    def _update(self, found: FramePoses) -> np.ndarray:
        frame_index = found.frame_index
        self._forget_and_predict(frame_index)
        owners: list[_Track | None] = [None] * len(found)
        poses = [found.boxes, found.keypoints_2d, found.keypoint_scores >= self.min_keypoint_score]

        def assign(tracks: list[_Track], rows: np.ndarray, least: float) -> tuple[list[_Track], np.ndarray]:
            """Assign rows of the detections, and return the remaining tracks and rows."""
            some = [values[rows] for values in poses]
            pairs = _best_pairs(self._similarity(tracks, *some), least, PLACE_WEIGHT * _place_similarity(tracks, *some))
            for index, column in pairs:
                owners[rows[column]] = track = tracks[index]
                track.correct(frame_index, *(values[rows[column]] for values in poses))
            taken = {index for index, _ in pairs}
            others = [track for index, track in enumerate(tracks) if index not in taken]
            return others, np.delete(rows, [column for _, column in pairs])

        high = np.flatnonzero(found.box_scores >= self.high_score)
        low = np.flatnonzero((found.box_scores >= self.low_score) & (found.box_scores < self.high_score))
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
        # slightly less than the product, whose rounding error may exceed a whole number of frames
        keep_from = frame_index - self.max_lost_s * self.fps - 1e-6
        self._tracks = [track for track in self._tracks if track.last_frame >= keep_from]
        for track in self._tracks:
            assert self._last_frame is not None
            track.predict((frame_index - self._last_frame) / self.fps)

    def _similarity(
        self, tracks: list[_Track], boxes: np.ndarray, keypoints: np.ndarray, seen: np.ndarray
    ) -> np.ndarray:
        """Return the similarity of tracks and detections, (tracks, N) in [0, 1]."""
        if not tracks or not len(boxes):
            return np.zeros((len(tracks), len(boxes)))
        track_boxes = np.stack([track.box for track in tracks])
        overlap = box_iou(track_boxes, boxes)
        sigmas = np.full(keypoints.shape[1], DEFAULT_SIGMA) if self.sigmas is None else self.sigmas
        if keypoints.shape[1] != len(sigmas):
            raise ValueError(f'PoseTracker: {len(sigmas)} sigmas for {keypoints.shape[1]} keypoints')
        # the larger of the two boxes: the smaller one may be partially occluded
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
    """Return the position similarity, (tracks, N) in [0, 1]: exp(-d² / (2 spread²)).

    d is the distance between the mean keypoints of track and detection, over the keypoints visible in both; without
    common keypoints, the distance between the box centres.
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
    """Return (row, column) pairs that maximise the sum of similarities and preferences.

    Args:
        similarity: (tracks, N) in [0, 1].
        least: Minimum similarity of a pair.
        preference: (tracks, N), added to the similarity of allowed pairs.
    """
    allowed = (similarity >= least) & (similarity > 0)
    rows, columns = linear_sum_assignment(np.where(allowed, similarity + preference, 0.0), maximize=True)
    return [(int(row), int(column)) for row, column in zip(rows, columns, strict=True) if allowed[row, column]]
