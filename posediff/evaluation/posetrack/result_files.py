"""Writer of predictions in PoseTrack18's format, for the official evaluators and test servers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from posediff.fileio.atomic_files import atomic_write
from posediff.structures.posetrack_joints import EVALUATED_KEYPOINTS, POSETRACK18_KEYPOINTS


@dataclass
class PredictedPerson:
    """One person in one frame.

    Attributes:
        keypoints: (17, 2) px, in the order of
            :data:`~posediff.structures.posetrack_joints.POSETRACK18_KEYPOINTS`.
        scores: (17,), any range.
        score: Score of the whole person, written to the file; average precision does not use it.
        box: (4,) px, left, top, right, bottom; None uses the box of the keypoints.
        box_score: Detection score, in [0, 1].
        track_id: Track of the person; None uses the index in the frame, for untracked poses.
    """

    keypoints: np.ndarray
    scores: np.ndarray
    score: float
    box: np.ndarray | None = None
    box_score: float = 1.0
    track_id: int | None = None


def to_posetrack18(keypoints: np.ndarray, names: Sequence[str]) -> np.ndarray:
    """Reorder (…, K, C) to (…, 17, C); missing ears are set to 0.

    Raises:
        ValueError: A keypoint other than the ears is missing.
    """
    missing = [name for name in EVALUATED_KEYPOINTS if name not in names]
    if missing:
        raise ValueError(f'predictions lack the keypoints {", ".join(missing)}; they have {", ".join(names)}')
    ordered = np.zeros((*keypoints.shape[:-2], len(POSETRACK18_KEYPOINTS), keypoints.shape[-1]))
    for column, name in enumerate(POSETRACK18_KEYPOINTS):
        if name in names:
            ordered[..., column, :] = keypoints[..., list(names).index(name), :]
    return ordered


def prediction_document(
    frames: Sequence[tuple[Any, str]], persons: Sequence[Sequence[PredictedPerson]]
) -> dict[str, Any]:
    """Return the content of the result file of one sequence.

    Every frame is listed, with or without persons, because evaluators pair frames by position.

    Args:
        frames: Id and file name of each frame, in the order of the ground truth; an id of None becomes the position.
        persons: Persons of each frame.
    """
    images, annotations = [], []
    for position, ((image_id, name), several) in enumerate(zip(frames, persons, strict=True)):
        image_id = position if image_id is None else image_id
        images.append({'id': image_id, 'file_name': name})
        for number, person in enumerate(several):
            keypoints = np.concatenate([person.keypoints, person.scores[:, None]], axis=-1)
            annotations.append(
                {
                    'image_id': image_id,
                    'track_id': number if person.track_id is None else person.track_id,
                    'keypoints': keypoints.astype(np.float64).reshape(-1).tolist(),
                    'scores': person.scores.astype(np.float64).tolist(),
                    'score': float(person.score),
                }
            )
    category = {'id': 1, 'name': 'person', 'supercategory': 'person', 'keypoints': list(POSETRACK18_KEYPOINTS)}
    return {'images': images, 'annotations': annotations, 'categories': [category]}


def write_predictions(path: Path, document: dict[str, Any]) -> None:
    """Write a result file atomically."""
    with atomic_write(path) as temporary:
        temporary.write_text(json.dumps(document))
