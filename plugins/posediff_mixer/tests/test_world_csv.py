"""The table in world axes: what it holds, and that it is chosen by name."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from pathlib import Path

PLUGIN = Path(__file__).resolve().parents[1]

# In a Python of its own, so that the registries of this one stay as they are.
EXPORT = """
import sys
import numpy as np
import posediff_mixer
from posediff.export import Motion, export_motion
from posediff.structures.skeletons import CMU17

joints = np.tile([100.0, -1500.0, 4000.0], (2, 17, 1))  # mm: right, up, away from a level camera
joints[1, 3] = np.nan
seen = np.ones((2, 17), bool)
seen[1, 3:5] = False
motion = Motion(joints, CMU17, 25.0, True, 4, joint_observed=seen, first_frame=5, up=np.array([0.0, -1.0, 0.0]))
export_motion(motion, sys.argv[1] + '/all', 'world-csv,csv')
export_motion(motion, sys.argv[1] + '/seen', 'world-csv', {'world-csv': {'seen_only': True}})
"""


def test_joints_are_written_in_world_axes(tmp_path: Path) -> None:
    path = os.pathsep.join([str(PLUGIN), *filter(None, [os.environ.get('PYTHONPATH')])])
    done = subprocess.run(
        [sys.executable, '-c', EXPORT, str(tmp_path)],
        env={**os.environ, 'PYTHONPATH': path},
        cwd=PLUGIN.parents[1],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    with (tmp_path / 'all.world.csv').open(newline='') as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2 * 17 - 1
    values = {name: rows[0][name] for name in ('frame_index', 'time_s', 'track_id', 'x_m', 'y_m', 'z_m', 'seen')}
    assert list(values.values()) == ['5', '0.200000', '4', '0.100000', '4.000000', '1.500000', '1']
    assert [row['seen'] for row in rows].count('0') == 1
    with (tmp_path / 'seen.world.csv').open(newline='') as file:
        assert len(list(csv.DictReader(file))) == 2 * 17 - 2
