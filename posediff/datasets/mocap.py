"""Motion capture viewed by virtual cameras."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from posediff.datasets.camera_sampling import CAMERA_PRESETS, get_camera_preset
from posediff.datasets.detector_noise import DetectorNoise
from posediff.datasets.mocap_files import MocapClip, floor_height, load_subject
from posediff.datasets.motion_variation import MotionVariation
from posediff.datasets.pose_tracks import Filming, PoseFrames, RefilmedTrack, StoredTrack, Track
from posediff.datasets.pose_windows import PoseWindowDataset
from posediff.fileio.input_files import data_files
from posediff.registry import DATASETS
from posediff.structures.argument_checks import require_finite, require_one_of, require_whole
from posediff.structures.named_generators import named_rng
from posediff.structures.skeleton_conversion import convert_joints
from posediff.structures.skeletons import CMU17

VALIDATION_SUBJECTS = ('02', '05', '29', '35')


@DATASETS.register_module()
class CMUMocapDataset(PoseWindowDataset):
    """CMU motion capture, as written by ``posediff convert cmu``.

    In training, every window gets a random camera and new simulated detections. In test, windows use the static cameras
    stored with each clip and detections that depend only on ``(file's seed, clip, camera)``.

    Args:
        data_root: Folder of ``<subject>.npz``.
        split: ``'train'``, ``'val'`` (subjects 02, 05, 29, 35) or ``'all'``.
        subjects: Subjects to use instead of a split.
        skeleton: Joints to project: ``'cmu17'``, those of the files, or ``'mediapipe17'``, converted by
            :mod:`posediff.structures.skeleton_conversion`.
        keypoint_2d_src: ``'detection'`` (simulated) or ``'gt'`` (exact projections).
        noise: Parameters of :class:`DetectorNoise` to override, and ``severity``, which scales it (default 1).
        cameras: ``'random'`` or ``'stored'``; default random in training, stored in test.
        camera_preset: Preset of random cameras; defaults to the preset of the files.
        num_cameras: Number of stored cameras per clip to use; default all.
        fps: Frames per second of the windows; that of the files must be a multiple. None: that of the files.
        variation: Parameters of :class:`posediff.datasets.motion_variation.MotionVariation`, for random cameras.
        **kwargs: Arguments of :class:`PoseWindowDataset`.

    Raises:
        FileNotFoundError: The folder or a subject's file is missing, or no file belongs to the split.
        KeyError, ValueError: An argument has an unknown value, or a file is damaged.
    """

    dataset_name = 'cmu'
    skeleton_name = CMU17.name

    def __init__(
        self,
        data_root: str,
        split: str = 'train',
        *,
        subjects: Sequence[str] | None = None,
        skeleton: str = CMU17.name,
        keypoint_2d_src: str = 'detection',
        noise: Mapping[str, float] | None = None,
        cameras: str | None = None,
        camera_preset: str | None = None,
        num_cameras: int | None = None,
        fps: float | None = None,
        variation: Mapping[str, Any] | None = None,
        test_mode: bool = False,
        **kwargs: Any,
    ) -> None:
        cameras = cameras or ('stored' if test_mode else 'random')
        owner = type(self).__name__
        require_one_of(owner, 'split', split, ('train', 'val', 'all'))
        require_one_of(owner, 'keypoint_2d_src', keypoint_2d_src, ('detection', 'gt'))
        require_one_of(owner, 'cameras', cameras, ('random', 'stored'))
        if camera_preset is not None:
            require_one_of(owner, 'camera_preset', camera_preset, CAMERA_PRESETS)
        if num_cameras is not None:
            require_whole(owner, {'num_cameras': num_cameras}, least=1)
        # a string is a sequence too: '02' would mean subjects 0 and 2
        if subjects is not None and (isinstance(subjects, str) or not 0 < len(set(subjects)) == len(subjects)):
            raise ValueError(f'{owner}: subjects must be a list of different names, got {subjects!r}')
        self.skeleton_name = skeleton
        self.data_root = Path(data_root)
        self.split = split
        self.subjects = subjects
        self.cameras = cameras
        self.camera_preset = camera_preset
        self.num_cameras = num_cameras
        if fps is not None:
            require_finite(owner, {'fps': fps})
        if variation is not None and cameras != 'random':
            raise ValueError(f"{owner}: variation needs cameras='random'; stored detections are of the recorded motion")
        self.fps = fps
        self.variation = MotionVariation(**(variation or {}))
        self.noise = None
        if keypoint_2d_src == 'detection':
            self.noise = DetectorNoise.of_severity(**{'severity': 1.0, **(noise or {})})
        super().__init__(test_mode=test_mode, **kwargs)

    def load_tracks(self) -> list[Track]:
        tracks: list[Track] = []
        self._recordings: list[np.ndarray] = []
        for path in self._files():
            file = load_subject(path)
            filming = Filming(get_camera_preset(self.camera_preset or file.preset), self.noise, self.skeleton)
            for clip in file.clips:
                tracks.extend(self._tracks_of(clip, file.fps, file.seed, filming))
        return tracks

    def _tracks_of(self, clip: MocapClip, fps: float, seed: int, filming: Filming) -> list[Track]:
        joints, _, _ = convert_joints(clip.joints_3d * np.float32(1000), CMU17.name, self.skeleton_name)
        name = f'{self.dataset_name}/{clip.subject}/{clip.name}'
        stride = self._stride(fps)
        if self.cameras == 'random':
            known = f'{name}/random', clip.subject, clip.action, fps / stride
            self._recordings.append(joints)
            recordings = self._recordings  # complete when windows are read
            return [RefilmedTrack(*known, joints, floor_height(joints), filming, stride, self.variation, recordings)]
        wanted = 1 if self.num_cameras is None else self.num_cameras
        if wanted > len(clip.cameras):
            raise ValueError(
                f'{self.data_root}: {name} has {len(clip.cameras)} cameras, but num_cameras is {self.num_cameras}'
            )
        tracks: list[Track] = []
        for number, camera in enumerate(clip.cameras[: self.num_cameras]):
            track_id = f'{name}/cam{number}'
            camera, *arrays = filming.film(joints, camera, named_rng(seed, track_id))
            frames = PoseFrames(camera, *(array[::stride] for array in arrays))
            tracks.append(StoredTrack(track_id, clip.subject, clip.action, fps / stride, frames))
        return tracks

    def _stride(self, file_fps: float) -> int:
        """Return the number of frames in the files per frame of a window."""
        if self.fps is None:
            return 1
        stride = round(file_fps / self.fps) if self.fps > 0 else 0
        if stride < 1 or abs(stride * self.fps - file_fps) > 1e-6 * file_fps:
            raise ValueError(
                f'{type(self).__name__}: fps {self.fps} does not divide {file_fps}, the rate of {self.data_root}'
            )
        return stride

    def _files(self) -> list[Path]:
        if not self.data_root.is_dir():
            raise FileNotFoundError(f'{self.data_root}: no such folder; create it with posediff convert cmu')
        if self.subjects is not None:
            return [self.data_root / f'{subject}.npz' for subject in self.subjects]
        if self.split == 'val':
            return [self.data_root / f'{subject}.npz' for subject in VALIDATION_SUBJECTS]
        files = data_files(self.data_root, '.npz')
        chosen = [path for path in files if self.split == 'all' or path.stem not in VALIDATION_SUBJECTS]
        if not chosen:
            raise FileNotFoundError(f'{self.data_root}: none of its {len(files)} .npz files is of split {self.split!r}')
        return chosen
