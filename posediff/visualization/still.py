"""Several frames of a video in one image: 2D and 3D poses."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from posediff.fileio.atomic_files import atomic_write
from posediff.fileio.pose_reader import read_results
from posediff.fileio.shown_joints import read_drawn, sample_joints, shown_of
from posediff.structures.results import FrameResult
from posediff.structures.skeletons import get_skeleton
from posediff.video import VideoSource
from posediff.visualization.overlay import draw_people
from posediff.visualization.scene import LAYOUT_POSES, SceneView
from posediff.visualization.scene_layout import SceneLayout, frustum_lines

COLUMN, MARGIN = 560, 10  # px
PAPER, INK = (255, 255, 255), (70, 70, 70)
LINE_SCALE, TEXT_SCALE, LABEL_SCALE = 1.3, 1.8, 1.4
"""Sizes relative to those of a video: the picture is reduced where it is shown."""
SUFFIXES, JPEG_QUALITY = ('.png', '.jpg'), 88


def save_still(
    folder: str | Path, path: str | Path, video: VideoSource, moments: int = 3, score_threshold: float = 0.3
) -> Path:
    """Draw frames of a video side by side: the frame with 2D poses above, the same persons in 3D below.

    Discs around the joints show the spread of the hypotheses. Unseen joints have no disc, and thin grey segments lead
    to them. Frames are evenly spaced among those with the most persons.

    Args:
        folder: Folder with ``poses.npz``.
        path: Output file, ``.png`` or ``.jpg``.
        video: The source video, read at the frame rate of the results.
        moments: Maximum number of frames; fewer are drawn if fewer contain the largest number of persons.
        score_threshold: Keypoints below this score are faint.

    Raises:
        ValueError: The results contain no persons, the video does not have their frames, or ``path`` has another
            suffix.
    """
    if Path(path).suffix not in SUFFIXES:
        raise ValueError(f'{path}: the name of a picture must end in {" or ".join(SUFFIXES)}')
    source = Path(folder) / 'poses.npz'
    chosen = _choose(source, moments)
    images = _frames(video, chosen)
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
    view = SceneView(layout, frustum, skeleton, COLUMN, LABEL_SCALE)
    columns = []
    for result, image in zip(chosen, images, strict=True):
        drawn = draw_people(image, result.people, keypoint_skeleton, score_threshold, LINE_SCALE, TEXT_SCALE)
        scene = view.draw(result.people, spread=True)
        columns.append(_stacked(f'{result.time_s:.1f} s', _fitted(drawn), scene))
    with atomic_write(Path(path)) as temporary:
        _write(temporary, np.concatenate(columns, axis=1), Path(path).suffix)
    return Path(path)


def _choose(source: Path, moments: int) -> list[FrameResult]:
    counts = [len([person for person in result.people if person.observed]) for result in read_results(source)]
    if not counts:
        raise ValueError(f'{source}: there are no persons to draw')
    busiest = np.flatnonzero(np.array(counts) == max(counts))
    places = (np.arange(moments) + 0.5) / moments * len(busiest)
    wanted = set(busiest[places.astype(int)].tolist())
    return [result for number, result in enumerate(read_drawn(source)) if number in wanted]


def _frames(video: VideoSource, chosen: Sequence[FrameResult]) -> list[np.ndarray]:
    """Return the images at the times of the results; frame numbers of live runs are not those of the video."""
    wanted = [round(result.time_s * video.fps) for result in chosen]
    images: dict[int, np.ndarray] = {}
    for frame in video:
        if frame.index in wanted:
            images[frame.index] = frame.image
        if frame.index >= max(wanted):
            break
    missing = [index for index in wanted if index not in images]
    if missing:
        raise ValueError(f'{video.name} has no frame {missing[0]} at {video.fps:g} frames a second')
    return [images[index] for index in wanted]


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

    head = np.full((40, COLUMN, 3), PAPER, np.uint8)
    cv2.putText(head, title, (2, 28), cv2.FONT_HERSHEY_SIMPLEX, 0.9, INK, 2, cv2.LINE_AA)
    line = np.full((MARGIN, COLUMN, 3), PAPER, np.uint8)
    column = np.concatenate([head, images[0], line, images[1], line])
    return np.pad(column, ((0, 0), (MARGIN, MARGIN), (0, 0)), constant_values=PAPER[0])


def _write(path: Path, image: np.ndarray, suffix: str) -> None:
    import cv2

    options = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY] if suffix == '.jpg' else []
    ok, encoded = cv2.imencode(suffix, image[..., ::-1], options)
    if not ok:
        raise OSError(f'{path}: the picture cannot be written')
    path.write_bytes(encoded.tobytes())
