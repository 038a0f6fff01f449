"""Files of counts per clip."""

import json

import numpy as np
import pytest

from posediff.evaluation.pck_counts import ClipCounts, clip_order, read_counts, require_comparable


def make(hits=((2, 0), (1, 4)), clips=('wave/a', 'wave/b'), **changes):
    """Two clips and joints, of which every model has 4 keypoints each; one normaliser and threshold."""
    fields = {
        'joints': ('nose', 'left_hip'),
        'thresholds': (0.2,),
        'normalizers': ('box',),
        'clips': clips,
        'totals': np.full((1, len(clips), 2), 4),
        'hits': np.array(hits)[None, None] if np.ndim(hits) == 2 else hits,
        'oks': np.array([[1.5, 2], [2.5, 3]]),
        'jitter': np.array([[0.0, 0], [0.3, 6]]),
    }
    return ClipCounts(**{**fields, **changes})


def test_measures_of_chosen_clips():
    counts = make()
    assert counts.measures() == {
        'PCK@0.2': pytest.approx(100 * (3 / 8 + 4 / 8) / 2), 'OKS': pytest.approx(0.8), 'jitter': pytest.approx(0.05),
    }  # fmt: skip
    assert counts.measures(np.array([0, 0])) == {'PCK@0.2': 25, 'OKS': 0.75, 'jitter': None}
    assert counts.measures(np.array([1, 1, 0]))['PCK@0.2'] == pytest.approx(100 * (4 / 12 + 8 / 12) / 2)


def test_joints_that_are_never_counted_have_no_say():
    counts = make(hits=((2, 0), (1, 0)), totals=np.array([[[4, 0], [4, 0]]]))
    assert counts.measures()['PCK@0.2'] == 37.5
    nothing = make(totals=np.zeros((1, 2, 2), int), hits=np.zeros((2, 2), int), oks=np.zeros((2, 2)))
    assert nothing.measures() == {'PCK@0.2': None, 'OKS': None, 'jitter': pytest.approx(0.05)}


def test_files_have_all_of_it(tmp_path):
    path = tmp_path / 'a.json'
    counts = make(
        thresholds=(0.2, 0.05),
        normalizers=('box', 'torso'),
        totals=np.arange(8).reshape(2, 2, 2),
        hits=np.arange(16).reshape(2, 2, 2, 2),
    )
    path.write_text(json.dumps(counts.to_dict()))
    read = read_counts(path)
    for name in ClipCounts.__dataclass_fields__:
        np.testing.assert_array_equal(getattr(read, name), getattr(counts, name))
    assert list(counts.measures()) == ['PCK@0.2', 'PCK@0.05', 'torso PCK@0.2', 'torso PCK@0.05', 'OKS', 'jitter']


def test_other_files_are_refused(tmp_path):
    path = tmp_path / 'a.json'
    path.write_text('{"format": ')
    with pytest.raises(ValueError, match=r'a\.json is not readable JSON'):
        read_counts(path)
    path.write_text('{"format": "other"}')
    with pytest.raises(ValueError, match=r'a\.json is not an out_file of the metric KeypointPCK'):
        read_counts(path)
    for key in ('joints', 'clips'):
        document = make().to_dict()
        del document[key]
        path.write_text(json.dumps(document))
        with pytest.raises(ValueError, match=rf"a\.json: damaged counts: KeyError: '{key}'"):
            read_counts(path)
    document = make().to_dict()
    document['clips']['wave/b']['totals']['box'] = [4]
    path.write_text(json.dumps(document))
    with pytest.raises(ValueError, match=r'a\.json: damaged counts: ValueError'):
        read_counts(path)
    with pytest.raises(FileNotFoundError):
        read_counts(tmp_path / 'b.json')


def test_the_order_of_clips_does_not_matter():
    first, second = make(), make(clips=('wave/b', 'wave/a'))
    require_comparable(first, second, ('A', 'B'))
    assert clip_order(first, second).tolist() == [1, 0]


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        ({'joints': ('nose', 'right_hip')}, 'A and B have different joints: nose, left_hip against nose, right_hip'),
        ({'thresholds': (0.1,)}, 'different thresholds: 0.2 against 0.1'),
        ({'normalizers': ('head',)}, 'different normalizers: box against head'),
        ({'clips': ('wave/a', 'wave/c')}, r'B lacks clip wave/b of A \(1 of its 2 clips\)'),
        (
            {'clips': ('wave/a', 'wave/b', 'wave/c'), 'totals': np.full((1, 3, 2), 4)},
            r'A lacks clip wave/c of B \(1 of its 3 clips\)',
        ),
        (
            {'totals': np.array([[[4, 4], [4, 3]]])},
            'clip wave/b, joint left_hip, box normalizer: A counts 4 keypoints, B 3',
        ),
    ],
)
def test_results_of_other_data_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        require_comparable(make(), make(**changes), ('A', 'B'))
