"""The people of a video as files: on the video's clock, all or none, in constant memory."""

from __future__ import annotations

import csv
import json
import tracemalloc
from collections.abc import Callable
from functools import partial
from pathlib import Path

import ezc3d
import numpy as np
import pytest

from posediff.export import Motion, TRCExporter, bvh, motion, track_export, track_frames
from posediff.export.exporters import write_motion
from posediff.export.track_export import export_tracks
from posediff.fileio import pose_reader
from posediff.pipeline.pose_writer import PosesHeader, PoseWriter
from posediff.registry import EXPORTERS
from posediff.structures.results import FrameResult, PersonPose
from posediff.structures.skeletons import CMU17, COCO17

FPS = 30.0
FORMATS = 'csv,trc,bvh,c3d'


@pytest.fixture
def save(camera_walk, tmp_path):
    """Write poses.npz of people who are there in some frames."""

    def write(presence: dict[int, list[int]], frames: int, times=lambda frame: frame / FPS) -> Path:
        camera = {'focal': [640.0, 640.0], 'center': [320.0, 240.0], 'source': 'assumed'}
        writer = PoseWriter(tmp_path, PosesHeader(COCO17, CMU17, FPS, (480, 640), {'camera': camera}))
        for frame in range(frames):
            people = []
            for track in [track for track, there in presence.items() if frame in there]:
                pose = camera_walk[frame % len(camera_walk)].astype(np.float32)
                people.append(
                    PersonPose(
                        track, True, np.float32([1, 2, 30, 40]), np.full((17, 2), 9, np.float32),
                        np.ones(17, np.float32), pose - pose[:1], np.ones(17, np.float32), pose[0] + track,
                        np.ones(17, bool), True,
                    )
                )  # fmt: skip
            writer.add(FrameResult(frame, times(frame), tuple(people)))
        writer.finish()
        return tmp_path

    return write


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline='') as file:
        return list(csv.DictReader(file))


def trc_rows(path: Path) -> list[list[str]]:
    return [line.split('\t') for line in path.read_text().splitlines()[5:]]


def test_frames_and_times_are_those_of_the_video(save):
    folder = save({0: [*range(40)], 1: [*range(15, 40)]}, 40)
    export_tracks(folder, 'csv,trc,bvh,c3d')
    rows = table(folder / 'track1.csv')
    assert [row['frame_index'] for row in rows] == [str(frame) for frame in range(15, 40)]
    assert rows[0]['time_s'] == '0.500000'
    assert [row[:2] for row in trc_rows(folder / 'track1.trc')][0] == ['16', '0.500000']
    assert (folder / 'track1.trc').read_text().splitlines()[2].split('\t')[5:] == ['30', '16', '25']
    marks = ezc3d.c3d(str(folder / 'track1.c3d'))
    assert (marks['header']['points']['first_frame'], marks['header']['points']['last_frame']) == (15, 39)
    assert marks['parameters']['POSEDIFF']['START_FRAME']['value'] == [15]
    assert marks['parameters']['POSEDIFF']['START_TIME_S']['value'] == [0.5]
    about = json.loads((folder / 'track1.export.json').read_text())
    assert (about['start_frame'], about['start_time_s'], about['end_time_s']) == (15, 0.5, 1.3)
    assert {name: held['start'] for name, held in about['files'].items()} == {
        'track1.csv': 'frame_index 15, the frame of the video from 0; time_s on its clock',
        'track1.trc': 'Frame# 16, the frame of the video from 1; Time on its clock',
        'track1.bvh': 'the first frame is frame 15 of the video, from 0',
        'track1.c3d': 'first frame 16, the frame of the video from 1',
    }
    assert table(folder / 'track0.csv')[0]['frame_index'] == '0'
    assert trc_rows(folder / 'track0.trc')[0][:2] == ['1', '0.000000']


def test_frames_of_an_uneven_clock_keep_their_own_times(save):
    times = [0.0, 0.03, 0.1, 0.11, 0.2, 0.5, 0.6, 0.61, 0.9, 1.0]
    folder = save({0: [2, 3, 5, 6, 7]}, 10, times.__getitem__)
    export_tracks(folder, 'csv,trc')
    expected = ['0.100000', '0.110000', '0.305000', '0.500000', '0.600000', '0.610000']  # frame 4 lies in the middle
    assert [row['time_s'] for row in table(folder / 'track0.csv')] == expected
    assert [row[1] for row in trc_rows(folder / 'track0.trc')] == expected


def test_one_person_who_cannot_be_written_leaves_nothing_new(save, monkeypatch):
    folder = save({0: [*range(12)], 1: [*range(12)]}, 12)
    export_tracks(folder, 'csv')
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    write = TRCExporter.__call__

    def refuse(self, motion, path):
        if motion.track_id == 1:
            raise OSError('No space left on device')
        return write(self, motion, path)

    monkeypatch.setattr(TRCExporter, '__call__', refuse)
    with pytest.raises(OSError, match='No space left'):
        export_tracks(folder, 'csv,trc')
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


@pytest.mark.parametrize('rows', [1, 30, 10_000])
def test_people_are_the_same_however_many_are_read_at_a_time(save, monkeypatch, rows):
    folder = save({0: [*range(20)], 3: [5, 6, 9], 4: [*range(8, 20)]}, 20)
    expected = {path.name: path.read_text() for path in export_tracks(folder, 'csv,bvh')}
    monkeypatch.setattr(track_export, 'GROUP_FRAMES', rows)
    files = export_tracks(folder, 'csv,bvh')
    assert [path.name for path in files][:3] == ['track0.csv', 'track0.bvh', 'track0.export.json']
    assert {path.name: path.read_text() for path in files} == expected


def test_files_are_the_same_for_all_block_sizes(save, monkeypatch):
    """Unknown positions and times cross the limits of blocks: a person is absent in frames 20 to 29 and 45."""
    times = np.cumsum(np.r_[0.0, np.random.default_rng(0).uniform(0.01, 0.06, 59)]).tolist()
    folder = save({0: [*range(3, 20), *range(30, 45), *range(46, 60)]}, 60, times.__getitem__)
    expected = {path.name: path.read_bytes() for path in export_tracks(folder, FORMATS)}
    for size in (1, 7, 25):
        monkeypatch.setattr(motion, 'BLOCK_FRAMES', size)
        assert {path.name: path.read_bytes() for path in export_tracks(folder, FORMATS)} == expected
    about = json.loads((folder / 'track0.export.json').read_text())
    assert about['gap_frames'] == [[17, 26], [42, 42]]


def test_nothing_but_the_files_is_left_in_the_folder(save):
    folder = save({0: [*range(12)]}, 12)
    before = set(folder.iterdir())
    written = export_tracks(folder, FORMATS)
    assert set(folder.iterdir()) - before == set(written)


def peak_memory(work: Callable[[], object]) -> int:
    """Return the peak of memory that NumPy and Python allocate during a call, bytes."""
    tracemalloc.start()
    work()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


@pytest.mark.parametrize('form', ['csv', 'trc', 'bvh'])
def test_memory_of_writers_does_not_grow_with_the_motion(camera_walk, monkeypatch, tmp_path, form):
    """The motion is a memory map with gaps. C3D is not tested: its files have at most 65,535 frames."""
    monkeypatch.setattr(motion, 'BLOCK_FRAMES', 50)
    monkeypatch.setattr(bvh, 'REST_FRAMES', 50)
    options = {name: dict(EXPORTERS.get(name).track_options) for name in ('csv', 'trc', 'bvh')}
    peaks = []
    for frames in (60, 180, 720):
        joints = np.resize(camera_walk, (frames, 17, 3))
        joints[5:9] = np.nan
        np.save(tmp_path / 'joints.npy', joints)
        mapped = np.load(tmp_path / 'joints.npy', mmap_mode='r')
        observed = np.isfinite(mapped).all((1, 2))
        person = Motion(mapped, CMU17, FPS, absolute=True, observed=observed, up=np.array([0.0, -1.0, 0.0]))
        files = [EXPORTERS.build({'type': form, **options[form]})]
        peaks.append(peak_memory(lambda person=person, files=files: write_motion(person, tmp_path / 'walk', files)))
    assert peaks[2] < 1.1 * peaks[1]


def test_memory_does_not_grow_with_the_rows_of_the_results(monkeypatch, tmp_path):
    for module, name in ((motion, 'BLOCK_FRAMES'), (track_frames, 'WRITE_FRAMES'), (pose_reader, 'PART_ROWS')):
        monkeypatch.setattr(module, name, 200)
    peaks = []
    for frames in (60, 2000, 8000):
        rows = {
            'frame_index': np.arange(frames).repeat(2), 'time_s': np.arange(frames).repeat(2) / FPS,
            'track_id': np.tile([0, 1], frames), 'observed': np.ones(2 * frames, bool),
            'joints_3d': np.zeros((2 * frames, 17, 3), np.float32),
            'root_position': np.ones((2 * frames, 3), np.float32),
            'joint_observed': np.ones((2 * frames, 17), bool), 'root_observed': np.ones(2 * frames, bool),
        }  # fmt: skip
        np.savez(tmp_path / 'poses.npz', **rows)
        spans = track_frames.find_tracks(tmp_path / 'poses.npz')
        assert {track: span.rows for track, span in spans.items()} == {0: frames, 1: frames}
        write = partial(track_frames.write_track_frames, tmp_path / 'poses.npz', spans, 17, tmp_path)
        peaks.append(peak_memory(write))
    assert peaks[2] < 1.1 * peaks[1]
