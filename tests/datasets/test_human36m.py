"""VideoPose3D's archives to MMPose's files to windows, on a synthetic pair and on MMPose's own test files."""

from __future__ import annotations

import os
import pickle
import zipfile

import numpy as np
import pytest

from posediff.datasets import Human36MLiftingDataset
from posediff.datasets.converters.human36m import KEPT_JOINTS, convert_videopose3d, mmpose_cameras
from posediff.datasets.converters.human36m_cameras import LENSES, human36m_camera
from posediff.datasets.human36m import camera_of_mmpose
from posediff.datasets.restricted_pickle import UnsafePickleError, load_object_npz, load_pickle

DETECTIONS = 'cpn_ft_h36m_dbb'


@pytest.fixture(scope='module')
def archives(tmp_path_factory):
    """A pair of the structure of data_3d_h36m.npz and data_2d_h36m_cpn_ft_h36m_dbb.npz."""
    folder = tmp_path_factory.mktemp('videopose3d')
    rng = np.random.default_rng(0)
    positions, keypoints = {}, {}
    for subject, actions in {'S1': {'Directions 1': 40}, 'S9': {'Walking': 30, 'Sitting 1': 12}}.items():
        positions[subject], keypoints[subject] = {}, {}
        for action, frames in actions.items():
            joints = rng.normal(0, 0.3, (frames, 32, 3)) + [0, 0, 0.9]
            positions[subject][action] = joints.astype(np.float32)
            keypoints[subject][action] = []
            for camera_id in LENSES:
                camera = human36m_camera(subject, camera_id)
                pixels = camera.project(camera.world_to_camera(joints[:, KEPT_JOINTS] * 1000.0))
                pixels = np.concatenate([pixels, pixels[-2:]])  # the real archives run a few frames over
                keypoints[subject][action].append((pixels + 3).astype(np.float32))
    metadata = {
        'layout_name': 'h36m',
        'num_joints': 17,
        'keypoints_symmetry': [[4, 5, 6, 11, 12, 13], [1, 2, 3, 14, 15, 16]],
    }
    np.savez_compressed(folder / 'data_3d_h36m.npz', positions_3d=positions)
    np.savez_compressed(folder / f'data_2d_h36m_{DETECTIONS}.npz', positions_2d=keypoints, metadata=metadata)
    return folder


@pytest.fixture(scope='module')
def converted(archives, tmp_path_factory):
    folder = tmp_path_factory.mktemp('h36m')
    frames = convert_videopose3d(
        archives / 'data_3d_h36m.npz', folder, {DETECTIONS: archives / f'data_2d_h36m_{DETECTIONS}.npz'}
    )
    assert frames == {'train': 160, 'test': 168}
    return folder


def open_dataset(folder, split='test', **kwargs):
    return Human36MLiftingDataset(str(folder), f'annotation_body3d/fps50/h36m_{split}.npz', **kwargs)


def test_conversion_keeps_17_joints_in_metres_in_the_camera_frame(archives, converted):
    source = load_object_npz(archives / 'data_3d_h36m.npz')['positions_3d']['S9']['Walking']
    camera = human36m_camera('S9', '55011271')
    with np.load(converted / 'annotation_body3d/fps50/h36m_test.npz') as data:
        rows = [index for index, name in enumerate(data['imgname']) if 'S9_Walking.55011271_' in name]
        assert data['imgname'][rows[0]] == 'S9/S9_Walking.55011271/S9_Walking.55011271_000001.jpg'
        expected = camera.world_to_camera(source[:, KEPT_JOINTS] * 1000.0)
        np.testing.assert_allclose(data['S'][rows][..., :3], expected / 1000, atol=1e-6)
        np.testing.assert_allclose(data['part'][rows][..., :2], camera.project(expected), atol=1e-3)


@pytest.fixture
def needs_mmpose():
    pytest.importorskip('mmpose.datasets', reason='MMPose is not installed')


@pytest.mark.usefixtures('needs_mmpose')
def test_ground_truth_keypoints_are_the_projection_of_the_target(converted):
    dataset = open_dataset(converted, window_size=9, test_mode=True)
    assert len(dataset) == 4 * (4 + 2)
    for index in range(0, len(dataset), 5):
        item = dataset[index]
        truth = item['data_samples'].gt_instances
        joints = (truth.lifting_target + truth.root_position[:, None]).numpy()
        pixels = item['data_samples'].camera.project(joints)
        np.testing.assert_allclose(item['inputs']['keypoints_2d'].numpy(), pixels, atol=0.02)
    names = {dataset[index]['data_samples'].action for index in range(len(dataset))}
    assert names == {'Walking', 'Sitting'}


@pytest.mark.usefixtures('needs_mmpose')
def test_detections_belong_to_their_frames(converted):
    files = {'keypoint_2d_src': 'detection', 'keypoint_2d_det_file': f'joint_2d_det_files/{DETECTIONS}_test.npy'}
    detected = open_dataset(converted, test_mode=True, **files)
    exact = open_dataset(converted, test_mode=True)
    for index in range(len(exact)):
        difference = detected[index]['inputs']['keypoints_2d'] - exact[index]['inputs']['keypoints_2d']
        np.testing.assert_allclose(difference.numpy(), 3, atol=0.01)


@pytest.mark.usefixtures('needs_mmpose')
def test_image_sizes_differ_between_cameras(converted):
    dataset = open_dataset(converted, 'train', test_mode=True)
    shapes = {item['data_samples'].sample_id.split('/')[3]: item['data_samples'].img_shape for item in dataset}
    assert shapes == {
        '54138969': (1002, 1000), '55011271': (1000, 1000), '58860488': (1000, 1000), '60457274': (1002, 1000),
    }  # fmt: skip


@pytest.mark.usefixtures('needs_mmpose')
def test_subjects_can_be_chosen(converted):
    with pytest.raises(ValueError, match='leaves no clip'):
        open_dataset(converted, subjects=['S11'])
    assert {track.subject for track in open_dataset(converted, subjects=['S9']).tracks} == {'S9'}


@pytest.mark.usefixtures('needs_mmpose')
def test_mmpose_files_are_read_as_mmpose_means_them(reference_data):
    """MMPose's own files: the keypoints are the projection of the joints to 1e-3 px, detections are CPN-like near."""
    folder = reference_data / 'mmpose' / 'h36m'
    files = {'ann_file': 'test_h36m_body3d.npz', 'camera_param_file': 'cameras.pkl'}
    exact = Human36MLiftingDataset(str(folder), test_mode=True, **files)
    found = Human36MLiftingDataset(
        str(folder),
        test_mode=True,
        keypoint_2d_src='detection',
        keypoint_2d_det_file='test_h36m_2d_detection.npy',
        **files,
    )
    assert len(exact) == 4
    for item, detected in zip(exact, found, strict=True):
        sample = item['data_samples']
        joints = sample.gt_instances.lifting_target + sample.gt_instances.root_position[:, None]
        keypoints = item['inputs']['keypoints_2d'].numpy()
        np.testing.assert_allclose(sample.camera.project(joints.numpy()), keypoints, atol=1e-3)
        assert 3000 < sample.gt_instances.root_position[0, 2] < 7000
        assert sample.frame_mask.sum() == 1
        error = np.linalg.norm(detected['inputs']['keypoints_2d'].numpy() - keypoints, axis=-1)
        assert 0.5 < error.mean() < 15
    assert exact[1]['data_samples'].sample_id == 'h36m/S5/SittingDown/54138969/0'
    assert exact[3]['data_samples'].action == 'WalkDog'


def test_our_calibration_is_the_one_that_mmpose_ships(reference_data):
    theirs = load_pickle(reference_data / 'mmpose' / 'h36m' / 'cameras.pkl')
    ours = mmpose_cameras()
    assert ours.keys() <= theirs.keys()
    for key, entry in ours.items():
        assert entry.keys() == theirs[key].keys()
        for name, value in entry.items():
            if isinstance(value, np.ndarray):
                np.testing.assert_allclose(value, theirs[key][name], atol=1e-4, err_msg=f'{key} {name}')
            elif name in ('w', 'h', 'id'):
                assert value == theirs[key][name]


def test_mmpose_cameras_round_trip():
    for (subject, camera_id), parameters in mmpose_cameras().items():
        one, other = camera_of_mmpose(parameters), human36m_camera(subject, camera_id)
        for name in ('focal', 'center', 'R', 't', 'distortion'):
            np.testing.assert_allclose(getattr(one, name), getattr(other, name), atol=1e-9)
        assert one.img_shape == other.img_shape


class Malicious:
    def __reduce__(self):
        return os.system, ('touch compromised',)


def test_a_pickle_that_runs_code_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.savez(tmp_path / 'data_3d_h36m.npz', positions_3d=np.array({'S1': Malicious()}, dtype=object))
    with pytest.raises(
        UnsafePickleError, match=r'data_3d_h36m\.npz\[positions_3d\.npy\]: refused to unpickle posix\.system'
    ):
        convert_videopose3d(tmp_path / 'data_3d_h36m.npz', tmp_path / 'out')
    (tmp_path / 'cameras.pkl').write_bytes(pickle.dumps({('S1', '1'): Malicious()}))
    with pytest.raises(UnsafePickleError, match='refused to unpickle'):
        load_pickle(tmp_path / 'cameras.pkl')
    assert not (tmp_path / 'compromised').exists()
    assert not (tmp_path / 'out').exists()


def test_the_dataset_refuses_a_camera_file_that_runs_code(converted, tmp_path):
    (tmp_path / 'cameras.pkl').write_bytes(pickle.dumps(Malicious()))
    (tmp_path / 'ann.npz').write_bytes((converted / 'annotation_body3d/fps50/h36m_test.npz').read_bytes())
    with pytest.raises(UnsafePickleError):
        Human36MLiftingDataset(str(tmp_path), 'ann.npz', 'cameras.pkl')


def test_damaged_archives_are_named(archives, tmp_path):
    positions = archives / 'data_3d_h36m.npz'
    content = positions.read_bytes()
    (tmp_path / 'cut.npz').write_bytes(content[: len(content) // 2])
    with pytest.raises(ValueError, match=r'cut\.npz: not a complete npz'):
        convert_videopose3d(tmp_path / 'cut.npz', tmp_path / 'out')
    with pytest.raises(FileNotFoundError, match=r'none\.npz'):
        convert_videopose3d(tmp_path / 'none.npz', tmp_path / 'out')
    with pytest.raises(ValueError, match=r'not positions_3d; expected data_3d_h36m\.npz'):
        convert_videopose3d(archives / f'data_2d_h36m_{DETECTIONS}.npz', tmp_path / 'out')
    np.savez(tmp_path / 'few.npz', positions_2d={'S1': {}}, metadata={'num_joints': 17})
    with pytest.raises(ValueError, match=r"few\.npz: nothing for S1 'Directions 1' camera 0"):
        convert_videopose3d(positions, tmp_path / 'out', {'few': tmp_path / 'few.npz'})
    np.savez(tmp_path / 'coco.npz', positions_2d={}, metadata={'num_joints': 14})
    with pytest.raises(ValueError, match='14 joints'):
        convert_videopose3d(positions, tmp_path / 'out', {'coco': tmp_path / 'coco.npz'})
    np.savez(tmp_path / 'odd.npz', positions_3d={'S1': {'Walking': np.zeros((5, 14, 3))}})
    with pytest.raises(ValueError, match=r"S1 'Walking' has shape \(5, 14, 3\)"):
        convert_videopose3d(tmp_path / 'odd.npz', tmp_path / 'out')
    np.savez(tmp_path / 'who.npz', positions_3d={'S3': {'Walking': np.zeros((5, 17, 3))}})
    with pytest.raises(ValueError, match='no calibrated cameras for subjects S3'):
        convert_videopose3d(tmp_path / 'who.npz', tmp_path / 'out')


def test_a_conversion_that_fails_leaves_no_part_of_a_file(archives, tmp_path, monkeypatch):
    def run_out_of_space(path, **arrays):
        path.write_bytes(b'half')
        raise OSError('no space left on device')

    monkeypatch.setattr(np, 'savez', run_out_of_space)
    with pytest.raises(OSError, match='no space left'):
        convert_videopose3d(archives / 'data_3d_h36m.npz', tmp_path)
    assert [path for path in tmp_path.rglob('*') if path.is_file()] == []


def test_a_truncated_member_is_named(archives, tmp_path):
    with zipfile.ZipFile(archives / 'data_3d_h36m.npz') as archive:
        content = archive.read('positions_3d.npy')
    with zipfile.ZipFile(tmp_path / 'part.npz', 'w') as archive:
        archive.writestr('positions_3d.npy', content[:-100])
    with pytest.raises(ValueError, match=r'part\.npz\[positions_3d\.npy\]: truncated'):
        load_object_npz(tmp_path / 'part.npz')


@pytest.mark.usefixtures('needs_mmpose')
def test_missing_and_misfit_files_are_named(converted, tmp_path):
    with pytest.raises(FileNotFoundError, match='ann_file .*none.npz'):
        Human36MLiftingDataset(str(converted), 'none.npz')
    content = (converted / 'annotation_body3d/fps50/h36m_test.npz').read_bytes()
    (converted / 'cut.npz').write_bytes(content[: len(content) // 2])
    with pytest.raises(ValueError, match=r'cut\.npz: MMPose cannot read it'):
        Human36MLiftingDataset(str(converted), 'cut.npz')
    with pytest.raises(ValueError, match='needs keypoint_2d_det_file'):
        open_dataset(converted, keypoint_2d_src='detection')
    np.save(converted / 'misfit.npy', np.zeros((3, 17, 3)))
    with pytest.raises(ValueError, match=r'misfit\.npy: keypoints have shape \(3, 17, 3\), expected \(168, 17, 3\)'):
        open_dataset(converted, keypoint_2d_src='detection', keypoint_2d_det_file='misfit.npy')
    with np.load(converted / 'annotation_body3d/fps50/h36m_test.npz') as data:
        arrays = dict(data)
    arrays['part'] = arrays['part'].copy()
    arrays['part'][7, 3, 0] = np.nan
    np.savez(converted / 'nan.npz', **arrays)
    with pytest.raises(ValueError, match=r'nan\.npz: keypoints of S9/.*_000008\.jpg are not finite \(1 frames'):
        Human36MLiftingDataset(str(converted), 'nan.npz')
