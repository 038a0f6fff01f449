"""tools/demo.py: the table and the picture, and all of it on the first second of the real clip."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

pytest.importorskip('av')

from posediff.assets import DEMO_KEYPOINTS  # noqa: E402
from posediff.pose_files import read_keypoints  # noqa: E402


@pytest.fixture
def demo(repository: Path, monkeypatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(repository / 'tools'))
    spec = importlib.util.spec_from_file_location('demo', repository / 'tools' / 'demo.py')
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def rows() -> dict[str, np.ndarray]:
    """The woman of the shipped keypoints as person 4, 30 frames, a gap, 12 more; person 7 for three frames."""
    clip = read_keypoints(DEMO_KEYPOINTS)
    frames = np.array([*range(30), *range(40, 52), 10, 11, 12])
    count = len(frames)
    return {
        'frame_index': frames,
        'time_s': frames / 30,
        'track_id': np.array([4] * 42 + [7] * 3),
        'observed': np.ones(count, bool),
        'keypoints_2d': clip.keypoints_2d[frames],
        'keypoint_scores': clip.keypoint_scores[frames],
        'joints_3d_std': np.full((count, 17), 25.0),
        'root_position': np.tile([0.0, 0.0, 8000.0], (count, 1)),
        'img_shape': np.array(clip.img_shape),
        'fps': np.array(30.0),
        'keypoint_skeleton': np.array(clip.skeleton),
        'video': np.array('clip.mp4'),
    }


def test_the_table_says_who_was_where(demo, rows):
    lines = demo.people_table(rows).splitlines()
    assert [cell.strip() for cell in lines[2].split('|')[1:-1]] == ['4', '42', '0.0', '1.7', '8.0', '25.0']
    assert [cell.strip() for cell in lines[3].split('|')[1:-1]] == ['7', '3', '0.3', '0.4', '8.0', '25.0']


def test_the_picture_is_of_the_longest_run_of_who_is_seen_longest(demo, rows, tmp_path, monkeypatch):
    drawn = {}
    monkeypatch.setattr(demo, 'save_picture', lambda path, result, frames: drawn.update(result=result, frames=frames))
    monkeypatch.setattr(demo, 'save_animation', lambda path, result, progress: drawn.update(animation=path.name))
    words = ['clip.mp4', '--out', str(tmp_path), '--num-hypotheses', '2', '--num-inference-steps', '1']
    result = demo.draw(rows, tmp_path, demo.video_to_3d.parse_args(words))
    assert (drawn['result'], drawn['animation']) == (result, 'lifted.gif')
    assert result.hypotheses.shape == (2, 30, 17, 3)
    assert result.title.startswith('person 4: 30 frames')
    assert drawn['frames'] == [5, 15, 25]


@pytest.mark.slow
def test_the_real_clip(demo, tmp_path, capsys):
    pytest.importorskip('ai_edge_litert')
    words = ['--out', str(tmp_path), '--max-frames', '40', '--num-hypotheses', '2', '--num-inference-steps', '5']
    demo.main(words)
    assert '| person' in capsys.readouterr().out
    document = json.loads((tmp_path / 'poses.json').read_text())
    assert document['camera']['source'] == 'calibrated'
    assert {row['track_id'] for row in document['rows']} == {0}  # the woman comes in later
    assert (tmp_path / 'lifted.png').stat().st_size > 10_000
    assert (tmp_path / 'lifted.gif').stat().st_size > 10_000
