"""Short names of components on the command line, and the configs that they stand for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from posediff.assets import DIFFPOSE_CHECKPOINT, DIFFPOSE_CONFIG

Config = dict[str, Any]

SMOOTHERS = {
    'one-euro': 'OneEuroSmoother',
    'savitzky-golay': 'SavitzkyGolaySmoother',
    'gaussian': 'GaussianSmoother',
}
TRACKERS = {'pose': 'PoseTracker', 'byte': 'ByteTrackTracker'}
BOX_FILES = ('.json', '.txt', '.csv')


def detector_config(choice: str, checkpoint: str | None, device: str) -> Config:
    """Config of a detector.

    Args:
        choice: ``mediapipe``, ``whole-frame``, a file of boxes, or ``mmdet:<config file or name>``.
        checkpoint: For MMDetection.
        device: For MMDetection.

    Raises:
        ValueError: There is none such, or the checkpoint has no use.
    """
    if choice.startswith('mmdet:'):
        return {
            'type': 'MMDetDetector', 'model': choice.removeprefix('mmdet:'), 'checkpoint': checkpoint, 'device': device,
        }  # fmt: skip
    _no_checkpoint('--detector', choice, checkpoint)
    if choice == 'mediapipe':
        return {'type': 'MediaPipeDetector'}
    if choice == 'whole-frame':
        return {'type': 'WholeFrameDetector'}
    if Path(choice).suffix.lower() in BOX_FILES:
        return {'type': 'BoxesFileDetector', 'path': choice}
    raise ValueError(
        f'--detector {choice} is neither mediapipe, whole-frame, a file of boxes ({", ".join(BOX_FILES)}) nor '
        'mmdet:<config file or name>'
    )


def pose_estimator_config(choice: str, checkpoint: str | None, device: str) -> Config:
    """Config of a 2D estimator.

    Args:
        choice: ``mediapipe``, ``mmpose:<config file or name>``, a config file of this project's, or ``diffpose``, the
            small one that ships.
        checkpoint: For MMPose and config files.
        device: For all but MediaPipe's.

    Raises:
        ValueError: There is none such, or the checkpoint is missing or has no use.
    """
    if choice.startswith('mmpose:'):
        return {
            'type': 'MMPoseEstimator', 'model': choice.removeprefix('mmpose:'), 'checkpoint': checkpoint,
            'device': device,
        }  # fmt: skip
    if choice.endswith('.py'):
        if checkpoint is None:
            raise ValueError(f"--pose {choice} needs --pose-checkpoint (or 'random')")
        return {'type': 'DiffPoseEstimator', 'config': choice, 'checkpoint': checkpoint, 'device': device}
    _no_checkpoint('--pose', choice, checkpoint)
    if choice == 'mediapipe':
        return {'type': 'MediaPipePoseEstimator'}
    if choice == 'diffpose':
        return {
            'type': 'DiffPoseEstimator', 'config': DIFFPOSE_CONFIG, 'checkpoint': DIFFPOSE_CHECKPOINT, 'device': device,
        }  # fmt: skip
    raise ValueError(f'--pose {choice} is neither mediapipe, mmpose:<config file or name>, diffpose nor a config file')


def _no_checkpoint(flag: str, choice: str, checkpoint: str | None) -> None:
    if checkpoint is not None:
        raise ValueError(f'{flag}-checkpoint {checkpoint} has no use: {flag} {choice} brings its own weights, or none')
