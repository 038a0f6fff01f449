"""Exports know when a person appears."""

from __future__ import annotations

import csv
import json

import pytest

pytest.importorskip('av')


def test_the_second_of_two_people_begins_half_a_second_later(field_case, cli, exit_code, tiny_lifter, tmp_path):
    case = field_case('export-time-zero')
    words = [case / 'clip.mp4', '--keypoints', case / 'two_people.json', '--skeleton', 'coco17']
    words += ['--export', 'trc,csv,bvh,c3d', '--out', tmp_path, '--overwrite', '--no-scene', '--no-overlay']
    words += ['--num-hypotheses', 2, '--lifter', tiny_lifter, '--lifter-checkpoint', 'random']
    assert exit_code(cli('video').main, [str(word) for word in words]) == 0
    for track, start in ((0, 0), (1, 15)):
        with (tmp_path / f'track{track}.csv').open(newline='') as file:
            first = next(csv.DictReader(file))
        assert (first['frame_index'], first['time_s']) == (str(start), f'{start / 30:.6f}')
        row = (tmp_path / f'track{track}.trc').read_text().splitlines()[5].split('\t')
        assert row[:2] == [str(start + 1), f'{start / 30:.6f}']
        about = json.loads((tmp_path / f'track{track}.export.json').read_text())
        assert (about['start_frame'], about['start_time_s']) == (start, start / 30)
        assert len(about['files']) == 4
        assert all('start' in held for held in about['files'].values())
