"""Several formats in one call: all or none, and what the file beside them says."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from posediff.export import Motion, export_motion
from posediff.structures.skeletons import CMU17


def test_every_format_is_written_and_described(gappy, tmp_path):
    formats = ['bvh', 'c3d', 'csv', 'trc']
    files = export_motion(gappy, tmp_path / 'out' / 'walk.v2', formats, {'bvh': {'gaps': 'interpolate'}})
    assert [file.name for file in files] == [*(f'walk.v2.{name}' for name in formats), 'walk.v2.export.json']
    assert sorted(files) == sorted((tmp_path / 'out').iterdir())
    about = json.loads(files[-1].read_text())
    assert about['files'].keys() == {file.name for file in files[:-1]}
    units = {name.rpartition('.')[2]: held['unit'] for name, held in about['files'].items()}
    assert units == {'bvh': '1 m', 'c3d': 'm', 'csv': 'mm', 'trc': 'm'}
    assert about['files']['walk.v2.bvh']['interpolated_frames'] == [[10, 12], [20, 20], [58, 59]]
    assert (about['gap_frames'], about['filled_frames']) == ([[10, 12], [58, 59]], [[30, 31]])
    assert (about['up_source'], about['up_camera_axes']) == ('given', [0, -1, 0])
    assert about['positions'].startswith('absolute')
    assert about['camera_to_y_up'] == [[1, 0, 0], [0, -1, 0], [0, 0, -1]]


def test_how_up_was_found_is_said(camera_walk, tmp_path):
    relative = camera_walk - camera_walk[:, :1]
    for joints, source in ((relative, 'estimated'), (relative[:3], 'assumed')):
        *_, sidecar = export_motion(Motion(joints, CMU17, 30.0), tmp_path / 'walk', 'trc')
        about = json.loads(sidecar.read_text())
        assert about['up_source'] == source
        assert about['up_note']
        assert about['positions'] == 'relative to the root joint'


def test_formats_may_be_one_string(motion, tmp_path):
    files = export_motion(motion, tmp_path / 'a', 'trc, csv,trc')
    assert [file.name for file in files] == ['a.trc', 'a.csv', 'a.export.json']


@pytest.mark.parametrize('formats', ['bvh,fbx', ['fbx'], '', []])
def test_an_unknown_format_is_one_error_that_names_the_known_ones(motion, tmp_path, formats):
    with pytest.raises(ValueError, match='unknown export format: .*; known: bvh, c3d, csv, trc'):
        export_motion(motion, tmp_path / 'a', formats)
    assert list(tmp_path.iterdir()) == []


def test_wrong_options_are_named(motion, tmp_path):
    with pytest.raises(ValueError, match="bvh has no option 'scales'; it has: scale, gaps"):
        export_motion(motion, tmp_path / 'a', 'bvh', {'bvh': {'scales': 1}})
    with pytest.raises(ValueError, match="csv has no option 'path'; it has: none"):
        export_motion(motion, tmp_path / 'a', 'csv', {'csv': {'path': 'b'}})
    with pytest.raises(ValueError, match="options of 'bvh', which is not among the formats to write: trc"):
        export_motion(motion, tmp_path / 'a', 'trc', {'bvh': {'scale': 1}})
    with pytest.raises(ValueError, match='without its suffix'):
        export_motion(motion, tmp_path / 'a.bvh', 'bvh')


def test_one_format_that_fails_leaves_the_others_as_they_were(gappy, motion, tmp_path):
    export_motion(motion, tmp_path / 'a', 'csv')
    before = {file.name: file.read_text() for file in tmp_path.iterdir()}
    with pytest.raises(ValueError, match='gaps'):
        export_motion(gappy, tmp_path / 'a', 'csv,trc,bvh')
    assert {file.name: file.read_text() for file in tmp_path.iterdir()} == before


def test_without_ezc3d_there_is_one_error_with_the_line_that_helps(motion, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, 'ezc3d', None)
    with pytest.raises(ImportError, match=r"pip install 'posediff\[export\]'"):
        export_motion(motion, tmp_path / 'a', 'csv,c3d')
    assert list(tmp_path.iterdir()) == []
    assert len(export_motion(motion, tmp_path / 'a', 'csv,trc,bvh')) == 4


def test_importing_the_package_does_not_import_ezc3d():
    code = 'import sys, posediff.export; sys.exit("ezc3d" in sys.modules)'
    assert subprocess.run([sys.executable, '-c', code], check=False).returncode == 0
