"""Small files for components that read one."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np


def write_keypoints(folder: Path) -> Path:
    """Write COCO's results of two people in the first frame, one of them in the third.

    Args:
        folder: Where ``keypoints.json`` is written.

    Returns:
        The file; its keypoints are in px of an image of at least 100 by 100.
    """
    rng = np.random.default_rng(0)
    rows = []
    for frame, left in ((0, 10), (0, 60), (2, 60)):
        points = np.concatenate([rng.uniform([left, 10], [left + 40, 90], (17, 2)), np.full((17, 1), 0.9)], -1)
        rows.append({'image_id': frame, 'category_id': 1, 'keypoints': points.ravel().tolist(), 'score': 0.9})
    path = folder / 'keypoints.json'
    path.write_text(json.dumps(rows))
    return path
