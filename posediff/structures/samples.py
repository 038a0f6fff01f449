"""The record that travels from dataset to metric."""

from __future__ import annotations

from mmengine.structures import BaseDataElement, InstanceData


class PoseDataSample(BaseDataElement):
    """One clip: what is known about it, and what was predicted for it.

    The field names are MMPose's, so that MMPose's metrics accept a sample unchanged; nothing here imports MMPose.
    Axes: T frames, K joints, M hypotheses.

    ``gt_instances`` (one entry a frame)
        * ``lifting_target`` (T, K, 3): joints relative to the root joint, mm, camera frame (x right, y down, z forward)
        * ``lifting_target_visible`` (T, K): 1 where the joint is annotated
        * ``root_position`` (T, 3): root joint in the camera frame, mm

    ``pred_instances`` (one entry a frame)
        * ``keypoints`` (T, K, 3): aggregated pose, same frame and unit as ``lifting_target``
        * ``keypoint_scores`` (T, K): 2D detector's confidence, carried over (1 where none was given)

    ``pred_hypotheses``: tensor (M, T, K, 3), every pose that was drawn.

    Metainfo: ``sample_id`` (str, unique in a dataset and stable between runs: seeds are derived from it),
    ``img_shape`` (h, w) px, ``fps``, ``skeleton`` (a name in :mod:`posediff.structures.skeletons`), ``action``,
    ``subject``, ``frame_indices`` (T,), ``frame_mask`` (T,) bool: False on frames that another window already covers or
    that pad a short clip; metrics count True frames only, each frame of a clip once. ``camera``: a
    :class:`posediff.geometry.Camera` or None. ``target_img_path`` (T,): ``<subject>_<action>.<frame>.jpg``, where
    MMPose's 3D metric finds the action; there is no such file.
    """

    gt_instances: InstanceData
    pred_instances: InstanceData
