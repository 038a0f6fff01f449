"""Person crops in JHMDB's clips: real video with annotated joints in every frame."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

import numpy as np

from posediff.datasets.posetrack import PoseTrackClipDataset
from posediff.datasets.posetrack_source import open_source
from posediff.registry import DATASETS
from posediff.structures.argument_checks import require_one_of

PARTS = ('all', 'train', 'validation')
VALIDATION_SHARE = 10
"""One of this number of source videos belongs to the validation part."""

TWO_WORD_ACTIONS = (
    'brush_hair', 'climb_stairs', 'kick_ball', 'shoot_ball', 'shoot_bow', 'shoot_gun', 'swing_baseball',
)  # fmt: skip


@DATASETS.register_module()
class JhmdbClipDataset(PoseTrackClipDataset):
    """Windows of 2δ + 1 frames around every annotated person of JHMDB.

    The files are those of ``posediff convert jhmdb`` (all clips of a split), or MMPose's (those of sub-JHMDB). They are
    read by MMPose's ``JhmdbDataset``, which makes the 1-based coordinates 0-based. Labels are its 15 joints: ``neck``,
    ``belly``, ``head`` (the centre of the face) and the limbs. :class:`ConvertKeypoints` maps them to those of a model.

    Args:
        source: Arguments of MMPose's class.
        part: ``'all'`` clips of the file, or a part of them, for choosing models without the test clips:
            ``'validation'`` has the clips of about a tenth of the source videos, ``'train'`` the others. Clips cut from
            one source video are in one part.
        frame_base: Number of a clip's first frame.
        **kwargs: See :class:`PoseTrackClipDataset`.

    Raises:
        FileNotFoundError, ValueError: See :class:`PoseTrackClipDataset`.
    """

    def __init__(self, source: Mapping[str, Any], *, part: str = 'all', frame_base: int = 1, **kwargs: Any) -> None:
        require_one_of(type(self).__name__, 'part', part, PARTS)
        self.part = part
        super().__init__(source, frame_base=frame_base, **kwargs)

    def _open(self, source: Mapping[str, Any]) -> Any:
        return open_source('JhmdbDataset', **source, test_mode=self.test_mode)

    def _candidates(self) -> np.ndarray:
        people = super()._candidates()
        if self.part == 'all':
            return people
        wanted = self.part == 'validation'
        paths = (self.source.get_data_info(int(person))['frame_path'] for person in people)
        kept = people[[is_validation(path) == wanted for path in paths]]
        if not len(kept):
            raise ValueError(f'{type(self).__name__}: {self.source.ann_file} has no clips in part {self.part!r}')
        return kept


def is_validation(frame_path: str) -> bool:
    """Return whether a frame ``…/clip/00001.png`` belongs to the validation part.

    The source video is the part of the clip's name before the action, e.g. ``Faith_Rewarded`` of
    ``Faith_Rewarded_catch_f_cm_np1_fr_med_10``, which ends with seven tags: action, visible body parts, camera motion,
    number of people, direction, quality, number.
    """
    name = PurePosixPath(frame_path).parent.name.rsplit('_', 6)[0]  # without the tags after the action
    action = next((two for two in TWO_WORD_ACTIONS if name.endswith(f'_{two}')), name.rpartition('_')[2])
    video = name.removesuffix(f'_{action}')
    return zlib.crc32(video.encode()) % VALIDATION_SHARE == 0
