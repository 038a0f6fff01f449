"""The ASF/AMC reader on a skeleton whose poses are known in closed form."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from posediff.datasets.converters.asf_amc import asf_joint_positions, read_amc, read_asf

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
        (':RADIANS\n' + frame(1), 'radians'),
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
    ],
)
def test_damaged_skeleton_is_named(tmp_path, skeleton, message):
    path, _ = write(tmp_path, '', skeleton)
    with pytest.raises(ValueError, match=message):
        read_asf(path)


def test_a_missing_file_is_missing(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_asf(tmp_path / 'none.asf')
