"""Labels of one set of joints from those of another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from posediff.registry import TRANSFORMS
from posediff.structures.posetrack_joints import POSETRACK18_KEYPOINTS
from posediff.structures.skeletons import SKELETONS, get_skeleton, match_skeleton

# What MMPose's datasets add to every item, except the name of the dataset.
_METAINFO = (
    'flip_indices', 'flip_pairs', 'upper_body_ids', 'lower_body_ids', 'skeleton_links', 'dataset_keypoint_weights',
)  # fmt: skip
_LEGS = ('hip', 'knee', 'ankle', 'foot', 'toe', 'heel')


@dataclass(frozen=True)
class LabelSet:
    """Joints of labels, with what MMPose's transforms read of them.

    Attributes:
        names: K names in the order of the labels.
        skeleton: Name of the skeleton among these joints.
        metainfo: ``flip_indices``, ``flip_pairs``, ``upper_body_ids``, ``lower_body_ids``, ``skeleton_links`` and
            ``dataset_keypoint_weights`` (K,) as MMPose's datasets have them.
    """

    names: tuple[str, ...]
    skeleton: str
    metainfo: dict[str, Any]


def label_set(name: str) -> LabelSet:
    """Return the labels called ``name``.

    Args:
        name: ``posetrack18`` (17 keypoints, with MMPose's weights of the joints), or a skeleton of
            :data:`posediff.structures.skeletons.SKELETONS` (weights 1).

    Raises:
        ValueError: Nothing has that name.
    """
    if name == 'posetrack18':
        return LabelSet(POSETRACK18_KEYPOINTS, match_skeleton(POSETRACK18_KEYPOINTS)[0].name, _posetrack18_metainfo())
    if name not in SKELETONS:
        raise ValueError(f'unknown label set {name!r}; known: posetrack18, {", ".join(sorted(SKELETONS))}')
    skeleton = get_skeleton(name)
    joints = range(skeleton.num_joints)
    lower = [joint for joint in joints if any(part in skeleton.joint_names[joint] for part in _LEGS)]
    metainfo = {
        'flip_indices': list(skeleton.flip_indices),
        'flip_pairs': list(zip(skeleton.right, skeleton.left)),
        'upper_body_ids': [joint for joint in joints if joint not in lower],
        'lower_body_ids': lower,
        'skeleton_links': list(skeleton.segments),
        'dataset_keypoint_weights': np.ones(skeleton.num_joints, dtype=np.float32),
    }
    return LabelSet(skeleton.joint_names, name, metainfo)


def _posetrack18_metainfo() -> dict[str, Any]:
    from mmpose.datasets.datasets.body.posetrack18_dataset import PoseTrack18Dataset  # lifting does not need MMPose
    from mmpose.datasets.datasets.utils import parse_pose_metainfo

    metainfo = parse_pose_metainfo(PoseTrack18Dataset.METAINFO)
    return {name: metainfo[name] for name in _METAINFO}


@TRANSFORMS.register_module()
class ConvertKeypoints:
    """Map the labels of a dataset to another set of joints, so that parts of a mixed training have the same labels.

    Runs before MMPose's geometric transforms, which read what it sets: ``keypoints`` (1, K, 2), ``keypoints_visible``
    (1, K) or (1, K, 2), ``num_keypoints``, ``skeleton``, and :attr:`LabelSet.metainfo`. Target joints without a source
    get coordinates and visibility 0, hence the weight 0. ``raw_ann_info`` and ``dataset_name`` remain those of the
    file.

    Names of the source's joints are those of ``results['dataset'].metainfo``. Of JHMDB to PoseTrack18::

        dict(type='ConvertKeypoints', to='posetrack18', joints=dict(
            nose='head', head_bottom='neck', left_shoulder='left_shoulder', …))

    Args:
        joints: Name of a target joint → name of the source joint.
        to: Name of the target labels, see :func:`label_set`.

    Raises:
        ValueError: ``to`` or a target joint is unknown; or, at the first item, a source joint. The message names them.
    """

    def __init__(self, joints: Mapping[str, str], to: str) -> None:
        self.labels = label_set(to)
        unknown = [name for name in joints if name not in self.labels.names]
        if unknown or not joints:
            raise ValueError(
                f'ConvertKeypoints: joints maps {", ".join(unknown) or "no joint"}, {to!r} has '
                f'{", ".join(self.labels.names)}'
            )
        self.joints = dict(joints)
        self._targets = [self.labels.names.index(name) for name in joints]
        self._source: Any = None
        self._sources: list[int] = []

    def __call__(self, results: dict[str, Any]) -> dict[str, Any]:
        if results['dataset'] is not self._source:  # MMPose's metainfo is a deep copy: read once per dataset
            self._sources = self._find(results['dataset'].metainfo)
            self._source = results['dataset']
        for name in ('keypoints', 'transformed_keypoints', 'keypoints_visible'):
            if results.get(name) is not None:
                values = results[name]
                mapped = np.zeros((len(values), len(self.labels.names), *values.shape[2:]), dtype=values.dtype)
                mapped[:, self._targets] = values[:, self._sources]
                results[name] = mapped
        visible = results['keypoints_visible']
        results['num_keypoints'] = int(np.count_nonzero(visible[..., 0] if visible.ndim == 3 else visible))
        results['skeleton'] = self.labels.skeleton
        for name, value in self.labels.metainfo.items():
            results[name] = value.copy()
        return results

    def convert_metainfo(self, metainfo: Mapping[str, Any]) -> dict[str, Any]:
        """Return a dataset's metadata for the target joints, without sigmas and colours, which are of other joints."""
        names = dict(enumerate(self.labels.names))
        others = ('sigmas', 'keypoint_colors', 'skeleton_link_colors')
        return {
            **{key: value for key, value in metainfo.items() if key not in others},
            **self.labels.metainfo,
            'num_skeleton_links': len(self.labels.metainfo['skeleton_links']),
            'num_keypoints': len(names),
            'keypoint_id2name': names,
            'keypoint_name2id': {name: index for index, name in names.items()},
        }

    def _find(self, metainfo: Mapping[str, Any]) -> list[int]:
        ids = {name: index for index, name in metainfo['keypoint_id2name'].items()}
        unknown = sorted({name for name in self.joints.values() if name not in ids})
        if unknown:
            raise ValueError(
                f'ConvertKeypoints: joints names {", ".join(unknown)}, dataset {metainfo.get("dataset_name")!r} has '
                f'{", ".join(ids)}'
            )
        return [ids[name] for name in self.joints.values()]
