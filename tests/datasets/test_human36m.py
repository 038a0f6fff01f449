"""Conversion of VideoPose3D's archives and windows of the result, on synthetic archives and MMPose's test files."""

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
from posediff.fileio.restricted_pickle import UnsafePickleError, load_object_npz, load_pickle
from posediff.structures.skeletons import COCO17

DETECTIONS = 'cpn_ft_h36m_dbb'


@pytest.fixture(scope='module')
def archives(tmp_path_factory):
    """Write archives with the structure of data_3d_h36m.npz and data_2d_h36m_cpn_ft_h36m_dbb.npz."""
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
                pixels = np.concatenate([pixels, pixels[-2:]])  # the real archives have a few surplus frames
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
    """In MMPose's test files, keypoints equal the projected joints to 1e-3 px, and detections are near, as of a CPN."""
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
    np.savez(tmp_path / 'few.npz', positions_2d={'S1': {}}, metadata={'layout_name': 'h36m', 'num_joints': 17})
    with pytest.raises(ValueError, match=r"few\.npz: nothing for S1 'Directions 1' camera 0"):
        convert_videopose3d(positions, tmp_path / 'out', {'few': tmp_path / 'few.npz'})
    np.savez(tmp_path / 'coco.npz', positions_2d={}, metadata={'num_joints': 14})
    with pytest.raises(ValueError, match='14 joints'):
        convert_videopose3d(positions, tmp_path / 'out', {'coco': tmp_path / 'coco.npz'})
    assert not (tmp_path / 'out').exists()
    np.savez(tmp_path / 'odd.npz', positions_3d={'S1': {'Walking': np.zeros((5, 14, 3))}})
    with pytest.raises(ValueError, match=r"S1 'Walking' has shape \(5, 14, 3\)"):
        convert_videopose3d(tmp_path / 'odd.npz', tmp_path / 'out')
    np.savez(tmp_path / 'who.npz', positions_3d={'S3': {'Walking': np.zeros((5, 17, 3))}})
    with pytest.raises(ValueError, match='no calibrated cameras for subjects S3'):
        convert_videopose3d(tmp_path / 'who.npz', tmp_path / 'out')


@pytest.mark.parametrize(
    ('change', 'said'),
    [
        ({'layout_name': 'halpe'}, "its layout of joints is 'halpe'; known: h36m, coco"),
        ({'layout_name': 'coco'}, r'keypoints_symmetry .* is not that of the layout coco17'),
        ({'keypoints_symmetry': [[1, 2, 3], [4, 5, 6]]}, r'is not that of the layout h36m17'),
        ({'layout_name': None, 'keypoints_symmetry': None}, r'does not say the order of joints .*--layout h36m\|coco'),
        ({'num_joints': 16}, '16 joints, expected 17'),
        (
            {'video_metadata': {'S1': {'w': 1000, 'h': 1002}, 'S9': {'w': 500, 'h': 501}}},
            "keypoints of 'S9' are of pictures of 500x501 px, those of Human3.6M have 1000x1000 or 1000x1002",
        ),
    ],
)
def test_metadata_of_detections_is_obeyed(archives, tmp_path, change, said):
    source = load_object_npz(archives / f'data_2d_h36m_{DETECTIONS}.npz')
    metadata = {name: value for name, value in (source['metadata'] | change).items() if value is not None}
    np.savez(tmp_path / 'odd.npz', positions_2d=source['positions_2d'], metadata=metadata)
    with pytest.raises(ValueError, match=rf'odd\.npz: .*{said}'):
        convert_videopose3d(archives / 'data_3d_h36m.npz', tmp_path / 'out', {'odd': tmp_path / 'odd.npz'})
    assert not (tmp_path / 'out').exists()


def test_a_layout_may_be_said_by_the_sides_or_the_caller(archives, converted, tmp_path):
    source = load_object_npz(archives / f'data_2d_h36m_{DETECTIONS}.npz')
    for name, metadata, layout in (
        ('sides', {'keypoints_symmetry': source['metadata']['keypoints_symmetry']}, None),
        ('caller', {}, 'h36m'),
    ):
        np.savez(tmp_path / f'{name}.npz', positions_2d=source['positions_2d'], metadata=metadata)
        convert_videopose3d(
            archives / 'data_3d_h36m.npz', tmp_path / name, {name: tmp_path / f'{name}.npz'}, layout=layout
        )
        found = np.load(tmp_path / name / f'joint_2d_det_files/{name}_test.npy')
        np.testing.assert_array_equal(found, np.load(converted / f'joint_2d_det_files/{DETECTIONS}_test.npy'))
    with pytest.raises(ValueError, match="its layout of joints is 'h36m', not 'coco'"):
        convert_videopose3d(
            archives / 'data_3d_h36m.npz',
            tmp_path / 'out',
            {'cpn': archives / f'data_2d_h36m_{DETECTIONS}.npz'},
            layout='coco',
        )


def test_coco_joints_are_converted(archives, tmp_path):
    source = load_object_npz(archives / f'data_2d_h36m_{DETECTIONS}.npz')['positions_2d']
    sides = [[1, 3, 5, 7, 9, 11, 13, 15], [2, 4, 6, 8, 10, 12, 14, 16]]
    metadata = {'layout_name': 'coco', 'num_joints': 17, 'keypoints_symmetry': sides}
    np.savez(tmp_path / 'coco.npz', positions_2d=source, metadata=metadata)
    convert_videopose3d(archives / 'data_3d_h36m.npz', tmp_path / 'out', {'coco': tmp_path / 'coco.npz'})
    actions = {'Walking': 30, 'Sitting 1': 12}
    given = np.concatenate(
        [source['S9'][action][camera][:frames] for action, frames in actions.items() for camera in range(4)]
    )
    found = np.load(tmp_path / 'out' / 'joint_2d_det_files' / 'coco_test.npy')
    assert found.shape == (168, 17, 3)
    names = {name: index for index, name in enumerate(COCO17.joint_names)}
    for joint, name in (
        (1, 'right_hip'),
        (5, 'left_knee'),
        (6, 'left_ankle'),
        (11, 'left_shoulder'),
        (16, 'right_wrist'),
    ):
        np.testing.assert_allclose(found[:, joint, :2], given[:, names[name]], rtol=1e-6)
    hips = (given[:, names['left_hip']] + given[:, names['right_hip']]) / 2
    np.testing.assert_allclose(found[:, 0, :2], hips, rtol=1e-5)


@pytest.mark.parametrize(
    ('change', 'said'),
    [
        (lambda keypoints: keypoints / 1000, r'0\.\d+ to .* of pictures 1000 px wide: they are normalised'),
        (lambda keypoints: keypoints / 500 - 1, 'they are normalised, px are expected'),
        (
            lambda keypoints: np.where(keypoints > 620, keypoints, keypoints / 1000),
            'most coordinates lie .* normalised',
        ),
        (lambda keypoints: keypoints[:5], r'shape \(5, 17, 2\), expected \(40, 17, 2\)'),
        (lambda keypoints: np.repeat(keypoints, 2, axis=0), '84 frames for 40 poses: keypoints of another frame rate'),
        (lambda keypoints: np.where(keypoints > 300, np.nan, keypoints), 'holds NaN or infinite keypoints'),
    ],
)
def test_keypoints_that_are_none_of_these_pictures_are_refused(archives, tmp_path, change, said):
    source = load_object_npz(archives / f'data_2d_h36m_{DETECTIONS}.npz')
    keypoints = {
        subject: {action: [change(view) for view in views] for action, views in actions.items()}
        for subject, actions in source['positions_2d'].items()
    }
    np.savez(tmp_path / 'odd.npz', positions_2d=keypoints, metadata=source['metadata'])
    with pytest.raises(ValueError, match=rf"odd\.npz: S1 'Directions 1' camera 0:? .*{said}"):
        convert_videopose3d(archives / 'data_3d_h36m.npz', tmp_path / 'out', {'odd': tmp_path / 'odd.npz'})
    assert not (tmp_path / 'out').exists()


def test_what_was_left_out_or_converted_is_said(archives, tmp_path):
    said = []
    source = {DETECTIONS: archives / f'data_2d_h36m_{DETECTIONS}.npz'}
    convert_videopose3d(archives / 'data_3d_h36m.npz', tmp_path / 'out', source, say=said.append)
    assert [text.partition('npz: ')[2] for text in said] == [
        '24 frames beyond the last pose were left out, of 12 views',
        'has no data of S5, S6, S7, S8, S11',
    ]


def test_every_camera_needs_its_keypoints(archives, tmp_path):
    source = load_object_npz(archives / f'data_2d_h36m_{DETECTIONS}.npz')
    source['positions_2d']['S9']['Walking'].append(source['positions_2d']['S9']['Walking'][0])
    np.savez(tmp_path / 'odd.npz', **source)
    with pytest.raises(ValueError, match="S9 'Walking' has 5 cameras, expected 4"):
        convert_videopose3d(archives / 'data_3d_h36m.npz', tmp_path / 'out', {'odd': tmp_path / 'odd.npz'})


def scaled(archives, path, factor, **more):
    positions = load_object_npz(archives / 'data_3d_h36m.npz')['positions_3d']
    positions = {who: {name: joints * factor for name, joints in actions.items()} for who, actions in positions.items()}
    np.savez(path, positions_3d=positions, **more)
    return path


def test_the_unit_of_an_archive_is_never_guessed(archives, converted, tmp_path):
    path = scaled(archives, tmp_path / 'mm.npz', 1000)
    with pytest.raises(ValueError, match=r'mm\.npz: S1 measures \d+ m across .*Set --units m\|mm'):
        convert_videopose3d(path, tmp_path / 'out')
    assert not (tmp_path / 'out').exists()
    convert_videopose3d(path, tmp_path / 'said', units='mm')
    convert_videopose3d(
        scaled(archives, tmp_path / 'own.npz', 1000, metadata={'units': 'millimetres'}), tmp_path / 'stated'
    )
    expected = np.load(converted / 'annotation_body3d/fps50/h36m_test.npz')['S']
    for name in ('said', 'stated'):
        found = np.load(tmp_path / name / 'annotation_body3d/fps50/h36m_test.npz')['S']
        np.testing.assert_allclose(found, expected, atol=1e-5)
    with pytest.raises(ValueError, match="gives the unit 'millimetres', not 'm'"):
        convert_videopose3d(tmp_path / 'own.npz', tmp_path / 'out', units='m')
    with pytest.raises(ValueError, match=r'S1 measures 0\.00\d+ m across'):
        convert_videopose3d(archives / 'data_3d_h36m.npz', tmp_path / 'out', units='mm')
    with pytest.raises(ValueError, match=r'cm\.npz: S1 measures'):
        convert_videopose3d(scaled(archives, tmp_path / 'cm.npz', 100), tmp_path / 'out')


def test_one_action_in_another_unit_is_found(archives, tmp_path):
    positions = load_object_npz(archives / 'data_3d_h36m.npz')['positions_3d']
    positions['S9']['Sitting 1'] = positions['S9']['Sitting 1'] * 1000
    np.savez(tmp_path / 'mixed.npz', positions_3d=positions)
    with pytest.raises(ValueError, match=r"mixed\.npz: S9 'Sitting 1' measures \d+ m across"):
        convert_videopose3d(tmp_path / 'mixed.npz', tmp_path / 'out')


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
    for name, change, said in (
        ('S', np.array([1000, 1000, 1000, 1]), r'mm\.npz: S measures \d+ m across'),
        ('part', np.array([0.001, 0.001, 1]), r'mm\.npz: keypoints: all coordinates lie within'),
    ):
        np.savez(converted / 'mm.npz', **arrays | {name: arrays[name] * change})
        with pytest.raises(ValueError, match=said):
            Human36MLiftingDataset(str(converted), 'mm.npz')
    arrays['part'] = arrays['part'].copy()
    arrays['part'][7, 3, 0] = np.nan
    np.savez(converted / 'nan.npz', **arrays)
    with pytest.raises(ValueError, match=r'nan\.npz: keypoints of S9/.*_000008\.jpg are not finite \(1 frames'):
        Human36MLiftingDataset(str(converted), 'nan.npz')


def test_joints_that_a_detector_did_not_find_are_not_seen(archives, tmp_path):
    """Detectors write (0, 0) for them, and archives have no scores."""
    archive = archives / f'data_2d_h36m_{DETECTIONS}.npz'
    content = load_object_npz(archive)
    views = content['positions_2d']['S1']['Directions 1']
    content['positions_2d']['S1']['Directions 1'] = [view.copy() for view in views]
    content['positions_2d']['S1']['Directions 1'][0][:2, 3:5] = 0
    np.savez(tmp_path / 'data_2d_h36m_x.npz', **content)
    convert_videopose3d(archives / 'data_3d_h36m.npz', tmp_path / 'out', {'x': tmp_path / 'data_2d_h36m_x.npz'})
    scores = np.load(tmp_path / 'out' / 'joint_2d_det_files' / 'x_train.npy')[..., 2]
    assert np.argwhere(scores == 0).tolist() == [[0, 3], [0, 4], [1, 3], [1, 4]]
    assert scores.sum() == scores.size - 4
