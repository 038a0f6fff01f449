"""Small input files for components that read files."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np


def write_keypoints(folder: Path) -> Path:
    """Write keypoints in COCO's results format: two people in the first frame, one of them in the third.

    Args:
        folder: Folder to write ``keypoints.json`` to.

    Returns:
        Path of the file. All keypoints are inside an image of 100 by 100 px.
    """
    rng = np.random.default_rng(0)
    rows = []
    for frame, left in ((0, 10), (0, 60), (2, 60)):
        points = np.concatenate([rng.uniform([left, 10], [left + 40, 90], (17, 2)), np.full((17, 1), 0.9)], -1)
        rows.append({'image_id': frame, 'category_id': 1, 'keypoints': points.ravel().tolist(), 'score': 0.9})
    path = folder / 'keypoints.json'
    path.write_text(json.dumps(rows))
    return path
