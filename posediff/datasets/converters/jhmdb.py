"""Converter from JHMDB's official layout to COCO-style files that MMPose's ``JhmdbDataset`` reads."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from posediff.datasets.converters.jhmdb_frames import frame_files, write_frames
from posediff.fileio.atomic_files import atomic_write_files
from posediff.fileio.images import read_image

JOINTS = (
    'neck', 'belly', 'head', 'right_shoulder', 'left_shoulder', 'right_hip', 'left_hip', 'right_elbow', 'left_elbow',
    'right_knee', 'left_knee', 'right_wrist', 'left_wrist', 'right_ankle', 'left_ankle',
)  # fmt: skip
"""MMPose's names of JHMDB's joints, in JHMDB's order. JHMDB calls the third one "face"."""

PARTS = {1: 'train', 2: 'test'}
"""Numbers in JHMDB's files of splits."""


@dataclass(frozen=True)
class AnnotatedClip:
    """A clip with its joints.

    Attributes:
        action: Folder of the clip.
        name: Name of the clip.
        part: ``'train'`` or ``'test'``.
        joints: (T, 15, 2) px, 1-based as in JHMDB; joints outside the image included.
    """

    action: str
    name: str
    part: str
    joints: np.ndarray


def convert_jhmdb(root: str | Path, split: int = 1, videos: str | Path | None = None) -> dict[str, int]:
    """Write ``annotations/split{split}_train.json`` and ``split{split}_test.json`` of one of JHMDB's three splits.

    Coordinates are 1-based as in JHMDB; ``JhmdbDataset`` subtracts 1. All 15 joints have visibility 2, those outside
    the image too. JHMDB has no boxes of persons: boxes enclose the joints inside the image without a margin, with sides
    of at least 1 px. Frames with fewer than two joints inside the image have no person. MMPose's own files have other
    clips (sub-JHMDB) and boxes of the puppet masks.

    Args:
        root: Folder with ``splits``, ``joint_positions`` and ``Rename_Images``. ``annotations`` is written into it.
        split: 1, 2 or 3.
        videos: JHMDB's ``ReCompress_Videos``; frames of clips that ``Rename_Images`` lacks are written to it.

    Returns:
        Numbers of ``train clips``, ``train frames``, ``test clips``, ``test frames`` and ``frames without a person``.

    Raises:
        FileNotFoundError: A file or folder is missing.
        ValueError: A file is not as expected, or a part has no clips; the message names it.
    """
    root = Path(root)
    clips = [
        AnnotatedClip(action, name, part, read_joints(root / 'joint_positions' / action / name / 'joint_positions.mat'))
        for action, names in read_split(root / 'splits', split).items()
        for name, part in names.items()
    ]
    documents = {part: _document() for part in PARTS.values()}
    counts = {f'{part} {what}': 0 for part in PARTS.values() for what in ('clips', 'frames')}
    for number, clip in enumerate(clips, start=1):
        folder = root / 'Rename_Images' / clip.action / clip.name
        if videos is not None and not folder.is_dir():
            write_frames(Path(videos) / clip.action / f'{clip.name}.avi', folder)
        _add(documents[clip.part], clip, number, frame_files(folder), root)
        counts[f'{clip.part} clips'] += 1
    for part, document in documents.items():
        counts[f'{part} frames'] = len(document['images'])
        if not document['images']:
            raise ValueError(f'{root / "splits"}: split {split} has no {part} clips')
    with atomic_write_files(root / 'annotations') as drafts:
        for part, document in documents.items():
            (drafts / f'split{split}_{part}.json').write_text(json.dumps(document))
    people = sum(len(document['annotations']) for document in documents.values())
    return {**counts, 'frames without a person': counts['train frames'] + counts['test frames'] - people}


def read_split(folder: Path, split: int) -> dict[str, dict[str, str]]:
    """Read ``{action}_test_split{split}.txt`` of all actions.

    Returns:
        ``'train'`` or ``'test'`` by action and clip; clips that the split does not use are left out.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: A line is not the name of a video and 0, 1 or 2.
    """
    ending = f'_test_split{split}.txt'
    files = sorted(file for file in folder.glob(f'*{ending}') if not file.name.startswith('.'))
    if not files:
        raise FileNotFoundError(f'{folder}: no such folder, or no files *{ending} in it')
    parts: dict[str, dict[str, str]] = {}
    for file in files:
        action = file.name.removesuffix(ending)
        for number, line in enumerate(_text(file).splitlines(), start=1):
            if not line.strip():
                continue
            name, part = line.rsplit(None, 1) if len(line.split()) > 1 else (line, '')
            if not name.endswith('.avi') or part not in ('0', '1', '2'):
                raise ValueError(
                    f'{file}, line {number}: expected the name of a video and 0, 1 or 2, got {line.strip()!r}'
                )
            if part != '0':
                parts.setdefault(action, {})[name.removesuffix('.avi')] = PARTS[int(part)]
    return parts


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding='utf-8')
    except UnicodeDecodeError as error:
        raise ValueError(f'{file} is not a text file: {error}') from error


def read_joints(file: Path) -> np.ndarray:
    """Read ``pos_img`` of ``joint_positions.mat``.

    Returns:
        (T, 15, 2) px, 1-based.

    Raises:
        FileNotFoundError: The file does not exist.
        ValueError: It is not a MATLAB file with finite ``pos_img`` (2, 15, T).
    """
    from scipy.io import loadmat

    if not file.is_file():
        raise FileNotFoundError(f'annotation file {file} does not exist')
    try:
        content: Mapping[str, Any] = loadmat(file)
    except Exception as error:  # scipy raises what it meets in a broken file: ValueError, TypeError, zlib.error, …
        raise ValueError(f'{file} is not a readable MATLAB file: {type(error).__name__}: {error}') from error
    joints = np.asarray(content.get('pos_img', ()))
    if joints.ndim == 2:  # MATLAB drops the last axis of a clip of one frame
        joints = joints[..., None]
    if joints.shape[:2] != (2, len(JOINTS)) or joints.ndim != 3 or not joints.shape[2]:
        raise ValueError(f'{file}: pos_img has shape {joints.shape}, expected (2, {len(JOINTS)}, frames)')
    joints = joints.astype(np.float64).transpose(2, 1, 0)
    if not np.isfinite(joints).all():
        frame, joint = np.argwhere(~np.isfinite(joints))[0, :2].tolist()
        raise ValueError(f'{file}: {JOINTS[joint]} of frame {frame + 1} is not finite')
    return joints


def _document() -> dict[str, list[dict[str, Any]]]:
    category = {'id': 1, 'name': 'person', 'supercategory': 'person', 'keypoints': list(JOINTS)}
    return {'images': [], 'annotations': [], 'categories': [category]}


def _add(
    document: dict[str, list[dict[str, Any]]], clip: AnnotatedClip, number: int, frames: Sequence[Path], root: Path
) -> None:
    if len(clip.joints) > len(frames):
        raise ValueError(
            f'{frames[0].parent} has {len(frames)} frames, but joints of {len(clip.joints)} frames are annotated'
        )
    height, width = read_image(str(frames[0])).shape[:2]
    for index, joints in enumerate(clip.joints):
        image_id = number * 10000 + index + 1
        document['images'].append({
            'id': image_id, 'frame_id': image_id, 'file_name': frames[index].relative_to(root).as_posix(),
            'width': width, 'height': height, 'nframes': len(frames), 'vid_id': f'{number:05d}', 'is_labeled': True,
        })  # fmt: skip
        inside = joints[((joints >= 1) & (joints <= (width, height))).all(-1)]
        if len(inside) < 2:
            continue
        low, high = inside.min(0), inside.max(0)
        document['annotations'].append({
            'id': image_id, 'image_id': image_id, 'category_id': 1, 'track_id': 0, 'iscrowd': 0,
            'bbox': [*low.tolist(), *np.maximum(high - low, 1).tolist()],
            'keypoints': np.concatenate([joints, np.full((len(joints), 1), 2)], axis=1).ravel().tolist(),
            'num_keypoints': len(JOINTS),
        })  # fmt: skip
