"""The sample record used by datasets, models and metrics."""

from __future__ import annotations

from mmengine.structures import BaseDataElement, InstanceData


class PoseDataSample(BaseDataElement):
    """The input data, annotations and predictions of one clip.

    Field names follow MMPose, so that MMPose metrics accept a sample unchanged. MMPose is not imported.
    Axes: T frames, K joints, M hypotheses.

    ``gt_instances`` (one entry per frame)
        * ``lifting_target`` (T, K, 3): joints relative to the root joint, mm, camera frame (x right, y down, z forward)
        * ``lifting_target_visible`` (T, K): 1 where the joint is annotated
        * ``root_position`` (T, 3): root joint in the camera frame, mm

    ``pred_instances`` (one entry per frame)
        * ``keypoints`` (T, K, 3): aggregated pose, same frame and unit as ``lifting_target``
        * ``keypoint_scores`` (T, K): confidence of the 2D keypoints (1 if none was given)

    ``pred_hypotheses``: tensor (M, T, K, 3), all sampled poses.

    ``hypothesis_root_position``: tensor (M, T, 3), root joint in the camera frame, mm, if the network predicts it.

    ``uses_gt_root``: True if ``pred_instances`` was aggregated with the true root position.

    Metainfo:
        * ``sample_id``: str, unique in the dataset and stable between runs; random seeds are derived from it
        * ``img_shape``: (h, w) px
        * ``fps``: frame rate
        * ``skeleton``: a name in :mod:`posediff.structures.skeletons`
        * ``action``, ``subject``
        * ``frame_indices``: (T,)
        * ``frame_mask``: (T,) bool, False for padding and for frames already covered by another window; metrics use
              only frames that are True, so each frame counts once
        * ``camera``: a :class:`posediff.geometry.Camera` or None
        * ``target_img_path``: (T,) ``<subject>_<action>.<frame>.jpg``, from which MMPose's 3D metric parses the action;
              the files do not exist
    """

    gt_instances: InstanceData
    pred_instances: InstanceData
