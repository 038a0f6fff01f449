"""The BVH reader on a skeleton whose poses are known in closed form."""

from __future__ import annotations

import numpy as np
import pytest

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
