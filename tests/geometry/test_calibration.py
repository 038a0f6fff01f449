"""Calibration files in both forms, and what is wrong with others."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from posediff.geometry.calibration import find_camera, read_calibration

TURN, PLACE = np.array([0.3, -0.2, 0.1]), np.array([0.5, -0.25, 3.0])
TOML = f"""
[cam_01]
name = "left"
size = [640.0, 480.0]
matrix = [[700.0, 0.0, 322.0], [0.0, 705.0, 238.0], [0.0, 0.0, 1.0]]
distortions = [-0.05, 0.1, 0.001, -0.0005]
rotation = {TURN.tolist()}
translation = {PLACE.tolist()}
[metadata]
adjusted = false
"""
QUALISYS = """<?xml version='1.0'?>
<calibration><cameras><camera serial="cam7">
<fov_video left="0" top="0" right="639" bottom="479"/>
<transform r11="1" r12="0" r13="0" r21="0" r22="0" r23="1" r31="0" r32="-1" r33="0" x="100" y="-3000" z="900"/>
<intrinsic focalLengthU="44800" focalLengthV="45120" centerPointU="20608" centerPointV="15232"
 radialDistortion1="-0.05" radialDistortion2="0.1" radialDistortion3="0" tangentalDistortion1="0.001"
 tangentalDistortion2="-0.0005"/>
</camera></cameras></calibration>
"""


@pytest.fixture
def files(tmp_path):
    (tmp_path / 'calib.toml').write_text(TOML)
    (tmp_path / 'calib.qca.txt').write_text(QUALISYS)
    return tmp_path


def test_a_table_of_pose2sim(files):
    cameras = read_calibration(files / 'calib.toml')
    assert list(cameras) == ['left']
    found = cameras['left']
    assert found.camera.img_shape == (480, 640)
    np.testing.assert_allclose(found.camera.R, Rotation.from_rotvec(TURN).as_matrix())
    np.testing.assert_allclose(found.camera.t, 1000 * PLACE)  # mm
    np.testing.assert_allclose(found.matrix, [[700, 0, 322], [0, 705, 238], [0, 0, 1]])


def test_cameras_in_a_table_of_their_own(files):
    (files / 'nested.toml').write_text(TOML.replace('[cam_01]\nname = "left"', '[cameras.left]'))
    cameras = read_calibration(files / 'nested.toml')
    assert list(cameras) == ['left']
    np.testing.assert_array_equal(cameras['left'].matrix, read_calibration(files / 'calib.toml')['left'].matrix)


def test_a_camera_of_qualisys_looks_where_it_looks(files):
    """It stands 3 m in front of the origin, 0.9 m up, and looks along +y: what is above the origin is above in the
    picture."""
    found = read_calibration(files / 'calib.qca.txt')['cam7']
    np.testing.assert_allclose(found.camera.position, [100, -3000, 900], atol=1e-9)
    seen = found.camera.R @ np.array([100, 0, 1900]) + found.camera.t
    np.testing.assert_allclose(seen, [0, -1000, 3000], atol=1e-9)
    np.testing.assert_allclose(found.matrix, [[700, 0, 322], [0, 705, 238], [0, 0, 1]])


@pytest.mark.parametrize('name', ['calib.toml', 'calib.qca.txt'])
def test_undistorted_is_where_opencv_distorts_from(files, name):
    (found,) = read_calibration(files / name).values()
    points = np.random.default_rng(0).uniform(-0.5, 0.5, (6, 3)) + [0, 0, 3]
    lens = cv2.projectPoints(points, np.zeros(3), np.zeros(3), found.matrix, found.distortion)[0].reshape(2, 3, 2)
    pinhole = cv2.projectPoints(points, np.zeros(3), np.zeros(3), found.matrix, None)[0].reshape(2, 3, 2)
    lens[0, 0] = np.nan
    undistorted = found.undistort(lens)
    assert np.isnan(undistorted[0, 0]).all()
    np.testing.assert_allclose(undistorted.reshape(-1, 2)[1:], pinhole.reshape(-1, 2)[1:], atol=1e-3)


COEFFICIENTS = [-0.05, 0.1, 0.001, -0.0005, 0.02, 0.03, -0.02, 0.01, 0.002, -0.001, 0.003, 0.001, 0.01, -0.02]


@pytest.mark.parametrize('count', [4, 5, 8, 12, 14])
def test_every_lens_of_opencv_is_taken_as_opencv_defines_it(files, count):
    text = TOML.replace('[-0.05, 0.1, 0.001, -0.0005]', str(COEFFICIENTS[:count]))
    (files / 'calib.toml').write_text(text)
    found = read_calibration(files / 'calib.toml')['left']
    points = np.random.default_rng(0).uniform(-0.4, 0.4, (8, 3)) + [0, 0, 3]
    lens = cv2.projectPoints(points, np.zeros(3), np.zeros(3), found.matrix, np.array(COEFFICIENTS[:count]))[0]
    pinhole = cv2.projectPoints(points, np.zeros(3), np.zeros(3), found.matrix, None)[0]
    assert np.abs(lens - pinhole).max() > 0.1
    np.testing.assert_allclose(found.undistort(lens[:, 0]), pinhole[:, 0], atol=1e-2)


@pytest.mark.parametrize('coefficients', [[-0.05, 0.01, 0.03, -0.02], [0.0, 0.0, 0.0, 0.0]])
def test_a_fisheye_lens(files, coefficients):
    """Without coefficients as well: equal angles then have equal distances in the picture."""
    text = TOML.replace('[-0.05, 0.1, 0.001, -0.0005]', f'{coefficients}\nfisheye = true')
    (files / 'calib.toml').write_text(text)
    found = read_calibration(files / 'calib.toml')['left']
    points = np.random.default_rng(0).uniform(-3, 3, (1, 8, 3)) + [0, 0, 5]
    lens = cv2.fisheye.projectPoints(points, np.zeros(3), np.zeros(3), found.matrix, np.array(coefficients))[0][0]
    pinhole = points[0, :, :2] / points[0, :, 2:] @ found.matrix[:2, :2].T + found.matrix[:2, 2]
    assert np.abs(lens - pinhole).max() > 10
    np.testing.assert_allclose(found.undistort(lens), pinhole, atol=1e-2)
    strange = np.array([[np.nan, 3.0], [1e6, 1e6], lens[0]])  # the second is seen from behind the camera
    assert np.isnan(found.undistort(strange)).all(-1).tolist() == [True, True, False]


def test_two_cameras_of_one_name_are_refused(files):
    (files / 'calib.toml').write_text(TOML + TOML.replace('cam_01', 'cam_02').split('[metadata]')[0])
    with pytest.raises(ValueError, match=r"calib\.toml: 2 cameras are called 'left'"):
        read_calibration(files / 'calib.toml')
    text = QUALISYS.replace(
        '</cameras>', QUALISYS[QUALISYS.index('<camera ') : QUALISYS.index('</cameras>')] + '</cameras>'
    )
    (files / 'calib.qca.txt').write_text(text)
    with pytest.raises(ValueError, match=r"calib\.qca\.txt: 2 cameras are called 'cam7'"):
        read_calibration(files / 'calib.qca.txt')


def test_a_byte_order_mark_is_no_part_of_the_file(files):
    for name, text in (('calib.toml', TOML), ('calib.qca.txt', QUALISYS)):
        (files / name).write_text(text, encoding='utf-8-sig')
        assert len(read_calibration(files / name)) == 1
    (files / 'calib.toml').rename(files / 'CALIB.TOML')
    assert list(read_calibration(files / 'CALIB.TOML')) == ['left']


def test_the_camera_of_a_video(files):
    assert find_camera(files / 'calib.toml', None, (480, 640)).name == 'left'
    cut = find_camera(files / 'calib.toml', 'left', (480, 632), max_crop=8)
    assert cut.camera.img_shape == (480, 632)
    np.testing.assert_allclose(cut.camera.center, [322, 238])
    with pytest.raises(ValueError, match='calibrated for 640x480 px, the video has 632x480; --max-crop 8'):
        find_camera(files / 'calib.toml', 'left', (480, 632))
    with pytest.raises(ValueError, match='the video has 1280x960$'):
        find_camera(files / 'calib.toml', 'left', (960, 1280), max_crop=8)
    with pytest.raises(ValueError, match='has no camera right: it has left'):
        find_camera(files / 'calib.toml', 'right', (480, 640))


@pytest.mark.parametrize(
    ('name', 'before', 'after', 'said'),
    [
        ('calib.toml', '700.0, 0.0', 'nan, 0.0', 'camera cam_01: ValueError: a 3x3 matrix'),
        ('calib.toml', 'size =', 'sizes =', "camera cam_01: KeyError: 'size'"),
        ('calib.toml', '-0.0005]', '-0.0005, 0.0, 0.0]', '6 distortion coefficients; a lens has 0, 4, 5, 8, 12, 14'),
        ('calib.toml', '0.001, -0.0005]', '0.001]', 'camera cam_01: ValueError: 3 distortion coefficients'),
        ('calib.toml', '-0.0005]', '-0.0005, 0]\nfisheye = true', '5 distortion coefficients; a fisheye lens has 4'),
        ('calib.toml', 'name =', 'fisheye = "yes"\nname =', "fisheye is 'yes', expected true or false"),
        ('calib.toml', '[0.0, 0.0, 1.0]', '[0.0, 0.0, 2.0]', r'its matrix is not \[\[fx, 0, cx\]'),
        ('calib.toml', '[700.0, 0.0, ', '[700.0, 5.0, ', r'its matrix is not \[\[fx, 0, cx\]'),
        ('calib.toml', ', [0.0, 0.0, 1.0]]', ']', 'a 3x3 matrix'),
        ('calib.toml', 'size = [640.0, 480.0]', 'size = [640.0]', 'size holds 1 numbers, expected 2'),
        ('calib.toml', '0.1]\ntrans', '0.1, 0.2]\ntrans', 'rotation holds 4 numbers, expected 3'),
        (
            'calib.toml',
            ', 3.0]',
            ', inf]',
            r'camera cam_01: ValueError: its translation must be finite, got \[500.0, -250.0',
        ),
        ('calib.toml', '0.1, 0.001', 'nan, 0.001', r'its distortions must be finite, got \[-0.05, nan'),
        ('calib.toml', '[cam_01]', '[cam_01', 'calib.toml: TOMLDecodeError'),
        (
            'calib.toml',
            'matrix',
            'matrices',
            r'has no camera; expected a file of Pose2Sim, .* \(.toml\) or of Qualisys',
        ),
        ('calib.qca.txt', 'r11="1"', 'r11="2"', 'camera cam7: ValueError: its rotation is not a rotation matrix'),
        ('calib.qca.txt', 'x="100"', 'x="left"', "camera cam7: KeyError: 'x'"),
        ('calib.qca.txt', '</cameras>', '', 'it is not XML .*; expected a file of Pose2Sim'),
        ('calib.qca.txt', "<?xml version='1.0'?>", '%YAML:1.0', 'it is not XML .*; expected a file of Pose2Sim'),
    ],
)
def test_what_is_wrong_is_named(files, name, before, after, said):
    text = (files / name).read_text()
    assert before in text
    (files / name).write_text(text.replace(before, after))
    with pytest.raises(ValueError, match=said):
        read_calibration(files / name)
    with pytest.raises(FileNotFoundError, match='calibration file no.toml does not exist'):
        read_calibration('no.toml')


@pytest.mark.parametrize(
    ('key', 'other'),
    [
        ('distortions = ', 'distortion = '),
        ('distortions = ', 'dist_coeffs = '),
        ('[metadata]', 'Fisheye = true\n[metadata]'),
        ('[metadata]', 'camera_model = "fisheye"\n[metadata]'),
    ],
)
def test_a_lens_described_by_other_keys_is_refused(files, key, other):
    (files / 'calib.toml').write_text(TOML.replace(key, other))
    with pytest.raises(ValueError, match=rf'calib\.toml, camera cam_01: ValueError: {other.split()[0]} is not read'):
        read_calibration(files / 'calib.toml')
