"""The command benchmark pck."""

import json

import numpy as np
import pytest

from posediff.evaluation.pck_counts import ClipCounts

NUM_CLIPS = 12


def write(path, shares, clips=None):
    """Clips with ten keypoints each of two joints, of which a share is right."""
    clips = [f'wave/{number}' for number in range(NUM_CLIPS)] if clips is None else clips
    hits = np.broadcast_to(np.rint(10 * np.array(shares))[:, None], (len(clips), 2))
    counts = ClipCounts(
        joints=('nose', 'left_hip'),
        thresholds=(0.2,),
        normalizers=('box',),
        clips=tuple(clips),
        totals=np.full((1, len(clips), 2), 10),
        hits=hits[None, None].astype(int),
        oks=np.stack([10 * np.array(shares), np.full(len(clips), 10)], axis=-1),
        jitter=np.zeros((len(clips), 2)),
    )
    path.write_text(json.dumps(counts.to_dict()))
    return str(path)


@pytest.fixture
def main(cli):
    return cli('benchmark.pck').main


def test_table(main, tmp_path, capsys):
    first = write(tmp_path / 'a.json', [0.5] * NUM_CLIPS)
    shares = [0.5, 0.9] * (NUM_CLIPS // 2)
    second = write(tmp_path / 'b.json', shares[::-1], [f'wave/{number}' for number in reversed(range(NUM_CLIPS))])
    main([first, second, '--samples', '2000', '--seed', '1'])
    lines = capsys.readouterr().out.splitlines()
    cells = [[cell.strip() for cell in line.strip('|').split('|')] for line in lines[:4]]
    assert cells[0] == ['', first, second, 'difference', '95 % interval']
    # of twelve draws, half of them 40 points better
    low, high = 40 / 12 * np.quantile(np.random.default_rng(0).binomial(12, 0.5, 20_000), [0.025, 0.975])
    assert cells[2] == ['PCK@0.2', '50.0', '70.0', '+20.0', f'{low:+.1f} to {high:+.1f}']
    assert cells[3] == ['OKS', '0.500', '0.700', '+0.200', f'{low / 100:+.3f} to {high / 100:+.3f}']
    assert lines[-1] == f'PCK in %, mean over joints. {NUM_CLIPS} clips, 2000 bootstrap samples.'
    main([second, second])
    assert '| PCK@0.2 |' in (out := capsys.readouterr().out)
    assert '+0.0 to +0.0' in out


def test_what_cannot_be_compared_is_refused(main, exit_code, tmp_path, capsys):
    first = write(tmp_path / 'a.json', [0.5] * NUM_CLIPS)
    fewer = write(tmp_path / 'b.json', [0.5] * 2, ['wave/0', 'wave/1'])
    one = write(tmp_path / 'c.json', [0.5], ['wave/0'])
    for arguments, message in (
        ([first, fewer], f'{fewer} lacks clip wave/10 of {first}'),
        ([one, one], 'two clips or more, got 1'),
        ([first, first, '--samples', '5'], 'draws must be at least 100, got 5'),
        ([first, str(tmp_path / 'd.json')], 'd.json'),
    ):
        assert exit_code(main, arguments) == 2
        assert message in capsys.readouterr().err
