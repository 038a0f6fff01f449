"""The ASF/AMC reader on a skeleton with analytically known poses."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from posediff.datasets.converters.asf_amc import asf_joint_positions, read_amc
from posediff.datasets.converters.asf_skeleton import read_asf

# An upper arm of 2 along x whose angles are given in axes turned by 90 degrees about z, and a forearm of 1 along x.
SKELETON = """# comment
:version 1.10
:name test
:units
  mass 1.0
  length 0.45
  angle deg
:documentation
  nothing here matters
:root
  order TX TY TZ RX RY RZ
  axis XYZ
  position 0 0 0
  orientation 0 0 0
:bonedata
  begin
    id 1
    name upper
    direction 1 0 0
    length 2
    axis 0 0 90 XYZ
    dof rx ry rz
    limits (-160.0 20.0)
           (-70.0 70.0)
           (-60.0 70.0)
  end
  begin
    id 2
    name fore
    direction 1 0 0
    length 1
    axis 0 0 0 XYZ
    dof rz
    limits (-160.0 20.0)
  end
  begin
    id 3
    name tip
    direction 0 1 0
    length 0.5
    axis 0 0 0 XYZ
  end
:hierarchy
  begin
    root upper
    upper fore
    fore tip
  end
"""


def write(folder: Path, motion: str, skeleton: str = SKELETON) -> tuple[Path, Path]:
    (folder / 'a.asf').write_text(skeleton)
    (folder / 'a.amc').write_text(motion)
    return folder / 'a.asf', folder / 'a.amc'


def frame(number: int, root: str = '0 0 0 0 0 0', upper: str = '0 0 0', fore: str = '0') -> str:
    return f'{number}\nroot {root}\nupper {upper}\nfore {fore}\n'


def positions(folder: Path, *frames: str) -> dict[str, np.ndarray]:
    skeleton_path, motion_path = write(folder, ':FULLY-SPECIFIED\n:DEGREES\n' + ''.join(frames))
    skeleton = read_asf(skeleton_path)
    return asf_joint_positions(skeleton, read_amc(motion_path, skeleton))


def test_rest_pose_and_root_translation(tmp_path):
    found = positions(tmp_path, frame(1), frame(2, root='1 2 3 0 0 0'))
    np.testing.assert_allclose(found['root'], [[0, 0, 0], [1, 2, 3]])
    np.testing.assert_allclose(found['upper'], [[2, 0, 0], [3, 2, 3]], atol=1e-12)
    np.testing.assert_allclose(found['tip'], [[3, 0.5, 0], [4, 2.5, 3]], atol=1e-12)


def test_angles_turn_about_the_axes_of_the_bone(tmp_path):
    # The bone's y axis is the global -x: turning about it leaves the upper arm. Its x axis is the global y.
    found = positions(tmp_path, frame(1, upper='0 90 0'), frame(2, upper='90 0 0'), frame(3, upper='0 0 90'))
    np.testing.assert_allclose(found['upper'][0], [2, 0, 0], atol=1e-12)
    np.testing.assert_allclose(found['upper'][1], [0, 0, -2], atol=1e-12)
    np.testing.assert_allclose(found['upper'][2], [0, 2, 0], atol=1e-12)


def test_children_inherit_rotations(tmp_path):
    found = positions(tmp_path, frame(1, root='0 0 0 0 0 90', fore='90'))
    np.testing.assert_allclose(found['upper'], [[0, 2, 0]], atol=1e-12)
    np.testing.assert_allclose(found['fore'], [[-1, 2, 0]], atol=1e-12)
    np.testing.assert_allclose(found['tip'], [[-1, 1.5, 0]], atol=1e-12)


def test_x_is_turned_before_y_before_z(tmp_path):
    found = positions(tmp_path, frame(1, root='0 0 0 90 0 90'))
    # x then z: the tip's offset (0, 0.5, 0) goes to (0, 0, 0.5) and stays; the arm goes from x to y
    np.testing.assert_allclose(found['fore'], [[0, 3, 0]], atol=1e-12)
    np.testing.assert_allclose(found['tip'], [[0, 3, 0.5]], atol=1e-12)


@pytest.mark.parametrize(
    ('motion', 'message'),
    [
        (frame(1) + '2\nroot 0 0 0 0 0 0\nupper 0 0 0\n', 'truncated'),
        (frame(1) + '2\nroot 0 0 0 0 0 0\nupper 0 0', "'upper' has 2 values"),
        ('1\nroot 0 0 0 0 0 0\nwing 1\n', "'wing' has 1 values"),
        (frame(1, upper='0 x 0'), 'upper has something that is not a number'),
        (frame(1) + frame(3), 'frame 3 follows frame 1'),
        (frame(1).replace('fore', 'upper 0 0 0\nfore'), "'upper' occurs twice"),
        (':SAMPLES-PER-SECOND 0\n' + frame(1), 'must be positive, got 0'),
        (':SAMPLES-PER-SECOND many\n' + frame(1), "is 'many', expected 1 numbers"),
        (':DEGREES\n', 'no frames'),
    ],
)
def test_damaged_motion_is_named(tmp_path, motion, message):
    skeleton_path, motion_path = write(tmp_path, motion)
    skeleton = read_asf(skeleton_path)
    with pytest.raises(ValueError, match=message) as error:
        read_amc(motion_path, skeleton)
    assert 'a.amc' in str(error.value)


@pytest.mark.parametrize(
    ('skeleton', 'message'),
    [
        (SKELETON[: SKELETON.index(':hierarchy')], 'hierarchy is missing'),
        (SKELETON.replace('length 2\n', ''), "'upper' is incomplete"),
        (SKELETON.replace('root upper', 'elsewhere upper'), 'not connected'),
        (SKELETON.replace('dof rx ry rz', 'dof tx ty tz rx ry rz l'), "'upper' has channels other than rotations"),
        (SKELETON.replace('dof rz', 'dof l'), "'fore' changes its length"),
        (SKELETON.replace('dof rz', 'dof rz rz'), "'fore' has channels other than rotations"),
        (SKELETON.replace('name fore', 'name UPPER'), "'upper' occurs twice"),
        (SKELETON.replace('length 0.45', 'length 0'), 'length must be positive'),
        (SKELETON.replace('angle deg', 'angle gon'), "angle is 'gon', expected deg or rad"),
        (
            SKELETON.replace('order TX TY TZ RX RY RZ', 'order TX TY TZ RX RY'),
            'the root has the channels tx ty tz rx ry',
        ),
        (SKELETON.replace('axis 0 0 90 XYZ', 'axis 0 0 90 XYY'), "has the order 'xyy'"),
        (SKELETON.replace('direction 0 1 0', 'direction 0 one 0'), "'tip' is malformed: direction"),
    ],
)
def test_damaged_skeleton_is_named(tmp_path, skeleton, message):
    path, _ = write(tmp_path, '', skeleton)
    with pytest.raises(ValueError, match=message):
        read_asf(path)


OTHER_LABORATORY = SKELETON.translate(str.maketrans({'(': '[', ')': ']'})).upper().replace('1 0 0', '(1, 0, 0)')


@pytest.mark.parametrize(
    'encode',
    [
        lambda text: text.encode(),
        lambda text: text.replace('\n', '\r\n').encode(),
        lambda text: text.encode('utf-8-sig'),
        lambda text: text.encode('utf-16'),
        lambda text: text.replace('\n', '\n\n').encode(),
    ],
    ids=['plain', 'crlf', 'mark', 'utf-16', 'blank-lines'],
)
def test_files_of_other_laboratories_say_the_same(tmp_path, encode):
    motion = ':FULLY-SPECIFIED\n:DEGREES\n' + frame(7, '1 2 3 10 20 30', '5 -6 7', '40')
    expected = positions(tmp_path, frame(7, '1 2 3 10 20 30', '5 -6 7', '40'))
    (tmp_path / 'a.asf').write_bytes(encode(OTHER_LABORATORY))
    (tmp_path / 'a.amc').write_bytes(encode(motion.replace('upper 5 -6', 'Upper (5, -6,').replace('root', 'ROOT')))
    skeleton = read_asf(tmp_path / 'a.asf')
    found = asf_joint_positions(skeleton, read_amc(tmp_path / 'a.amc', skeleton))
    assert found.keys() == expected.keys()
    for name, values in expected.items():
        np.testing.assert_array_equal(found[name], values)


@pytest.mark.parametrize(('skeleton_unit', 'motion_unit'), [('rad', ''), ('rad', ':RADIANS\n'), ('rad', ':DEGREES\n')])
def test_angles_in_radians(tmp_path, skeleton_unit, motion_unit):
    expected = positions(tmp_path, frame(1, '1 2 3 10 20 30', '5 -6 7', '40'))
    scale = 1.0 if motion_unit == ':DEGREES\n' else np.pi / 180
    root, upper, fore = (
        ' '.join(str(value * scale) for value in angles) for angles in ([10, 20, 30], [5, -6, 7], [40])
    )
    text = SKELETON.replace('angle deg', f'angle {skeleton_unit}').replace('0 0 90', f'0 0 {np.pi / 2}')
    skeleton_path, motion_path = write(tmp_path, motion_unit + frame(1, f'1 2 3 {root}', upper, fore), text)
    skeleton = read_asf(skeleton_path)
    found = asf_joint_positions(skeleton, read_amc(motion_path, skeleton))
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values, atol=1e-9)


def test_channels_in_another_order_are_the_same_motion(tmp_path):
    expected = positions(tmp_path, frame(1, '1 2 3 10 20 30', '5 -6 7'))
    text = SKELETON.replace('order TX TY TZ RX RY RZ', 'order RZ RX RY TZ TY TX').replace(
        'dof rx ry rz', 'dof rz rx ry'
    )
    skeleton_path, motion_path = write(tmp_path, frame(1, '30 10 20 3 2 1', '7 5 -6'), text)
    skeleton = read_asf(skeleton_path)
    found = asf_joint_positions(skeleton, read_amc(motion_path, skeleton))
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values, atol=1e-12)


def test_the_axis_says_about_what_a_bone_turns_first(tmp_path):
    text = SKELETON.replace('axis 0 0 90 XYZ', 'axis 90 0 0 ZYX')
    skeleton_path, motion_path = write(tmp_path, frame(1, upper='90 0 90'), text)
    skeleton = read_asf(skeleton_path)
    found = asf_joint_positions(skeleton, read_amc(motion_path, skeleton))
    # in the bone's axes the arm lies along -y: z turns it to x, which x then leaves; that is the global y
    np.testing.assert_allclose(found['upper'], [[0, 2, 0]], atol=1e-12)


def test_unit_and_rate_are_those_of_the_files(tmp_path):
    skeleton_path, motion_path = write(tmp_path, ':samples-per-second 59.94\n' + frame(1))
    skeleton = read_asf(skeleton_path)
    assert skeleton.metres_per_unit == 0.0254 / 0.45
    assert read_amc(motion_path, skeleton).samples_per_second == 59.94
    other = SKELETON.replace('length 0.45', 'LENGTH 1.0').replace(':root', ':SAMPLES-PER-SECOND 30\n:root')
    skeleton_path, motion_path = write(tmp_path, frame(1), other)
    skeleton = read_asf(skeleton_path)
    assert skeleton.metres_per_unit == 0.0254
    assert read_amc(motion_path, skeleton).samples_per_second == 30
    skeleton_path, motion_path = write(tmp_path, frame(1), SKELETON.replace('  length 0.45\n', ''))
    skeleton = read_asf(skeleton_path)
    assert skeleton.length is None
    assert skeleton.metres_per_unit == 0.0254 / 0.45
    assert read_amc(motion_path, skeleton).samples_per_second is None


def test_a_missing_file_is_missing(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_asf(tmp_path / 'none.asf')
