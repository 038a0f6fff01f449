"""Interactive viewer of the persons of a ``poses.npz``: one HTML file that needs only a browser."""

from __future__ import annotations

import base64
import json
import math
from pathlib import Path
from typing import Any

import numpy as np

from posediff.fileio.atomic_files import atomic_write
from posediff.fileio.pose_reader import count_rows, read_rows
from posediff.fileio.shown_joints import shown_joints
from posediff.structures.skeletons import Skeleton, get_skeleton
from posediff.visualization.drawing import SIDE_COLORS, joint_colors
from posediff.visualization.scene_layout import PERSON_COLORS, SceneLayout, frustum_lines

TEMPLATE = Path(__file__).with_name('viewer_template.html')
PLACE = '__DATA__'  # placeholder of the data in the template
COLUMNS = (
    *('frame_index', 'track_id', 'observed', 'joints_3d', 'joints_3d_std', 'joints_3d_radius_90', 'root_position'),
    'root_observed',
)
MAX_ROWS = 60_000  # an hour of one person at 17 frames a second; 12 MB


def write_viewer(folder: str | Path) -> Path:
    """Write ``viewer.html`` beside ``poses.npz``; it opens from disk without loading other files.

    The view can be set in the address, ``viewer.html#frame=40&azimuth=30``: ``frame`` from 0; ``azimuth`` and
    ``elevation`` in degrees, as in :func:`posediff.visualization.drawing.view_from`; ``distance`` in mm; ``person``, a
    track id; ``follow``, ``spread``, ``radius``, ``unseen``, ``loop`` and ``play``, 0 or 1; ``speed``, 1 for real time.

    Above :data:`MAX_ROWS` poses, only every second, third, … frame is shown; the page states this.

    Args:
        folder: Folder of the results; without persons, the page states this.

    Returns:
        Path of the file.
    """
    text = json.dumps(viewer_data(folder), allow_nan=False).replace('<', '\\u003c')  # cannot end the script element
    path = Path(folder) / 'viewer.html'
    with atomic_write(path) as draft:
        draft.write_text(TEMPLATE.read_text(encoding='utf-8').replace(PLACE, text), encoding='utf-8')
    return path


def viewer_data(folder: str | Path) -> dict[str, Any]:
    """Return the data of the page: metadata, and packed arrays with one row per person and frame, sorted by frame.

    ``frame_index`` and ``track_id`` (N,), ``observed`` (N,) 0 or 1, ``joints_3d`` (N, J, 3) mm relative to the root,
    ``joints_3d_std`` and ``joints_3d_radius_90`` (N, J) mm, ``root_position`` (N, 3) mm; in scene axes, see
    :class:`SceneLayout`.
    ``joint_shown`` (N, J) 0 if the lifter did not see the joint (:mod:`posediff.fileio.shown_joints`) or it is unknown,
    ``root_observed`` (N,) 0 or 1.
    """
    source = Path(folder) / 'poses.npz'
    every = max(1, math.ceil(count_rows(source) / MAX_ROWS))
    with np.load(source, allow_pickle=False) as arrays:
        skeleton, fps = get_skeleton(str(arrays['skeleton'])), float(arrays['fps'])
        video, camera = str(arrays['video']), json.loads(str(arrays['camera']))
        height, width = arrays['img_shape'].tolist()
    parts, chosen = [], []
    for part in read_rows(source, COLUMNS):
        chosen.append(part['frame_index'] % every == 0)
        parts.append({name: values[chosen[-1]] for name, values in part.items()})
    rows = {name: np.concatenate([part[name] for part in parts]) for name in COLUMNS} if parts else _no_rows(skeleton)
    shown = np.isfinite(rows['joints_3d']).all(-1)
    if parts:
        shown &= shown_joints(source)[np.concatenate(chosen)]
    placed = np.where(shown[..., None], rows['joints_3d'] + rows['root_position'][:, None], np.nan)
    layout = SceneLayout.of(placed, skeleton)
    joints, roots = (rows[name] @ layout.level.T.astype(np.float32) for name in ('joints_3d', 'root_position'))
    columns: dict[str, np.ndarray] = {
        'frame_index': (rows['frame_index'] // every).astype(np.int32),
        'track_id': rows['track_id'].astype(np.int32),
        'observed': rows['observed'].astype(np.uint8),
        'joints_3d': _compact(joints),
        'joints_3d_std': _compact(rows['joints_3d_std']),
        'joints_3d_radius_90': _compact(rows['joints_3d_radius_90']),
        'root_position': roots,
        'joint_shown': shown.astype(np.uint8),
        'root_observed': rows['root_observed'].astype(np.uint8),
    }
    frustum = frustum_lines(np.array(camera['focal']), np.array(camera['center']), (height, width)) @ layout.level.T
    return {
        'video': Path(video).name,
        'fps': fps / every,
        'every': every,
        'parents': list(skeleton.parents),
        'head': skeleton.joint_names.index('head') if 'head' in skeleton.joint_names else skeleton.root,
        'joint_colors': joint_colors(skeleton),
        'side_colors': SIDE_COLORS,
        'person_colors': list(PERSON_COLORS),
        'camera_source': camera['source'],
        'level': layout.level.tolist(),
        'up_source': layout.up_source,
        'frustum': frustum.round(1).tolist(),
        'extremes': layout.extremes.round(1).tolist(),
        'floor': round(layout.floor, 1),
        'grid': list(layout.grid),
        'spacing': layout.spacing,
        'columns': {name: _packed(values) for name, values in columns.items()},
    }


def _no_rows(skeleton: Skeleton) -> dict[str, np.ndarray]:
    joints = skeleton.num_joints
    shapes = {
        'joints_3d': (joints, 3),
        'joints_3d_std': (joints,),
        'joints_3d_radius_90': (joints,),
        'root_position': (3,),
    }
    return {name: np.zeros((0, *shapes.get(name, ())), np.float32) for name in COLUMNS}


def _compact(values: np.ndarray) -> np.ndarray:
    """Round to whole millimetres if they fit into 16 bits, as for persons; else return the values unchanged."""
    fits = np.isfinite(values).all() and np.abs(values).max(initial=0) < np.iinfo(np.int16).max
    return np.round(values).astype(np.int16) if fits else values


def _packed(values: np.ndarray) -> dict[str, Any]:
    """Return dtype, shape and the little-endian bytes as base64."""
    little = np.ascontiguousarray(values, values.dtype.newbyteorder('<'))
    return {
        'dtype': values.dtype.name, 'shape': list(values.shape), 'base64': base64.b64encode(little.tobytes()).decode(),
    }  # fmt: skip
