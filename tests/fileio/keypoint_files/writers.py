"""Writers of keypoint files in the formats of other programs, for the same people."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from posediff.structures.skeletons import get_skeleton

SIZE = (480, 640)  # (h, w) px


@dataclass
class People:
    """People as they should be read.

    Attributes:
        skeleton: Skeleton of the keypoints.
        frames: Picture of each pose, (N,), ascending.
        points: (N, K, 2) px, inside the picture.
        scores: (N, K) in (0, 1].
        tracks: (N,) ids.
    """

    skeleton: str
    frames: list[int]
    points: np.ndarray
    scores: np.ndarray
    tracks: list[int]

    def by_frame(self) -> dict[int, list[int]]:
        found: dict[int, list[int]] = {}
        for row, frame in enumerate(self.frames):
            found.setdefault(frame, []).append(row)
        return found

    def triples(self, row: int) -> list[float]:
        return np.concatenate([self.points[row], self.scores[row, :, None]], -1).ravel().tolist()


def draw(skeleton: str, seed: int = 0, frames: int = 5, two: bool = True) -> People:
    """Create one or two people that are in most frames, with coordinates rounded to 0.01 px."""
    rng = np.random.default_rng(seed)
    count = get_skeleton(skeleton).num_joints
    there = [
        (frame, track) for frame in range(frames) for track in ((0, 3) if two else (0,)) if (frame, track) != (2, 3)
    ]
    points = rng.uniform([20, 20], [600, 450], (len(there), count, 2)).round(2)
    scores = rng.uniform(0.35, 1, (len(there), count)).round(3)
    names = get_skeleton(skeleton).joint_names
    if 'mid_hip' in names:  # its position distinguishes BODY_25 from BODY_25B
        hips = [names.index('left_hip'), names.index('right_hip')]
        points[:, names.index('mid_hip')] = points[:, hips].mean(1).round(2)
    return People(skeleton, [frame for frame, _ in there], points, scores, [track for _, track in there])


def _json(path: Path, document: Any, bom: bool = False) -> Path:
    path.write_text(json.dumps(document), encoding='utf-8-sig' if bom else 'utf-8')
    return path


def coco(folder: Path, people: People) -> Path:
    rows = [
        {'image_id': frame, 'category_id': 1, 'keypoints': people.triples(row), 'score': 0.9, 'track_id': track}
        for row, (frame, track) in enumerate(zip(people.frames, people.tracks, strict=True))
    ]
    return _json(folder / 'results.json', rows, bom=True)


def coco_annotations(folder: Path, people: People) -> Path:
    images = [{'id': 1000 + frame, 'file_name': f'images/clip/{frame:06d}.jpg'} for frame in set(people.frames)]
    rows = []
    for row, frame in enumerate(people.frames):
        flags = np.full(people.points.shape[1], 2)
        values = np.concatenate([people.points[row], flags[:, None]], -1).ravel().tolist()
        rows.append({'id': row, 'image_id': 1000 + frame, 'keypoints': values, 'track_id': people.tracks[row]})
    categories = [{'id': 1, 'keypoints': list(get_skeleton(people.skeleton).joint_names)}]
    return _json(folder / 'annotations.json', {'images': images, 'annotations': rows, 'categories': categories})


def alphapose(folder: Path, people: People) -> Path:
    rows = [
        {
            'image_id': f'{frame}.jpg', 'category_id': 1, 'keypoints': people.triples(row), 'score': 2.9,
            'box': [1, 2, 3, 4], 'idx': [float(people.tracks[row])],
        }
        for row, frame in enumerate(people.frames)
    ]  # fmt: skip
    return _json(folder / 'alphapose-results.json', rows)


def alphapose_tracked(folder: Path, people: People) -> Path:
    images = {
        f'{frame}.jpg': [{'keypoints': people.triples(row), 'scores': 2.0, 'idx': people.tracks[row]} for row in rows]
        for frame, rows in people.by_frame().items()
    }
    return _json(folder / 'alphapose-results-forvis-tracked.json', images)


def mmpose(folder: Path, people: People) -> Path:
    return _json(folder / 'clip.json', _mmpose_frames(people, 0))


def mmpose_demo(folder: Path, people: People) -> Path:
    names = {str(number): name for number, name in enumerate(get_skeleton(people.skeleton).joint_names)}
    info = {'dataset_name': people.skeleton, 'num_keypoints': len(names), 'keypoint_id2name': names}
    return _json(folder / 'results_clip.json', {'meta_info': info, 'instance_info': _mmpose_frames(people, 1)})


def _mmpose_frames(people: People, first: int) -> list[dict[str, Any]]:
    found = []
    for frame, rows in people.by_frame().items():
        instances = [
            {
                'keypoints': people.points[row].tolist(), 'keypoint_scores': people.scores[row].tolist(),
                'bbox': [[0, 0, 1, 1]], 'bbox_score': 0.9, 'track_id': people.tracks[row],
            }
            for row in rows
        ]  # fmt: skip
        found.append({'frame_id': frame + first, 'instances': instances})
    return found


def mmpose_images(folder: Path, people: People) -> Path:
    (folder / 'predictions').mkdir()
    for one in _mmpose_frames(people, 0):
        _json(folder / 'predictions' / f'img_{one["frame_id"]:04d}.json', one['instances'])
    return folder / 'predictions'


def openpose(folder: Path, people: People) -> Path:
    path = folder / 'clip_json'
    path.mkdir()
    (path / '._clip_000000000000_keypoints.json').write_bytes(b'\0\1')
    for frame in range(max(people.frames) + 1):
        rows = people.by_frame().get(frame, [])
        held = [
            {'person_id': [people.tracks[row]], 'pose_keypoints_2d': people.triples(row), 'face_keypoints_2d': []}
            for row in rows
        ]
        _json(path / f'clip_{frame:012d}_keypoints.json', {'version': 1.3, 'people': held})
    return path


def yolo_results(folder: Path, people: People) -> Path:
    frames: list[list[dict[str, Any]]] = [[] for _ in range(max(people.frames) + 1)]
    for row, frame in enumerate(people.frames):
        x, y = people.points[row].T.tolist()
        keypoints = {'x': x, 'y': y, 'visible': people.scores[row].tolist()}
        one = {'name': 'person', 'class': 0, 'confidence': 0.9, 'box': {}, 'keypoints': keypoints}
        frames[frame].append(one | {'track_id': people.tracks[row]})
    return _json(folder / 'yolo.json', frames)


def yolo_labels(folder: Path, people: People) -> Path:
    path = folder / 'predict' / 'labels'
    path.mkdir(parents=True)
    for frame, rows in people.by_frame().items():
        lines = []
        for row in rows:
            places = people.points[row] / [SIZE[1], SIZE[0]]
            values = np.concatenate([places, people.scores[row, :, None]], -1).ravel()
            words = [0, 0.5, 0.5, 0.2, 0.4, *values, people.tracks[row]]
            lines.append(' '.join(f'{value:g}' if float(value).is_integer() else f'{value:.8f}' for value in words))
        (path / f'clip_{frame + 1}.txt').write_text('\n'.join(lines) + '\n')
    return path.parent


def rtmlib(folder: Path, people: People) -> Path:
    frames = [
        {
            'frame_id': frame, 'keypoints': people.points[rows].tolist(), 'scores': people.scores[rows].tolist(),
            'track_ids': [people.tracks[row] for row in rows],
        }
        for frame, rows in people.by_frame().items()
    ]  # fmt: skip
    return _json(folder / 'rtmlib.json', frames)


def mediapipe(folder: Path, people: People) -> Path:
    frames: list[Any] = [{'timestamp_ms': 40 * number, 'landmarks': []} for number in range(max(people.frames) + 1)]
    for row, frame in enumerate(people.frames):
        marks = [
            {'x': x / SIZE[1], 'y': y / SIZE[0], 'z': 0.0, 'visibility': score, 'presence': 1.0}
            for (x, y), score in zip(people.points[row], people.scores[row], strict=True)
        ]
        frames[frame]['landmarks'].append(marks)
    return _json(folder / 'landmarks.json', {'fps': 25, 'frames': frames})


def mediapipe_js(folder: Path, people: People) -> Path:
    frames: list[Any] = [{'poseLandmarks': [], 'poseWorldLandmarks': []} for _ in range(max(people.frames) + 1)]
    for row, frame in enumerate(people.frames):
        marks = [
            {'x': x / SIZE[1], 'y': y / SIZE[0], 'z': 0.0, 'visibility': score}
            for (x, y), score in zip(people.points[row], people.scores[row], strict=True)
        ]
        frames[frame] = {'poseLandmarks': marks, 'poseWorldLandmarks': [{'x': 0.1, 'y': 0.2, 'z': 0} for _ in marks]}
    return _json(folder / 'holistic.json', frames)


def deeplabcut_columns(people: People) -> list[tuple[str, str, str, str]]:
    tracks = sorted(set(people.tracks))
    parts = get_skeleton(people.skeleton).joint_names
    return [
        ('DLC', f'individual{track}', part, coord)
        for track in tracks
        for part in parts
        for coord in ('x', 'y', 'likelihood')
    ]


def deeplabcut_values(people: People) -> np.ndarray:
    tracks = sorted(set(people.tracks))
    values = np.full((max(people.frames) + 1, len(tracks), people.points.shape[1], 3), np.nan)
    for row, (frame, track) in enumerate(zip(people.frames, people.tracks, strict=True)):
        values[frame, tracks.index(track)] = np.array(people.triples(row)).reshape(-1, 3)
    return values.reshape(len(values), -1)


def deeplabcut(folder: Path, people: People) -> Path:
    path = folder / 'clipDLC.csv'
    columns = deeplabcut_columns(people)
    several = len(set(people.tracks)) > 1
    with path.open('w', newline='', encoding='utf-8-sig') as file:
        writer = csv.writer(file)
        for level, name in enumerate(('scorer', 'individuals', 'bodyparts', 'coords')):
            if several or name != 'individuals':
                writer.writerow([name, *(column[level] for column in columns)])
        for frame, row in enumerate(deeplabcut_values(people)):
            writer.writerow([frame, *('' if np.isnan(value) else value for value in row)])
    return path


def posediff_npz(folder: Path, people: People) -> Path:
    np.savez(
        folder / 'poses.npz', frame_index=people.frames, keypoints_2d=people.points, keypoint_scores=people.scores,
        track_id=people.tracks, keypoint_skeleton=people.skeleton, joints_3d=np.zeros((len(people.frames), 17, 3)),
    )  # fmt: skip
    return folder / 'poses.npz'


def posediff_json(folder: Path, people: People) -> Path:
    rows = [
        {
            'frame_index': frame, 'track_id': people.tracks[row], 'keypoints_2d': people.points[row].tolist(),
            'keypoint_scores': people.scores[row].tolist(),
        }
        for row, frame in enumerate(people.frames)
    ]  # fmt: skip
    return _json(folder / 'poses.json', {'keypoint_skeleton': people.skeleton, 'rows': rows})


Writer = Callable[[Path, People], Path]

# writer, name of the format, skeletons to write, whether the skeleton must be stated, whether ids are kept
WRITERS: list[tuple[Writer, str, tuple[str, ...], bool, bool]] = [
    (coco, 'coco', ('coco17', 'h36m17'), True, True),
    (coco_annotations, 'coco', ('coco17', 'posetrack15'), False, True),
    (alphapose, 'alphapose', ('coco17', 'halpe26'), False, True),
    (alphapose_tracked, 'alphapose', ('coco17', 'openpose18'), False, True),
    (mmpose, 'mmpose', ('coco17', 'h36m17'), True, True),
    (mmpose_demo, 'mmpose', ('coco17', 'halpe26'), False, True),
    (mmpose_images, 'mmpose', ('halpe26',), False, True),
    (openpose, 'openpose', ('body25', 'openpose18', 'mpi15', 'halpe26', 'coco17'), False, True),
    (yolo_results, 'yolo', ('coco17',), False, True),
    (yolo_labels, 'yolo', ('coco17',), False, True),
    (rtmlib, 'rtmlib', ('coco17', 'halpe26'), False, True),
    (mediapipe, 'mediapipe', ('mediapipe33',), False, False),
    (mediapipe_js, 'mediapipe', ('mediapipe33',), False, False),
    (deeplabcut, 'deeplabcut', ('coco17', 'halpe26'), False, True),
    (posediff_npz, 'posediff', ('coco17', 'mediapipe33'), False, True),
    (posediff_json, 'posediff', ('coco17',), False, True),
]
