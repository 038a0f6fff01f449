"""The command benchmark video."""

from __future__ import annotations

import json

import numpy as np
import pytest

pytest.importorskip('av')
pytest.importorskip('mmpose')

from posediff.video import VideoWriter  # noqa: E402


def test_every_count_of_frames_has_its_row_and_stages_come_to_the_whole(tmp_path, repository, fork_python):
    clip, out = tmp_path / 'clip.mp4', tmp_path / 'times.json'
    with VideoWriter(clip, 25.0) as writer:
        for shade in range(4):  # fewer than requested: the video is repeated
            writer.write(np.full((64, 96, 3), 60 * shade, np.uint8))
    words = [clip, '--frames', 3, 9, '--detector', 'whole-frame', '--pose', 'diffpose', '--min-pose-score', 0]
    words += ['--num-hypotheses', 1, '--threads', 1, '--out', out]
    done = fork_python(repository / 'tools/analysis_tools/benchmark_video.py', *words).wait()
    assert done.returncode == 0, done.stderr[-3000:]
    rows = json.loads(out.read_text())['rows']
    assert [row['frames'] for row in rows] == [3, 9]
    for row in rows:
        stages = [row[name] for name in ('read', 'detect', 'pose', 'track', 'lift', 'place')]
        assert min(stages) > 0
        assert sum(stages) == pytest.approx(row['together'])
        assert row['frames a second'] == pytest.approx(1000 / row['together'])
        assert row['people'] == 1
        assert row['files, s'] > 0
        assert row['pictures, s'] > 0
        assert row['peak, MiB'] >= row['begin, MiB'] > 0
