"""Fields of MMPose's data samples, as metrics read them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from posediff.structures.posetrack_joints import POSETRACK18_KEYPOINTS


def as_array(value: Any, dtype: type | None = np.float64) -> np.ndarray:
    """Convert an array, a list, or a tensor on any device to an array."""
    return np.asarray(value.detach().cpu() if hasattr(value, 'detach') else value, dtype=dtype)


def ids_of(sample: Mapping[str, Any]) -> tuple:
    """Return the ids of a sample's persons as a tuple of Python values, identical on all processes."""
    return tuple(np.atleast_1d(as_array(sample['id'], None)).tolist())


def key_frame_path(sample: Mapping[str, Any]) -> str:
    """Return the path of the predicted frame: ``frame_path``, or ``img_path``.

    For a clip ``img_path`` is a list, and entry ``key_index`` (default 0) is meant.
    """
    path = sample.get('frame_path') or sample.get('img_path', '')
    return str(path if isinstance(path, (str, Path)) else path[int(sample.get('key_index', 0))])


def keypoint_names(dataset_meta: Mapping[str, Any] | None, num_keypoints: int) -> Sequence[str]:
    """Return the names of the predicted keypoints: those of the data set, or PoseTrack18's.

    Raises:
        ValueError: Their number is not ``num_keypoints``.
    """
    listed = (dataset_meta or {}).get('keypoint_id2name')
    names = POSETRACK18_KEYPOINTS if listed is None else [listed[index] for index in range(len(listed))]
    if len(names) != num_keypoints:
        raise ValueError(f'{num_keypoints} keypoints were predicted, but the data set has {len(names)}')
    return names
