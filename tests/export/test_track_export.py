"""The people of a video as files: on the video's clock, all or none, one person in memory at a time."""

from __future__ import annotations

import csv
import json
import tracemalloc
from pathlib import Path

import ezc3d
import numpy as np
import pytest

from posediff.export import TRCExporter, track_export
from posediff.export.track_export import export_tracks
from posediff.pipeline.pose_writer import PosesHeader, PoseWriter
from posediff.structures.results import FrameResult, PersonPose
from posediff.structures.skeletons import CMU17, COCO17

FPS = 30.0


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
    monkeypatch.setattr(track_export, 'GROUP_ROWS', rows)
    files = export_tracks(folder, 'csv,bvh')
    assert [path.name for path in files][:3] == ['track0.csv', 'track0.bvh', 'track0.export.json']
    assert {path.name: path.read_text() for path in files} == expected


def test_memory_does_not_grow_with_the_number_of_people(save, monkeypatch):
    monkeypatch.setattr(track_export, 'GROUP_ROWS', 100)
    folder = save({track: [*range(60)] for track in range(20)}, 60)
    peaks = []
    for count in (2, 20):
        monkeypatch.setattr(track_export, '_tracks', lambda source, count=count, found=track_export._tracks: dict(
            list(found(source).items())[:count]
        ))  # fmt: skip
        tracemalloc.start()
        export_tracks(folder, 'csv')
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        monkeypatch.undo()
        monkeypatch.setattr(track_export, 'GROUP_ROWS', 100)
    assert peaks[1] < 1.3 * peaks[0]
