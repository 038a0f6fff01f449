"""The checks that a predicted keypoint must pass to become a label."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np

from posediff.pipeline.pseudo_labels.neighbours import distances_to_neighbours
from posediff.structures.argument_checks import require_finite, require_whole


class Verdict(Enum):
    """Result of the checks for one keypoint: kept, or the first check that failed."""

    KEPT = 'kept'
    LOW_SCORE = 'score too low'
    OUTSIDE = 'outside the image'
    MIRROR = 'differs in the mirrored image'
    TIME = 'differs from the neighbouring frames'
    LEFT_OUT = 'of a person with too few keypoints'


@dataclass(frozen=True)
class LabelRules:
    """Thresholds of the checks. A person's size is the longer side of the box around the keypoints with enough score.

    Attributes:
        min_score: Least score of a keypoint.
        max_mirror_distance: Greatest distance to the prediction in the mirrored image, relative to the person's size.
        max_time_distance: Greatest distance to what the neighbouring frames predict, relative to the person's size.
        reach: Number of frames before and after that are neighbours.
        min_joints: A person with fewer kept keypoints in a frame gets no label there.

    Raises:
        ValueError: A value is out of range.
    """

    min_score: float = 0.3
    max_mirror_distance: float = 0.05
    max_time_distance: float = 0.05
    reach: int = 2
    min_joints: int = 6

    def __post_init__(self) -> None:
        owner = type(self).__name__
        distances = {name: getattr(self, name) for name in ('max_mirror_distance', 'max_time_distance')}
        require_finite(owner, {'min_score': self.min_score, **distances}, least=0)
        require_whole(owner, {'reach': self.reach, 'min_joints': self.min_joints}, least=1)
        if self.min_score > 1:
            raise ValueError(f'{owner}: min_score must be at most 1, got {self.min_score}')


@dataclass(frozen=True)
class PersonTrack:
    """The predictions for one person in F frames without a cut between them.

    Attributes:
        frames: (F,) indices of the frames, rising.
        keypoints: (F, K, 2) px.
        scores: (F, K) in [0, 1].
        mirrored: (F, K, 2) px, predictions in the mirrored images, at their places in the images as they are.
    """

    frames: np.ndarray
    keypoints: np.ndarray
    scores: np.ndarray
    mirrored: np.ndarray


def check_keypoints(track: PersonTrack, rules: LabelRules, img_shape: tuple[int, int]) -> np.ndarray:
    """Return the verdicts on the keypoints of a person.

    The checks, in this order: score; place in the image; agreement with the mirrored image; agreement with the
    neighbouring frames (:func:`distances_to_neighbours`), of which only keypoints that passed the other checks count.

    Args:
        track: The predictions.
        rules: The thresholds.
        img_shape: (h, w) px.

    Returns:
        (F, K) array of :class:`Verdict`.
    """
    confident = track.scores >= rules.min_score
    size = box_sizes(track.keypoints, confident)[:, None]
    inside = ((track.keypoints >= 0) & (track.keypoints <= np.array(img_shape[::-1]) - 1)).all(-1)
    apart = np.linalg.norm(track.keypoints - track.mirrored, axis=-1)
    agree = apart <= rules.max_mirror_distance * size
    trusted = confident & inside & agree
    steady = distances_to_neighbours(track.frames, track.keypoints, trusted, rules.reach)
    verdicts = np.full(confident.shape, Verdict.KEPT, dtype=object)
    failed = {
        Verdict.TIME: steady > rules.max_time_distance * size,
        Verdict.MIRROR: ~agree,
        Verdict.OUTSIDE: ~inside,
        Verdict.LOW_SCORE: ~confident,
    }
    for verdict, at in failed.items():  # the first check comes last, so that it decides
        verdicts[at] = verdict
    too_few = (verdicts == Verdict.KEPT).sum(1) < rules.min_joints
    verdicts[(verdicts == Verdict.KEPT) & too_few[:, None]] = Verdict.LEFT_OUT
    return verdicts


def box_sizes(keypoints: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Return the longer sides (F,) px of the boxes around the chosen (F, K) of the keypoints (F, K, 2); 0 if none."""
    low = np.where(chosen[..., None], keypoints, np.inf).min(1)
    high = np.where(chosen[..., None], keypoints, -np.inf).max(1)
    return np.where(chosen.any(1), (high - low).max(-1, initial=-np.inf), 0)
