"""Validation of motion capture files; error messages name the file and the key."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from posediff.datasets.camera_sampling import CAMERA_PRESETS
from posediff.structures.skeletons import CMU17, H36M17

FORMAT_VERSION = 1
# Earlier converters wrote h36m17, whose joints have the same names and order.
READABLE_SKELETONS = (CMU17.name, H36M17.name)

# m; excludes values in millimetres, centimetres or feet.
BODY_SIZE = (0.5, 4.0)
CAMERA_DEPTH = (0.3, 1000.0)

# Numpy dtype kind and shape of every key; C clips, N cameras per clip, F frames of all clips.
_LAYOUT: dict[str, tuple[str, tuple[int | str, ...]]] = {
    'skeleton': ('text', ()),
    'fps': ('numbers', ()),
    'seed': ('whole numbers', ()),
    'camera_preset': ('text', ()),
    'subject': ('text', ()),
    'clip_names': ('text', ('C',)),
    'actions': ('text', ('C',)),
    'descriptions': ('text', ('C',)),
    'frame_counts': ('whole numbers', ('C',)),
    'joints_3d': ('numbers', ('F', CMU17.num_joints, 3)),
    'camera_focal': ('numbers', ('C', 'N', 2)),
    'camera_center': ('numbers', ('C', 'N', 2)),
    'camera_R': ('numbers', ('C', 'N', 3, 3)),
    'camera_t': ('numbers', ('C', 'N', 3)),
    'camera_img_shape': ('whole numbers', ('C', 'N', 2)),
}
_DTYPE_KINDS = {'text': 'U', 'whole numbers': 'iu', 'numbers': 'fiu'}


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """Read all arrays of an ``.npz`` file without unpickling.

    Raises:
        FileNotFoundError: The file does not exist.
        ValueError: The file is truncated, not an ``.npz``, or holds objects other than plain arrays.
    """
    if not path.is_file():
        raise FileNotFoundError(f'{path}: no such motion capture file; posediff convert cmu creates it')
    reading = 'the archive'
    try:
        loaded = np.load(path, allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            raise ValueError('a single array, expected an .npz archive')
        data: dict[str, np.ndarray] = {}
        with loaded:
            for name in loaded.files:
                reading = name
                data[name] = loaded[name]
                if not isinstance(data[name], np.ndarray):
                    raise ValueError('not an array')
    except (ValueError, EOFError, OSError, NotImplementedError, zipfile.BadZipFile, zlib.error) as error:
        raise ValueError(f'{path}: not a complete motion capture file ({reading}: {error})') from error
    return data


def check_arrays(path: Path, data: Mapping[str, np.ndarray]) -> None:
    """Validate the content of a file after reading or before writing.

    Raises:
        ValueError: A key is missing, or its type, shape or range contradicts docs/data_formats.md.
    """
    version = data.get('format_version')
    if version is None or not np.array_equal(version, FORMAT_VERSION):
        raise ValueError(f'{path}: format_version is {version}, expected {FORMAT_VERSION}; keys: {sorted(data)}')
    missing = [name for name in _LAYOUT if name not in data]
    if missing:
        raise ValueError(f'{path}: {", ".join(missing)} missing; keys: {sorted(data)}')
    _check_layout(path, data)
    for name, known in (('skeleton', READABLE_SKELETONS), ('camera_preset', tuple(CAMERA_PRESETS))):
        if str(data[name]) not in known:
            raise ValueError(f'{path}: {name} is {str(data[name])!r}, expected {" or ".join(map(repr, known))}')
    if not (np.isfinite(data['fps']) and data['fps'] > 0):
        raise ValueError(f'{path}: fps must be positive and finite, got {data["fps"]}')
    counts, total = data['frame_counts'], len(data['joints_3d'])
    if len(counts) == 0 or counts.min() < 1 or counts.sum() != total:
        raise ValueError(f'{path}: frame_counts {counts.tolist()} do not divide the {total} frames of joints_3d')
    names, occurrences = np.unique(data['clip_names'], return_counts=True)
    if (occurrences > 1).any():
        raise ValueError(f'{path}: clip_names has {str(names[occurrences > 1][0])!r} more than once')
    _check_joints(path, data)
    _check_cameras(path, data)


def _check_layout(path: Path, data: Mapping[str, np.ndarray]) -> None:
    sizes: dict[str, int] = {}
    for name, (kind, axes) in _LAYOUT.items():
        shape, dtype = data[name].shape, data[name].dtype
        # the first array with an axis defines its length
        if len(shape) == len(axes):
            for axis, size in zip(axes, shape, strict=True):
                if isinstance(axis, str):
                    sizes.setdefault(axis, size)
        expected = tuple(sizes.get(axis, axis) if isinstance(axis, str) else axis for axis in axes)
        if shape != expected or dtype.kind not in _DTYPE_KINDS[kind]:
            wanted = ', '.join(map(str, expected)) + ',' * (len(expected) == 1)
            raise ValueError(f'{path}: {name} must be {kind} of shape ({wanted}), got {dtype} of shape {shape}')


def _check_joints(path: Path, data: Mapping[str, np.ndarray]) -> None:
    clips = zip(
        data['clip_names'], np.split(data['joints_3d'], np.cumsum(data['frame_counts'])[:-1]), strict=True
    )  # fmt: skip
    for clip, joints in clips:
        damaged = ~np.isfinite(joints).all(-1)
        if damaged.any():
            frame, joint = np.argwhere(damaged)[0]
            raise ValueError(
                f'{path}: joints_3d of clip {str(clip)!r} holds NaN or infinite numbers: frame {frame}, '
                f'{CMU17.joint_names[joint]} is {joints[frame, joint].tolist()}'
            )
        size = float(np.median(np.linalg.norm(np.ptp(joints, axis=1), axis=-1)))
        if not BODY_SIZE[0] <= size <= BODY_SIZE[1]:
            raise ValueError(
                f'{path}: joints_3d of clip {str(clip)!r} is a person {size:.4g} m across, expected '
                f'{BODY_SIZE[0]:g} to {BODY_SIZE[1]:g}: joints must be in metres'
            )


def _check_cameras(path: Path, data: Mapping[str, np.ndarray]) -> None:
    for name in ('camera_focal', 'camera_center', 'camera_R', 'camera_t'):
        _refuse(path, data, name, ~np.isfinite(data[name]), 'must be finite')
    for name in ('camera_focal', 'camera_img_shape'):
        _refuse(path, data, name, data[name] <= 0, 'must be positive')
    rotation = data['camera_R'].astype(float)
    error = np.abs(rotation @ rotation.swapaxes(-1, -2) - np.eye(3)).max((-1, -2))
    _refuse(path, data, 'camera_R', (error > 1e-3) | (np.linalg.det(rotation) < 0), 'must be a rotation')
    roots = np.split(data['joints_3d'][:, CMU17.root], np.cumsum(data['frame_counts'])[:-1])
    forward, distance = data['camera_R'][..., 2, :], data['camera_t'][..., 2]
    depth = np.stack([np.median(root @ axes.T, 0) + z for root, axes, z in zip(roots, forward, distance, strict=True)])
    implausible = ~((depth >= CAMERA_DEPTH[0]) & (depth <= CAMERA_DEPTH[1]))
    limits = f'{CAMERA_DEPTH[0]:g} to {CAMERA_DEPTH[1]:g} m'
    _refuse(path, data, 'camera_t', implausible, f'must have the person {limits} in front, in metres', depth)


def _refuse(
    path: Path,
    data: Mapping[str, np.ndarray],
    name: str,
    wrong: np.ndarray,
    demand: str,
    depth: np.ndarray | None = None,
) -> None:
    """Raise for the first camera where ``wrong``, (C, N, …) bool, is true."""
    found = np.argwhere(wrong)
    if len(found):
        clip, camera = found[0][:2]
        seen = '' if depth is None else f', which puts the person at {depth[clip, camera]:.4g} m'
        raise ValueError(
            f'{path}: {name} of clip {str(data["clip_names"][clip])!r}, camera {camera}, {demand}, '
            f'got {data[name][clip, camera].tolist()}{seen}'
        )
