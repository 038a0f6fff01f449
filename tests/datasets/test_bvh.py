"""The BVH reader on a skeleton with analytically known poses."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from posediff.datasets.converters.bvh import bvh_joint_frames, read_bvh

HEADER = """HIERARCHY
ROOT base
{
  OFFSET 0 0 0
  CHANNELS 6 Xposition Yposition Zposition Zrotation Yrotation Xrotation
  JOINT arm
  {
    OFFSET 2 0 0
    CHANNELS 3 Zrotation Xrotation Yrotation
    End Site
    {
      OFFSET 1 0 0
    }
  }
}
MOTION
"""


def read(folder, rows: list[str], frames: int | None = None):
    path = folder / 'a.bvh'
    count = len(rows) if frames is None else frames
    path.write_text(f'{HEADER}Frames: {count}\nFrame Time: 0.02\n' + '\n'.join(rows) + '\n')
    return read_bvh(path)


def test_translation_rotation_and_rate(tmp_path):
    motion = read(tmp_path, ['1 2 3 0 0 0 0 0 0', '0 0 0 90 0 0 90 0 0'])
    assert motion.fps == pytest.approx(50)
    positions, rotations = bvh_joint_frames(motion)
    np.testing.assert_allclose(positions['base'], [[1, 2, 3], [0, 0, 0]])
    np.testing.assert_allclose(positions['arm'], [[3, 2, 3], [0, 2, 0]], atol=1e-12)
    np.testing.assert_allclose(positions['arm_end'], [[4, 2, 3], [-1, 2, 0]], atol=1e-12)
    np.testing.assert_allclose(rotations['arm'][1] @ [1, 0, 0], [-1, 0, 0], atol=1e-12)


def test_each_rotation_turns_the_axes_of_the_next(tmp_path):
    positions, _ = bvh_joint_frames(read(tmp_path, ['0 0 0 0 0 0 90 90 0', '0 0 0 0 0 0 90 0 90']))
    # z 90 then the turned x 90: the bone along local x ends up along y; z 90 then y 90: local x goes to -z
    np.testing.assert_allclose(positions['arm_end'], [[2, 1, 0], [2, 0, -1]], atol=1e-12)


def test_positions_take_the_place_of_the_offset(tmp_path):
    header = HEADER.replace('CHANNELS 3 Zrotation', 'CHANNELS 5 Xposition Zposition Zrotation')
    path = tmp_path / 'a.bvh'
    path.write_text(
        header.replace('OFFSET 2 0 0', 'OFFSET 2 5 0') + 'Frames: 2\nFrame Time: 0.02\n'
        '1 2 3 0 0 0 2 0 0 0 0\n1 2 3 90 0 0 7 -1 0 0 0\n'
    )
    positions, _ = bvh_joint_frames(read_bvh(path))
    np.testing.assert_allclose(positions['arm'], [[3, 7, 3], [-4, 9, 2]], atol=1e-12)
    zero = path.read_text().replace('2 0 0 0 0\n', '0 0 0 0 0\n').replace('7 -1 0 0 0', '0 0 0 0 0')
    path.write_text(zero)
    with pytest.raises(ValueError, match=r"a\.bvh: the positions of joint 'arm' are 0 in every frame"):
        read_bvh(path)


OFFSETS = {'base': (0.5, 1, -2), 'arm': (2, 0, 0.25), 'hand': (1, -1, 0.5)}


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_positions_that_repeat_the_offset_change_nothing(tmp_path_factory, data):
    """Any joints and axes may have position channels, in any order among the rotations."""
    path = tmp_path_factory.mktemp('bvh') / 'a.bvh'
    turns = {name: data.draw(st.permutations('XYZ')) for name in OFFSETS}
    angles = {
        name: dict(zip('XYZ', data.draw(st.tuples(*[st.integers(-180, 180)] * 3)), strict=True)) for name in OFFSETS
    }

    def write(moves):
        header, row, close = 'HIERARCHY\n', [], ''
        for number, (name, offset) in enumerate(OFFSETS.items()):
            own = dict(zip('XYZ', offset, strict=True))
            channels = [*(f'{axis}position' for axis in moves[name]), *(f'{axis}rotation' for axis in turns[name])]
            row += [*(own[axis] for axis in moves[name]), *(angles[name][axis] for axis in turns[name])]
            header += f'{"JOINT" if number else "ROOT"} {name}\n{{\nOFFSET {offset[0]} {offset[1]} {offset[2]}\n'
            header += f'CHANNELS {len(channels)} {" ".join(channels)}\n'
            close += '}\n'
        header += 'End Site\n{\nOFFSET 0 1 0\n}\n' + close
        path.write_text(f'{header}MOTION\nFrames: 1\nFrame Time: 0.01\n{" ".join(map(str, row))}\n')
        return bvh_joint_frames(read_bvh(path))[0]

    without = write(dict.fromkeys(OFFSETS, ''))
    moves = {name: data.draw(st.lists(st.sampled_from('XYZ'), unique=True)) for name in OFFSETS}
    found = write(moves)
    for name, values in without.items():
        np.testing.assert_allclose(found[name], values, atol=1e-9)


@pytest.mark.parametrize(
    'change',
    [
        lambda text: text.replace('\n', '\r\n').encode(),
        lambda text: text.replace('\n', '\r').encode(),
        lambda text: text.encode('utf-8-sig'),
        lambda text: text.replace('base', 'Figure1_base').replace('arm', 'Figure1_arm').encode(),
        lambda text: text.encode('utf-16'),
        lambda text: text.replace('  ', '\t').replace('{', '{ ').encode(),
        lambda text: text.replace('End Site', 'END site').replace('Zrotation', 'zRotation').encode(),
        lambda text: text.replace('base', 'mixamorig:base').replace('JOINT arm', 'JOINT rig|mixamorig:arm').encode(),
        lambda text: text.replace('Frames: ', 'frames:').replace('Frame Time: 0.02', 'Frame Time:2.0e-02').encode(),
    ],
    ids=['crlf', 'cr', 'mark', 'prefix', 'utf-16', 'tabs', 'capitals', 'namespaces', 'frame-time'],
)
def test_what_other_programs_write_is_read_alike(tmp_path, change):
    rows = ['1 2 3 10 20 30 40 50 60', '0 0 0 90 0 0 90 0 0']
    expected, _ = bvh_joint_frames(read(tmp_path, rows))
    path = tmp_path / 'a.bvh'
    path.write_bytes(change(path.read_text()))
    motion = read_bvh(path)
    found, _ = bvh_joint_frames(motion)
    assert motion.fps == pytest.approx(50)
    assert found.keys() == expected.keys() == {'base', 'arm', 'arm_end'}
    for name, values in expected.items():
        np.testing.assert_array_equal(found[name], values)


@pytest.mark.parametrize(
    ('before', 'after', 'said'),
    [
        ('Frame Time: 0.02', 'Frame Time: 0', "its frame time is '0'"),
        ('Frame Time: 0.02', 'Frame Time: -0.02', "its frame time is '-0.02'"),
        ('Frame Time: 0.02', 'Frame Time: nan', "its frame time is 'nan'"),
        ('Frame Time: 0.02', 'Frame Time:', "its frame time is ''"),
        ('Frame Time: 0.02\n', '', 'no frame count and frame time'),
        ('Frames: 1', 'Frames: many', "its frame count is 'many'"),
        ('1 2 3', '1 two 3', 'a value of its motion is not a number'),
        ('JOINT arm', 'JOINT Base', "two joints are called 'Base'"),
        ('Zrotation Xrotation Yrotation', 'Zrotation Xrotation', "'End' is none"),
        ('OFFSET 2 0 0', 'OFFSET 2 0 up', 'malformed or cut short'),
        ('OFFSET 2 0 0', '', "joint 'arm' has no OFFSET"),
        ('ROOT', 'TRUNK', "'TRUNK' is not a BVH keyword"),
        ('}\nMOTION', 'MOTION', "joint 'base' is not closed"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, before, after, said):
    read(tmp_path, ['1 2 3 0 0 0 0 0 0'])
    path = tmp_path / 'a.bvh'
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after))
    with pytest.raises(ValueError, match=f'a.bvh: .*{said}'):
        read_bvh(path)


def test_damaged_files_are_named(tmp_path):
    with pytest.raises(ValueError, match=r'a\.bvh.*3 frames of 9 channels announced, 9 numbers found'):
        read(tmp_path, ['0 0 0 0 0 0 0 0 0'], frames=3)
    with pytest.raises(ValueError, match='0 frames'):
        read(tmp_path, [])
    path = tmp_path / 'b.bvh'
    path.write_text('something else')
    with pytest.raises(ValueError, match='not a BVH file'):
        read_bvh(path)
    path.write_text(HEADER[: HEADER.index('MOTION')])
    with pytest.raises(ValueError, match='cut short'):
        read_bvh(path)
    with pytest.raises(FileNotFoundError):
        read_bvh(tmp_path / 'none.bvh')
