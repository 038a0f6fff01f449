"""Interrupted runs of posediff video: messages, kept files and resuming."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip('av')

FRAMES = 12


@pytest.fixture
def run(exit_code, cli, tiny_lifter, grey_video, save_keypoints, filmed):
    """Return a function that runs the command on a clip with keypoints of one person; it returns the exit code."""
    video = grey_video(FRAMES)
    keypoints = save_keypoints([(frame, points, np.ones(17)) for frame, points in enumerate(filmed(FRAMES))])
    words = [video, '--keypoints', keypoints, '--skeleton', 'h36m17', '--lifter', tiny_lifter]
    words += ['--lifter-checkpoint', 'random', '--no-overlay', '--no-scene']
    tool = cli('video')
    return lambda *more: exit_code(tool.main, [str(word) for word in [*words, *more]])


@pytest.fixture
def broken(run, tmp_path, monkeypatch) -> Path:
    """Folder of a run that a crash ended after 7 frames, in two parts of the log."""
    from posediff.pipeline import pose_log
    from posediff.video import VideoSource

    frames, out = VideoSource.frames, tmp_path / 'out'

    def crash(self, start=0):
        for frame in frames(self, start):
            if frame.index == 7:
                raise MemoryError
            yield frame

    monkeypatch.setattr(pose_log, 'PART_FRAMES', 4)
    with monkeypatch.context() as patch:
        patch.setattr(VideoSource, 'frames', crash)
        with pytest.raises(MemoryError):
            run('--out', out, '--batch-size', 1)
    assert sorted(path.name for path in (out / '.sightings').glob('*.npz')) == ['000000000.npz', '000000004.npz']
    return out


def poses(folder: Path) -> dict[str, np.ndarray]:
    with np.load(folder / 'poses.npz') as arrays:
        return dict(arrays)


def test_a_fresh_start_does_not_remove_a_broken_run(run, broken, capsys):
    assert run('--out', broken) == 2
    said = capsys.readouterr().err
    assert said.startswith(f'error: {broken} holds an interrupted run: --resume continues it, --overwrite')
    assert len(list((broken / '.sightings').glob('*.npz'))) == 2
    assert run('--out', broken, '--overwrite') == 0
    assert sorted(path.name for path in broken.iterdir()) == ['poses.json', 'poses.npz', 'viewer.html']


def test_a_run_does_not_go_on_with_other_keypoints(run, broken, tmp_path, capsys):
    (keypoints,) = tmp_path.glob('*.json')
    rows = json.loads(keypoints.read_text())
    keypoints.write_text(json.dumps(rows[:-1]))
    assert run('--out', broken, '--resume') == 2
    assert 'was started with size of the detector file' in capsys.readouterr().err
    about = broken / '.sightings' / 'about.json'  # of an earlier version
    kept = {name: value for name, value in json.loads(about.read_text()).items() if 'detector file' not in name}
    about.write_text(json.dumps(kept))
    assert run('--out', broken, '--resume') == 0


@pytest.mark.parametrize('size', [0, 100, 700])
def test_a_truncated_part_is_said_in_one_line_and_looked_at_again(run, broken, tmp_path, capsys, size):
    part = broken / '.sightings' / '000000004.npz'
    part.write_bytes(part.read_bytes()[:size])
    assert run('--out', broken, '--resume') == 0
    said = [line for line in capsys.readouterr().err.splitlines() if line.startswith('warning')]
    assert len(said) == 1
    assert said[0].startswith(f'warning: {part} cannot be read')
    assert said[0].endswith('frames from 4 on are processed again')
    assert run('--out', tmp_path / 'whole') == 0
    found, expected = poses(broken), poses(tmp_path / 'whole')
    assert list(found) == list(expected)
    for name, values in expected.items():
        np.testing.assert_array_equal(found[name], values, err_msg=name)
    assert not list(broken.glob('.*'))


def test_rows_of_a_broken_live_run_are_not_removed_without_a_word(run, tmp_path, capsys):
    rows = tmp_path / 'out' / '.rows'
    rows.mkdir(parents=True)
    (rows / '000000005.npz').write_bytes(b'rows')
    assert run('--out', tmp_path / 'out') == 2
    assert 'holds rows of an interrupted run: --overwrite removes them' in capsys.readouterr().err
    assert (rows / '000000005.npz').read_bytes() == b'rows'
    assert run('--out', tmp_path / 'out', '--overwrite') == 0
    assert not rows.exists()
