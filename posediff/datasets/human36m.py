"""Human3.6M dataset with targets for whole windows."""

from __future__ import annotations

import zipfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from posediff.datasets.plausible_poses import check_person_size, check_pixels
from posediff.datasets.pose_tracks import PoseFrames, StoredTrack
from posediff.datasets.pose_windows import PoseWindowDataset
from posediff.fileio.restricted_pickle import load_pickle
from posediff.geometry.cameras import Camera
from posediff.registry import DATASETS


@DATASETS.register_module()
class Human36MLiftingDataset(PoseWindowDataset):
    """Human3.6M from the files of MMPose's ``Human36mDataset``; only windows and targets differ from MMPose.

    ``posediff convert h36m`` writes these files. Joints are in the camera frame, so every camera
    of a video gives a separate clip.

    Args:
        data_root: Root folder of the file names below.
        ann_file: Annotations, ``.npz`` with ``imgname``, ``S`` (N, 17, 4) metres and ``part`` (N, 17, 3) px.
        camera_param_file: Pickle of camera parameters by (subject, camera). Pickles that run code are rejected.
        keypoint_2d_src: ``'gt'`` or ``'detection'``.
        keypoint_2d_det_file: Detections ``.npy`` (N, 17, 3) px and confidence, for ``'detection'``.
        subjects: Keep only these subjects, e.g. ``('S9', 'S11')``.
        fps: Frame rate of the files.
        **kwargs: Arguments of :class:`PoseWindowDataset`.

    Raises:
        FileNotFoundError: A file is missing.
        ValueError: A file is damaged, inconsistent with the others, or not in metres or px.
    """

    dataset_name = 'h36m'

    def __init__(
        self,
        data_root: str,
        ann_file: str,
        camera_param_file: str = 'annotation_body3d/cameras.pkl',
        *,
        keypoint_2d_src: str = 'gt',
        keypoint_2d_det_file: str | None = None,
        subjects: Sequence[str] | None = None,
        fps: float = 50.0,
        **kwargs: Any,
    ) -> None:
        if keypoint_2d_src not in ('gt', 'detection'):
            raise ValueError(
                f'Human36MLiftingDataset: keypoint_2d_src must be gt or detection, got {keypoint_2d_src!r}'
            )
        if keypoint_2d_src == 'detection' and keypoint_2d_det_file is None:
            raise ValueError("Human36MLiftingDataset: keypoint_2d_src='detection' needs keypoint_2d_det_file")
        self.data_root = Path(data_root)
        self.subjects = subjects
        self.fps = fps
        self._files = {'ann_file': ann_file, 'camera_param_file': camera_param_file, 'keypoint_2d_src': keypoint_2d_src}
        if keypoint_2d_det_file is not None and keypoint_2d_src == 'detection':
            self._files['keypoint_2d_det_file'] = keypoint_2d_det_file
        super().__init__(**kwargs)

    def load_tracks(self) -> list[StoredTrack]:
        source = self._open()
        joints_3d, keypoints_2d = self._read_arrays(source)
        videos: dict[tuple[str, str, str], list[int]] = defaultdict(list)
        for index, name in enumerate(source.ann_data['imgname'].tolist()):
            videos[source._parse_h36m_imgname(name)].append(index)
        tracks = []
        for (subject, action, camera_id), rows in videos.items():
            if self.subjects is not None and subject not in self.subjects:
                continue
            try:
                camera = camera_of_mmpose(source.camera_param[subject, camera_id])
            except KeyError as error:
                raise ValueError(f'{source.camera_param_file}: no camera {camera_id} of {subject}') from error
            points = keypoints_2d[rows]
            scores = np.clip(points[..., 2], 0, 1)
            frames = PoseFrames(camera, joints_3d[rows], points[..., :2], scores, (scores > 0).astype(np.float32))
            track_id = f'{self.dataset_name}/{subject}/{action}/{camera_id}'
            tracks.append(StoredTrack(track_id, subject, action.split('_')[0], self.fps, frames))
        return tracks

    def _open(self) -> Any:
        for key, name in self._files.items():
            if key.endswith('_file') and not (self.data_root / name).is_file():
                raise FileNotFoundError(f'Human36MLiftingDataset: {key} {self.data_root / name} does not exist')
        load_pickle(self.data_root / self._files['camera_param_file'])  # raises if loading would run code
        try:  # imported here: the rest of the package works without MMPose
            from mmpose.datasets.datasets.body3d import Human36mDataset
        except ImportError as error:
            raise ImportError(
                f'Human36MLiftingDataset reads its files through MMPose, which cannot be imported ({error}); '
                '`posediff setup openmmlab` installs it'
            ) from error
        try:
            return Human36mDataset(data_root=str(self.data_root), lazy_init=True, **self._files)
        except (ValueError, KeyError, OSError, EOFError, zipfile.BadZipFile) as error:
            raise ValueError(f'{self.data_root / self._files["ann_file"]}: MMPose cannot read it ({error})') from error

    def _read_arrays(self, source: Any) -> tuple[np.ndarray, np.ndarray]:
        """Return validated joints (N, 17, 3) in mm and keypoints (N, 17, 3) in px with scores, float32."""
        path = self.data_root / self._files['ann_file']
        joints = source.ann_data['S']
        if len(joints) == 0 or joints.shape[1:] != (self.skeleton.num_joints, 4):
            raise ValueError(f'{path}: S has shape {joints.shape}, expected (N, {self.skeleton.num_joints}, 4)')
        if not (joints[..., 3] > 0).all():
            raise ValueError(f'{path}: {int((joints[..., 3] <= 0).sum())} joints of S are not annotated')
        if 'keypoint_2d_det_file' in self._files:
            path = self.data_root / self._files['keypoint_2d_det_file']
            keypoints = source._load_keypoint_2d_detection(str(path))
        else:
            keypoints = source.ann_data['part'].astype(np.float32)
        if keypoints.shape != (*joints.shape[:2], 3):
            raise ValueError(f'{path}: keypoints have shape {keypoints.shape}, expected {(*joints.shape[:2], 3)}')
        joints = joints[..., :3].astype(np.float32) * np.float32(1000)
        for name, array in (('joints', joints), ('keypoints', keypoints)):
            finite = np.isfinite(array).all((1, 2))
            if not finite.all():
                frame = source.ann_data['imgname'][int(finite.argmin())]
                raise ValueError(f'{path}: {name} of {frame} are not finite ({int((~finite).sum())} frames in all)')
        check_person_size(joints / 1000, f'{self.data_root / self._files["ann_file"]}: S')
        check_pixels(keypoints[..., :2], f'{path}: keypoints')
        return joints, keypoints


def camera_of_mmpose(parameters: Mapping[str, Any]) -> Camera:
    """Convert an entry of MMPose's ``cameras.pkl``: R camera to world, T position in metres, f c k p, image w and h."""
    rotation = np.asarray(parameters['R'], dtype=np.float64).T
    k1, k2, k3 = np.ravel(parameters['k']).tolist()
    p1, p2 = np.ravel(parameters['p']).tolist()
    return Camera(
        focal=np.ravel(parameters['f']).astype(np.float64),
        center=np.ravel(parameters['c']).astype(np.float64),
        img_shape=(int(parameters['h']), int(parameters['w'])),
        R=rotation,
        t=-rotation @ np.ravel(parameters['T']) * 1000.0,
        distortion=np.array([k1, k2, p1, p2, k3]),
    )
