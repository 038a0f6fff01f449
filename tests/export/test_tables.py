"""CSV, TRC and C3D, read back by readers that this project did not write."""

from __future__ import annotations

import csv
from dataclasses import replace

import c3d
import ezc3d
import numpy as np
import pytest
import trc

from posediff.export.c3d import MAX_FRAMES, C3DExporter
from posediff.export.csv_table import CSVExporter
from posediff.export.trc import TRCExporter
from posediff.structures.skeletons import CMU17


def test_csv_keeps_the_axes_and_units_of_the_motion(gappy, tmp_path):
    CSVExporter()(replace(gappy, track_id=7), tmp_path / 'a.csv')
    with (tmp_path / 'a.csv').open(newline='') as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0])[:7] == ['frame_index', 'time_s', 'track_id', 'observed', 'root_x_mm', 'root_y_mm', 'root_z_mm']
    assert list(rows[0])[4 + 3 * 17 :] == [
        *(f'{name}_observed' for name in CMU17.joint_names),
        'root_position_observed',
    ]
    assert [row['frame_index'] for row in rows] == [str(frame) for frame in range(60)]
    assert {row['track_id'] for row in rows} == {'7'}
    assert float(rows[30]['time_s']) == pytest.approx(30 / 29.97, abs=1e-6)
    np.testing.assert_array_equal([row['observed'] == '1' for row in rows], gappy.observed)
    columns = [[f'{name}_{axis}_mm' for axis in 'xyz'] for name in CMU17.joint_names]
    found = [[[float(row[column] or 'nan') for column in joint] for joint in columns] for row in rows]
    np.testing.assert_allclose(found, gappy.joints_3d, atol=6e-4)
    assert rows[11]['head_z_mm'] == ''


def test_csv_has_the_radius_if_the_motion_has(gappy, tmp_path):
    radius = np.random.default_rng(0).uniform(0, 300, (60, 17)).astype(np.float32)
    radius[~gappy.known] = np.nan
    CSVExporter()(replace(gappy, radius_90=radius), tmp_path / 'a.csv')
    with (tmp_path / 'a.csv').open(newline='') as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0])[-17:] == [f'{name}_radius_90_mm' for name in CMU17.joint_names]
    found = [[float(row[f'{name}_radius_90_mm'] or 'nan') for name in CMU17.joint_names] for row in rows]
    np.testing.assert_allclose(found, radius, atol=6e-4)


def test_trc_by_another_reader(motion, tmp_path):
    joints = motion.joints_3d.copy()
    joints[10:13] = np.nan  # whole frames: that reader takes blanks for one separator
    motion = replace(motion, joints_3d=joints, observed=None, fps=29.97)
    TRCExporter()(motion, tmp_path / 'walk.trc')
    read = trc.TRCData()
    read.load(str(tmp_path / 'walk.trc'))
    assert (read['FileName'], read['Units'], read['DataRate']) == ('walk.trc', 'm', 29.97)
    assert (read['NumFrames'], read['NumMarkers'], read['OrigNumFrames']) == (60, 17, 60)
    assert read['Markers'] == list(CMU17.joint_names)
    np.testing.assert_allclose(read['Time'], np.arange(60) / 29.97, atol=1e-6)
    found = np.array([read[name] for name in CMU17.joint_names]).transpose(1, 0, 2)
    np.testing.assert_allclose(found, motion.y_up_metres(), atol=1e-6)


def test_trc_cells(gappy, tmp_path):
    """Cell by cell, as OpenSim counts them: a tab ends every line of the table, the last cell may be empty."""
    TRCExporter()(gappy, tmp_path / 'a.trc')
    lines = (tmp_path / 'a.trc').read_text().splitlines()
    assert lines[0].split('\t') == ['PathFileType', '4', '(X/Y/Z)', 'a.trc']
    table = [line.split('\t') for line in lines[3:]]
    assert {len(cells) for cells in table} == {2 + 3 * 17 + 1}
    assert {cells[-1] for cells in table} == {''}
    assert table[0][:9] == ['Frame#', 'Time', 'root', '', '', 'right_hip', '', '', 'right_knee']
    assert table[1][:6] == ['', '', 'X1', 'Y1', 'Z1', 'X2']
    assert [cells[0] for cells in table[2:]] == [str(frame) for frame in range(1, 61)]
    found = np.array([[float(cell or 'nan') for cell in cells[2:-1]] for cells in table[2:]]).reshape(60, 17, 3)
    np.testing.assert_allclose(found, gappy.y_up_metres(), atol=1e-6)
    assert table[2 + 20][-4:] == ['', '', '', '']


def test_c3d_by_ezc3d(gappy, tmp_path):
    C3DExporter()(replace(gappy, track_id=7, up_note='a spirit level'), tmp_path / 'a.c3d')
    read = ezc3d.c3d(str(tmp_path / 'a.c3d'))
    point, own = read['parameters']['POINT'], read['parameters']['POSEDIFF']
    assert point['LABELS']['value'] == list(CMU17.joint_names)
    assert point['UNITS']['value'] == ['m']
    assert point['RATE']['value'] == pytest.approx([29.97])
    assert (point['X_SCREEN']['value'], point['Y_SCREEN']['value']) == (['+X'], ['+Y'])
    assert own['UP_SOURCE']['value'] == ['given']
    assert own['UP_NOTE']['value'] == ['a spirit level']
    assert own['POSITIONS']['value'] == ['absolute']
    assert own['SKELETON']['value'] == ['cmu17']
    assert own['TRACK_ID']['value'] == [7]
    np.testing.assert_allclose(own['UP_CAMERA_AXES']['value'], [0, -1, 0])
    np.testing.assert_allclose(read['data']['points'][:3].transpose(2, 1, 0), gappy.y_up_metres(), atol=1e-6)
    residuals = read['data']['meta_points']['residuals'][0].T
    np.testing.assert_array_equal(residuals, np.where(gappy.known, 0, -1))


@pytest.mark.filterwarnings('ignore:No analog data found')
def test_the_residual_of_c3d_is_the_radius(gappy, tmp_path):
    radius = np.random.default_rng(0).uniform(0, 300, (60, 17))
    radius[30, 4], radius[31, 5] = np.nan, 4000.0  # not known; more than a byte holds
    C3DExporter()(replace(gappy, radius_90=radius), tmp_path / 'a.c3d')
    data = ezc3d.c3d(str(tmp_path / 'a.c3d'))['data']
    expected = np.where(gappy.known, np.nan_to_num(radius / 1000).clip(max=1.02), -1)
    np.testing.assert_allclose(data['meta_points']['residuals'][0].T, expected, atol=4.1e-3)
    np.testing.assert_allclose(data['points'][:3].transpose(2, 1, 0), gappy.y_up_metres(), atol=1e-6)
    with (tmp_path / 'a.c3d').open('rb') as file:  # another reader compares the scales of header and parameters
        frames = np.stack([points for _, points, _ in c3d.Reader(file).read_frames()])
    np.testing.assert_allclose(frames[:, :, :3][gappy.known], gappy.y_up_metres()[gappy.known], atol=1e-6)


@pytest.mark.filterwarnings('ignore:No analog data found')
def test_c3d_by_another_reader(gappy, tmp_path):
    C3DExporter()(gappy, tmp_path / 'a.c3d')
    with (tmp_path / 'a.c3d').open('rb') as file:
        reader = c3d.Reader(file)
        frames = np.stack([points for _, points, _ in reader.read_frames()])
    assert [label.strip() for label in reader.point_labels] == list(CMU17.joint_names)
    assert (reader.point_rate, reader.first_frame, reader.last_frame) == (pytest.approx(29.97), 1, 60)
    np.testing.assert_array_equal(frames[..., 3] == -1, ~gappy.known)
    np.testing.assert_allclose(frames[gappy.known][:, :3], gappy.y_up_metres()[gappy.known], atol=1e-6)


def test_c3d_refuses_more_frames_than_the_format_counts(motion, tmp_path):
    joints = np.broadcast_to(motion.joints_3d[:1], (MAX_FRAMES + 1, 17, 3))
    with pytest.raises(ValueError, match='at most 65535 frames, the motion has 65536'):
        C3DExporter()(replace(motion, joints_3d=joints, observed=None), tmp_path / 'a.c3d')
    assert list(tmp_path.iterdir()) == []


@pytest.mark.filterwarnings('ignore:No analog data found')
@pytest.mark.parametrize(('start', 'first'), [(0, 1), (15, 16), (65475, 65476), (65476, 1), (200_000, 1)])
def test_c3d_begins_at_the_frame_of_the_video_while_16_bits_hold_the_last(motion, tmp_path, start, first):
    held = C3DExporter()(replace(motion, first_frame=start), tmp_path / 'a.c3d')
    with (tmp_path / 'a.c3d').open('rb') as file:
        reader = c3d.Reader(file)
        assert (reader.first_frame, reader.last_frame) == (first, first + 59)
        assert sum(1 for _ in reader.read_frames()) == 60
    own = ezc3d.c3d(str(tmp_path / 'a.c3d'))['parameters']['POSEDIFF']
    assert own['START_FRAME']['value'] == [start]
    assert own['START_TIME_S']['value'] == pytest.approx([start / 30])
    assert held['start'].startswith(f'first frame {first}, ')


def test_what_the_camera_did_not_see_is_marked(gappy, tmp_path):
    seen = gappy.seen.copy()
    seen[:, 3] = seen[5, 9] = False
    motion = replace(gappy, joint_observed=seen, root_observed=gappy.observed & (np.arange(60) != 7))
    CSVExporter()(motion, tmp_path / 'a.csv')
    with (tmp_path / 'a.csv').open(newline='') as file:
        rows = list(csv.DictReader(file))
    marked = [[row[f'{name}_observed'] == '1' for name in CMU17.joint_names] for row in rows]
    np.testing.assert_array_equal(marked, seen)
    assert [row['root_position_observed'] for row in rows][6:9] == ['1', '0', '1']
    assert rows[5]['right_foot_x_mm'] != ''
    C3DExporter()(motion, tmp_path / 'a.c3d')
    points = ezc3d.c3d(str(tmp_path / 'a.c3d'))['data']['meta_points']
    np.testing.assert_array_equal(points['camera_masks'][0].T, seen)
