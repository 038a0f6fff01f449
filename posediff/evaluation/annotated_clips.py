"""Clips with one or more annotated people per frame, and the people that a pipeline found in them.

Joints are those of :data:`COUNTED_JOINTS`, which all 2D pose estimators of the pipeline have.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from scipy.optimize import linear_sum_assignment

from posediff.datasets.posetrack_source import open_source
from posediff.geometry.similarity import box_iou
from posediff.structures.frame_poses import FramePoses
from posediff.structures.skeletons import Skeleton

COUNTED_JOINTS = (
    'nose', 'left_shoulder', 'right_shoulder', 'left_elbow', 'right_elbow', 'left_wrist', 'right_wrist', 'left_hip',
    'right_hip', 'left_knee', 'right_knee', 'left_ankle', 'right_ankle',
)  # fmt: skip
ANNOTATED_NAMES = {'nose': 'head'}
"""Names in JHMDB of joints with another name there; its ``head`` is the centre of the face."""

DATASET_META = {'keypoint_id2name': dict(enumerate(COUNTED_JOINTS))}
"""What ``KeypointPCK`` has to know about the samples of :func:`samples_of_frame`."""


@dataclass(frozen=True)
class AnnotatedClip:
    """A clip and its annotated people.

    Attributes:
        name: Folder of the frames, relative to the root of the images.
        folder: Folder of the frames.
        people: Records of MMPose's ``JhmdbDataset``, in order of the frames.
    """

    name: str
    folder: Path
    people: tuple[dict[str, Any], ...]


def read_jhmdb_clips(annotations: str | Path, images: str | Path, number: int | None = None) -> list[AnnotatedClip]:
    """Read the annotated clips of JHMDB.

    Args:
        annotations: File of ``posediff convert jhmdb``.
        images: Folder that the paths in the file are relative to.
        number: Number of clips, evenly spaced among those of the file in order of their names; None: all.

    Raises:
        FileNotFoundError, ValueError: The file or the folder of a clip does not exist, or the file is not of this form.
    """
    source = open_source(
        'JhmdbDataset', ann_file=str(annotations), data_root='', data_prefix={'img': ''}, test_mode=True
    )
    names = list(source.metainfo['keypoint_id2name'].values())
    columns = [names.index(ANNOTATED_NAMES.get(joint, joint)) for joint in COUNTED_JOINTS]
    people: dict[str, list[dict[str, Any]]] = {}
    for index in range(len(source)):
        person = source.get_data_info(index)
        person['keypoints'] = person['keypoints'][:, columns]
        person['keypoints_visible'] = person['keypoints_visible'][:, columns]
        people.setdefault(str(PurePosixPath(person['frame_path']).parent), []).append(person)
    chosen = sorted(people)
    if number is not None and number < len(chosen):
        chosen = [chosen[place] for place in np.linspace(0, len(chosen) - 1, number).round().astype(int)]
    clips = [
        AnnotatedClip(name, Path(images) / name, tuple(sorted(people[name], key=lambda one: one['frame_path'])))
        for name in chosen
    ]
    for clip in clips:
        if not clip.folder.is_dir():
            raise FileNotFoundError(f'folder {clip.folder} of a clip in {annotations} does not exist')
    return clips


def counted_columns(skeleton: Skeleton) -> list[int]:
    """Return the index of each of :data:`COUNTED_JOINTS` in a skeleton.

    Raises:
        ValueError: The skeleton lacks one.
    """
    for joint in COUNTED_JOINTS:
        if joint not in skeleton.joint_names:
            raise ValueError(f'skeleton {skeleton.name} has no {joint}, which is counted')
    return [skeleton.joint_names.index(joint) for joint in COUNTED_JOINTS]


def samples_of_frame(
    people: Sequence[dict[str, Any]],
    found: FramePoses,
    skeleton: Skeleton,
    img_shape: tuple[int, int],
    min_iou: float | None,
) -> list[dict[str, Any]]:
    """Return the samples of ``KeypointPCK`` of the annotated people in one frame.

    Each annotated person is matched to a found one so that the sum of the IoUs is largest; boxes of the found people
    enclose their tested joints inside the picture, as boxes of annotations do. A person without a match was not found:
    its ``pred_instances`` is None.

    Args:
        people: Records of the annotated people in the frame.
        found: The people that were found in it.
        skeleton: Skeleton of the found people.
        img_shape: (h, w) px of the frame.
        min_iou: Least IoU of a match; None: the found people are the annotated ones, in the same order.
    """
    columns = counted_columns(skeleton)
    keypoints, scores = found.keypoints_2d[:, columns], found.keypoint_scores[:, columns]
    if min_iou is None:
        matches = {row: row for row in range(len(people))}
    else:
        matches = _matches(people, keypoints, img_shape, min_iou)
    samples = []
    for row, person in enumerate(people):
        predicted = None
        if row in matches:
            chosen = slice(matches[row], matches[row] + 1)
            predicted = {'keypoints': keypoints[chosen], 'keypoint_scores': scores[chosen]}
        truth = {
            'keypoints': person['keypoints'], 'keypoints_visible': person['keypoints_visible'], 'bboxes': person['bbox']
        }  # fmt: skip
        samples.append(
            {
                'id': person['id'],
                'frame_path': person['frame_path'],
                'ori_shape': img_shape,
                'raw_ann_info': person.get('raw_ann_info'),
                'gt_instances': truth,
                'pred_instances': predicted,
            }
        )
    return samples


def _matches(
    people: Sequence[dict[str, Any]], keypoints: np.ndarray, img_shape: tuple[int, int], min_iou: float
) -> dict[int, int]:
    """Return the row of the found person for rows of annotated people that were found."""
    height, width = img_shape
    inside = np.clip(keypoints, 0, [width - 1, height - 1])
    boxes = np.concatenate([inside.min(1), inside.max(1)], axis=-1)
    overlap = box_iou(np.concatenate([person['bbox'] for person in people]), boxes)
    rows, columns = linear_sum_assignment(-overlap)
    return {int(row): int(column) for row, column in zip(rows, columns, strict=True) if overlap[row, column] >= min_iou}
