"""Predictions in PoseTrack18's form, as the official evaluators and test servers take them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from posediff.fileio.atomic_files import replacing
from posediff.structures.posetrack_joints import EVALUATED_KEYPOINTS, POSETRACK18_KEYPOINTS


@dataclass
class PredictedPerson:
    """One person in one frame.

    Attributes:
        keypoints: (17, 2) px, in the order of
            :data:`~posediff.structures.posetrack_joints.POSETRACK18_KEYPOINTS`.
        scores: (17,), any range.
        score: Of the person as a whole; average precision does not depend on it.
        box: (4,) px, left, top, right, bottom; None is that of the keypoints.
        box_score: Of the detector, in [0, 1].
        track_id: Who it is; None is the running number in the frame, of poses that are not tracked.
    """

    keypoints: np.ndarray
    scores: np.ndarray
    score: float
    box: np.ndarray | None = None
    box_score: float = 1.0
    track_id: int | None = None


def to_posetrack18(keypoints: np.ndarray, names: Sequence[str]) -> np.ndarray:
    """Reorder (…, K, C) to (…, 17, C); ears may be missing, and are 0 then.

    Raises:
        ValueError: Another keypoint is missing.
    """
    missing = [name for name in EVALUATED_KEYPOINTS if name not in names]
    if missing:
        raise ValueError(f'predictions lack the keypoints {", ".join(missing)}; they have {", ".join(names)}')
    ordered = np.zeros((*keypoints.shape[:-2], len(POSETRACK18_KEYPOINTS), keypoints.shape[-1]))
    for column, name in enumerate(POSETRACK18_KEYPOINTS):
        if name in names:
            ordered[..., column, :] = keypoints[..., list(names).index(name), :]
    return ordered


def result_document(frames: Sequence[tuple[Any, str]], persons: Sequence[Sequence[PredictedPerson]]) -> dict[str, Any]:
    """Content of the result file of one sequence.

    Every frame is listed, with persons or without, since evaluators pair frames by position.

    Args:
        frames: Id and file name of each frame of the ground truth, in its order; an id of None becomes the position.
        persons: Those of each frame.
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


def write_result(path: Path, document: dict[str, Any]) -> None:
    """Write a result file, whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(document))
