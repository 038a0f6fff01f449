"""posediff demo: the table of people, and the command on the first second of the real clip."""

from __future__ import annotations

import json
from types import ModuleType

import numpy as np
import pytest

pytest.importorskip('av')


@pytest.fixture
def demo(cli) -> ModuleType:
    return cli('demo')


def test_the_table_says_who_was_where(demo, tmp_path):
    frames = np.array([*range(30), *range(40, 52), 10, 11, 12])
    np.savez(
        tmp_path / 'poses.npz',
        time_s=frames / 30,
        track_id=np.array([4] * 42 + [7] * 3),
        joints_3d_std=np.full((45, 17), 25.0),
        root_position=np.tile([0.0, 0.0, 8000.0], (45, 1)),
    )
    lines = demo.people_table(tmp_path / 'poses.npz').splitlines()
    assert [cell.strip() for cell in lines[2].split('|')[1:-1]] == ['4', '42', '0.0', '1.7', '8.0', '25.0']
    assert [cell.strip() for cell in lines[3].split('|')[1:-1]] == ['7', '3', '0.3', '0.4', '8.0', '25.0']


@pytest.mark.parametrize(
    ('header', 'fps', 'frames'),
    [
        ({'fps': 25.0}, 25.0, 10),
        ({'fps': 12.5}, 12.5, 5),
        ({'fps': 100.0, 'capture_fps': 100.0}, 100.0, 10),
        ({'fps': 7.3, 'live': json.dumps({'video_fps': 25.0, 'frames_left_out': 7})}, 25.0, 10),
    ],
)
def test_the_clip_is_read_at_the_rate_of_the_results(demo, tmp_path, header, fps, frames):
    from posediff.video import VideoWriter

    with VideoWriter(tmp_path / 'clip.mp4', 25.0) as writer:
        for _ in range(10):
            writer.write(np.zeros((32, 32, 3), np.uint8))
    np.savez(tmp_path / 'poses.npz', **header)
    video = demo.video_of(tmp_path / 'poses.npz', tmp_path / 'clip.mp4')
    assert (video.fps, len(list(video))) == (fps, frames)


def test_unknown_arguments_are_those_of_the_video_command(demo):
    args = demo.parse_args(['--out', 'here', '--num-hypotheses', '5'])
    assert (str(args.out), args.of_video) == ('here', ['--num-hypotheses', '5'])


@pytest.mark.slow
def test_the_real_clip(demo, tmp_path, capsys):
    pytest.importorskip('ai_edge_litert')
    words = ['--out', str(tmp_path), '--max-frames', '40', '--num-hypotheses', '2', '--num-inference-steps', '4']
    demo.main(words)
    assert '| person' in capsys.readouterr().out
    document = json.loads((tmp_path / 'poses.json').read_text())
    assert document['camera']['source'] == 'calibrated'
    assert {row['track_id'] for row in document['rows']} == {0}  # the second person enters later
    assert (tmp_path / 'demo.png').stat().st_size > 10_000
    assert 'Copyright (c) 2022, perfanalytics' in (tmp_path / 'LICENSE.sports2d').read_text()
