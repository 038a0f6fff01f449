"""Blender's own importer, where Blender is installed."""

from __future__ import annotations

import json
import shutil
import subprocess

import numpy as np
import pytest

from posediff.export.bvh import BVHExporter
from posediff.structures.skeletons import CMU17

# Debian's Blender 3.4 runs on a Python whose open() no longer takes the mode 'rU' that its importer uses.
SCRIPT = """
import builtins, json, sys
plain_open = builtins.open
builtins.open = lambda file, mode='r', *rest, **more: plain_open(file, mode.replace('U', ''), *rest, **more)
import bpy
source, target = sys.argv[sys.argv.index('--') + 1:]
bpy.ops.import_anim.bvh(filepath=source, update_scene_fps=True)
armature, scene = bpy.context.object, bpy.context.scene
heads = []
for frame in range(1, 61):
    scene.frame_set(frame)
    heads.append({bone.name: list(armature.matrix_world @ bone.head) for bone in armature.pose.bones})
with open(target, 'w') as file:
    json.dump({'fps': scene.render.fps / scene.render.fps_base, 'heads': heads}, file)
"""


@pytest.mark.slow
def test_blender_puts_the_bones_where_the_joints_are(motion, tmp_path):
    """With the importer's default settings: forward -z, up y, scale 1."""
    blender = shutil.which('blender')
    if blender is None:
        pytest.skip('Blender is not installed')
    BVHExporter()(motion, tmp_path / 'walk.bvh')
    (tmp_path / 'script.py').write_text(SCRIPT)
    files = [str(tmp_path / name) for name in ('script.py', 'walk.bvh', 'a.json')]
    words = [blender, '-b', '--factory-startup', '--python-exit-code', '3', '-P', files[0], '--', *files[1:]]
    done = subprocess.run(words, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    found = json.loads((tmp_path / 'a.json').read_text())
    assert found['fps'] == pytest.approx(30)
    heads = np.array([[frame[name] for name in CMU17.joint_names] for frame in found['heads']])
    y_up = np.stack([heads[..., 0], heads[..., 2], -heads[..., 1]], axis=-1)  # Blender: z up
    errors = 1000 * np.linalg.norm(y_up - motion.y_up_metres(), axis=-1)
    solved = BVHExporter()(motion, tmp_path / 'again.bvh')['position_error_mm']
    assert errors.mean() == pytest.approx(solved['mean'], abs=0.01)
    assert errors.max() == pytest.approx(solved['max'], abs=0.01)
