"""Several frames of a video in one image: 2D and 3D poses."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from posediff.fileio.atomic_files import replacing
from posediff.fileio.pose_reader import read_results
from posediff.fileio.shown_joints import read_drawn, sample_joints, shown_of
from posediff.structures.results import FrameResult
from posediff.structures.skeletons import get_skeleton
from posediff.visualization.overlay import draw_people
from posediff.visualization.scene import BACKGROUND, LAYOUT_POSES, SceneView
from posediff.visualization.scene_layout import SceneLayout, frustum_lines

COLUMN, MARGIN = 560, 10  # px
PAPER, INK = (255, 255, 255), (70, 70, 70)


def save_still(folder: str | Path, path: str | Path, moments: int = 3, score_threshold: float = 0.3) -> Path:
    """Draw frames of a video side by side: 2D poses without the video above, the same persons in 3D below.

    Discs around the joints show the spread of the hypotheses. Unseen joints have no disc, and thin grey segments lead
    to them. Frames are evenly spaced among those with the most persons.

    Args:
        folder: Folder with ``poses.npz``.
        path: Output file.
        moments: Number of frames; fewer if the clip does not have as many.
        score_threshold: Keypoints below this score are faint.

    Raises:
        ValueError: The results contain no persons.
    """
    source = Path(folder) / 'poses.npz'
    chosen = _choose(source, moments)
    with np.load(source, allow_pickle=False) as arrays:
        keypoint_skeleton, skeleton = (get_skeleton(str(arrays[name])) for name in ('keypoint_skeleton', 'skeleton'))
        camera, img_shape = json.loads(str(arrays['camera'])), tuple(arrays['img_shape'].tolist())
    joints = [
        np.where(shown_of(person)[:, None], person.joints_3d + person.root_position, np.nan)
        for result in chosen
        for person in result.people
    ]
    frustum = frustum_lines(np.array(camera['focal']), np.array(camera['center']), img_shape)
    layout = SceneLayout.of(np.stack(joints), skeleton, sample_joints(source, LAYOUT_POSES))
    view = SceneView(layout, frustum, skeleton, COLUMN)
    empty = np.full((*img_shape, 3), BACKGROUND, np.uint8)
    columns = []
    for result in chosen:
        seen = _fitted(draw_people(empty, result.people, keypoint_skeleton, score_threshold))
        columns.append(_stacked(f'{result.time_s:.1f} s', seen, view.draw(result.people, spread=True)))
    with replacing(Path(path)) as temporary:
        _write_png(temporary, np.concatenate(columns, axis=1))
    return Path(path)


def _choose(source: Path, moments: int) -> list[FrameResult]:
    counts = [len([person for person in result.people if person.observed]) for result in read_results(source)]
    if not counts:
        raise ValueError(f'{source}: there are no persons to draw')
    busiest = np.flatnonzero(np.array(counts) == max(counts))
    places = (np.arange(moments) + 0.5) / moments * len(busiest)
    wanted = set(busiest[places.astype(int)].tolist())
    return [result for number, result in enumerate(read_drawn(source)) if number in wanted]


def _fitted(image: np.ndarray) -> np.ndarray:
    """Scale the longer side to the width of a column and pad the image."""
    import cv2

    height, width = image.shape[:2]
    scale = COLUMN / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    left = (COLUMN - size[0]) // 2
    return np.pad(small, ((0, 0), (left, COLUMN - size[0] - left), (0, 0)), constant_values=PAPER[0])


def _stacked(title: str, *images: np.ndarray) -> np.ndarray:
    import cv2

    head = np.full((32, COLUMN, 3), PAPER, np.uint8)
    cv2.putText(head, title, (2, 23), cv2.FONT_HERSHEY_SIMPLEX, 0.65, INK, 1, cv2.LINE_AA)
    line = np.full((MARGIN, COLUMN, 3), PAPER, np.uint8)
    column = np.concatenate([head, images[0], line, images[1], line])
    return np.pad(column, ((0, 0), (MARGIN, MARGIN), (0, 0)), constant_values=PAPER[0])


def _write_png(path: Path, image: np.ndarray) -> None:
    import cv2

    ok, encoded = cv2.imencode('.png', image[..., ::-1])
    if not ok:
        raise OSError(f'{path}: the picture cannot be written')
    path.write_bytes(encoded.tobytes())
