"""How far differences of results are chance."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

from posediff.evaluation.posetrack import bootstrap_differences, read_folders


def scenes(kit, shifts):
    """One sequence for each shift, in px, of its one predicted person; 15 px are near enough. Wrong ones rank first."""
    return [
        kit.Scene(f'{number:06d}_mpii_test')
        .frame()
        .person(kit.pose())
        .predict(kit.pose(dx=shift), 0.9 if shift else 0.5)
        for number, shift in enumerate(shifts)
    ]


@pytest.fixture
def folders(kit, tmp_path):
    """Ground truth of six sequences, and predictions that are right in three, in all, and in the same three."""
    written = {}
    for name, shifts in {'half': [0, 0, 0, 50, 50, 50], 'all': [0] * 6, 'same': [0, 0, 0, 60, 60, 60]}.items():
        for scene in scenes(kit, shifts):
            written['gt'], written[name] = scene.write(tmp_path / name)
    return written


def test_chosen_sequences_count_as_often_as_they_are_named(folders):
    evaluator = read_folders(folders['gt'], folders['half'])
    assert evaluator.num_sequences == 6
    assert evaluator.result([0, 0, 1]).total('ap') == 100
    assert evaluator.result([0, 3]).num_true.tolist() == [2] * 15
    assert evaluator.result(range(6)).to_dict() == evaluator.result().to_dict()
    assert evaluator.result([0, 3]).total('ap') == pytest.approx(25)


def test_differences(folders):
    half, whole, same = (read_folders(folders['gt'], folders[name]) for name in ('half', 'all', 'same'))
    better, equal = bootstrap_differences(half, [whole, same], draws=400)
    assert list(better) == ['Head', 'Shoulder', 'Elbow', 'Wrist', 'Hip', 'Knee', 'Ankle', 'Mean']
    assert better['Mean'].value == pytest.approx(100 - half.result().total('ap'))
    assert 0 < better['Mean'].low < better['Mean'].value < better['Mean'].high <= 100
    # of six draws, half of them right: AP is the square of the share of right ones, since the others rank first
    share = np.random.default_rng(1).binomial(6, 0.5, size=20000) / 6
    expected = 100 * np.quantile(1 - share**2, [0.025, 0.975])
    assert [better['Mean'].low, better['Mean'].high] == pytest.approx(expected.tolist(), abs=0.1)
    assert equal['Mean'].value == equal['Mean'].low == equal['Mean'].high == 0
    assert bootstrap_differences(half, [whole, same], draws=400)[0] == better


def test_bad_arguments(folders, kit, tmp_path):
    half = read_folders(folders['gt'], folders['half'])
    one = read_folders(*kit.Scene().frame().person(kit.pose()).predict(kit.pose()).write(tmp_path / 'one'))
    with pytest.raises(ValueError, match='results of 1 and of 6 sequences'):
        bootstrap_differences(half, [one])
    with pytest.raises(ValueError, match='two sequences or more, got 1'):
        bootstrap_differences(one, [one])
    with pytest.raises(ValueError, match='draws must be at least 100, got 5'):
        bootstrap_differences(half, [half], draws=5)


def test_tool(folders, repository, tmp_path):
    tool = [sys.executable, str(repository / 'tools/analysis_tools/compare_posetrack.py')]
    out = tmp_path / 'comparison.json'
    predictions = [str(folders[name]) for name in ('half', 'all')]
    common = ['--gt', str(folders['gt']), '--out', str(out), '--draws', '100']
    done = subprocess.run([*tool, *common, '--pred', *predictions], capture_output=True, text=True, check=True)
    document = json.loads(out.read_text())
    assert document['num_sequences'] == 6
    assert document['ap'][predictions[1]]['Mean'] == 100
    mean = document['differences'][predictions[1]]['Mean']
    assert f'{mean["value"]:+.1f} ({mean["low"]:+.1f} to {mean["high"]:+.1f})' in done.stdout
    done = subprocess.run([*tool, *common, '--pred', predictions[0]], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert '--pred needs at least two folders' in done.stderr
    assert not out.exists()
