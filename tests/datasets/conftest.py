"""Annotated videos on disk."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from posediff.structures.posetrack_joints import POSETRACK18_KEYPOINTS

WIDTH, HEIGHT, FRAMES = 64, 48, 3


@pytest.fixture
def grey_videos(tmp_path: Path) -> Callable[..., dict[str, str]]:
    """Return a function that writes videos of one grey each, with one person per frame, in PoseTrack's format.

    It takes the greys and the number of frames per video, and returns the ``source`` of a ``PoseTrackClipDataset``.
    """
    cv2 = pytest.importorskip('cv2')

    def write(greys: Sequence[int], frames: int = FRAMES) -> dict[str, str]:
        root = tmp_path / f'grey_{"_".join(map(str, greys))}_{frames}'
        joints = np.random.default_rng(0).uniform([20, 8], [40, 40], (len(POSETRACK18_KEYPOINTS), 2))
        keypoints = np.column_stack([joints, np.ones(len(joints))]).ravel().tolist()
        images, annotations = [], []
        for video, grey in enumerate(greys):
            (root / str(video)).mkdir(parents=True)
            for frame in range(frames):
                file, number = f'{video}/{frame:06d}.png', 1000 * video + frame
                cv2.imwrite(str(root / file), np.full((HEIGHT, WIDTH, 3), grey, np.uint8))
                images.append({
                    'id': number, 'file_name': file, 'width': WIDTH, 'height': HEIGHT, 'nframes': frames,
                    'frame_id': number, 'is_labeled': True,
                })  # fmt: skip
                annotations.append({
                    'id': number, 'image_id': number, 'category_id': 1, 'bbox': [18, 6, 24, 36], 'iscrowd': 0,
                    'num_keypoints': len(joints), 'keypoints': keypoints, 'track_id': 0,
                })  # fmt: skip
        document = {'images': images, 'annotations': annotations, 'categories': [{'id': 1, 'name': 'person'}]}
        (root / 'train.json').write_text(json.dumps(document))
        return {'ann_file': 'train.json', 'data_root': str(root)}

    return write
