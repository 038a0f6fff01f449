"""Calibration in the lifting metric: what samplers of known width get, which joints count, and the file."""

import json
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from posediff.evaluation.coverage import calibration_error_floor, expected_axis_coverage
from posediff.evaluation.metrics import LiftingMetric
from posediff.structures.skeletons import get_skeleton

MEASURES = {'error_to_spread', 'coverage_50', 'coverage_90', 'ece', 'energy_score'}


def make_sample(seed, num=20, frames=60, narrower=1.0, hidden=(), hidden_narrower=None, **fields):
    """Return a sample whose truth and hypotheses are around one pose; in depth they scatter three times as much."""
    rng = np.random.default_rng(seed)
    scale = np.full((17, 1), 1 / narrower)
    scale[list(hidden)] = 1 / (hidden_narrower or narrower)
    scatter = np.array([15.0, 15, 45]) * rng.normal(size=(num + 1, frames, 17, 3))
    scatter[:, :, 0] = 0  # the root is known
    pose = 300 * rng.normal(size=(17, 3))
    seen = np.ones((frames, 17), np.float32)
    seen[:, list(hidden)] = 0
    return {
        'sample_id': str(seed),
        'skeleton': 'h36m17',
        'gt_instances': {'lifting_target': pose + scatter[0]},
        'pred_instances': {'keypoints': (pose + scale * scatter[1:]).mean(0)},
        'pred_hypotheses': torch.from_numpy(pose + scale * scatter[1:]),
        'input_keypoint_mask': torch.from_numpy(seen),
        'input_keypoint_scores': torch.from_numpy(0.5 * seen),
        **fields,
    }


def evaluate(samples, batch_size=3, **options):
    metric = LiftingMetric(**options)
    metric.prefix = None
    for start in range(0, len(samples), batch_size):
        metric.process(None, samples[start : start + batch_size])
    return metric.evaluate(len(samples))


@pytest.mark.parametrize('narrower', [1, 2, 4])
def test_a_sampler_of_known_width(narrower):
    found = evaluate([make_sample(seed, narrower=narrower) for seed in range(10)])
    assert found['error_to_spread'] == pytest.approx(math.sqrt((20 * narrower**2 + 1) / 21), rel=0.05)
    sphere, axis, error = {1: (0.900, 0.9, 0.038), 2: (0.507, 0.62, 0.31), 4: (0.136, 0.35, 0.455)}[narrower]
    assert sphere - 0.07 < found['coverage_90'] < sphere, (
        'the share of a normal distribution, which M = 20 falls short of'
    )
    assert [found[f'coverage_90_{name}'] for name in 'xyz'] == pytest.approx([axis] * 3, abs=0.03)
    assert found['ece'] == pytest.approx(error, abs=0.02)
    assert found['ece_floor'] == calibration_error_floor(20)
    assert found['coverage_90_axis_perfect'] == expected_axis_coverage(20, 0.9)
    if narrower == 1:
        assert found['coverage_90'] == pytest.approx(found['coverage_90_perfect'], abs=0.02)
        assert found['coverage_50'] == pytest.approx(found['coverage_50_perfect'], abs=0.02)


def test_seen_and_hidden_joints_are_apart():
    samples = [make_sample(seed, hidden=(2, 3, 5, 6), hidden_narrower=4) for seed in range(5)]
    found = evaluate(samples)
    assert found['error_to_spread_seen'] == pytest.approx(1, abs=0.06)
    assert found['error_to_spread_hidden'] == pytest.approx(3.9, rel=0.06)
    assert found['coverage_90_hidden'] < 0.4 < 0.8 < found['coverage_90_seen']
    assert found['ece_hidden'] > 0.4 > 0.1 > found['ece_seen']
    assert found['energy_score_hidden'] > found['energy_score_seen']
    assert found['ece'] < 0.1, 'the median over joints hides a few'
    low_score = [{**sample, 'input_keypoint_mask': torch.ones(60, 17)} for sample in samples]
    assert evaluate(low_score) == pytest.approx(found)


def test_without_the_input_the_two_are_not_told_apart():
    samples = [make_sample(seed, hidden=(2, 3)) for seed in range(2)]
    both = evaluate(samples)
    for name in ('mask', 'scores'):
        del samples[1][f'input_keypoint_{name}']
    found = evaluate(samples, batch_size=1)
    assert found == pytest.approx({name: value for name, value in both.items() if name in found})
    assert set(both) - set(found) == {f'{name}_{kind}' for name in MEASURES for kind in ('seen', 'hidden')}
    everything = evaluate([make_sample(0)])
    assert not any(name.endswith('_hidden') for name in everything)
    assert everything['error_to_spread_seen'] == everything['error_to_spread']


@given(st.integers(0, 2**31 - 1), st.integers(2, 6), st.integers(1, 5))
@settings(max_examples=15)
def test_measures_do_not_depend_on_batch_windows_and_order(seed, num, batch_size):
    rng = np.random.default_rng(seed)
    samples = [
        make_sample(seed + index, num, 6, hidden=rng.choice(16, 3, replace=False) + 1, frame_mask=rng.random(6) > 0.3)
        for index in range(4)
    ]
    expected = evaluate(samples, 4)
    shuffled = [
        {**samples[index], 'pred_hypotheses': samples[index]['pred_hypotheses'].flip(0)} for index in (2, 0, 3, 1)
    ]
    assert evaluate(shuffled, batch_size) == pytest.approx(expected, nan_ok=True)


def test_what_is_not_annotated_or_covered_does_not_count():
    sample = make_sample(3, frames=8)
    expected = evaluate([make_sample(3, frames=8, frame_mask=np.arange(8) < 5)])
    sample['frame_mask'] = np.arange(8) < 5
    sample['pred_hypotheses'][:, 5:] += 1e4 * torch.rand(20, 3, 17, 3)
    sample['gt_instances']['lifting_target_visible'] = np.ones((8, 17))
    assert evaluate([sample])['energy_score'] == pytest.approx(expected['energy_score'])
    sample['pred_hypotheses'][:, :, 4] += 1e4
    assert evaluate([sample])['energy_score'] > expected['energy_score'] + 300
    sample['gt_instances']['lifting_target_visible'][:, 4] = 0
    found = evaluate([sample])
    assert found['energy_score'] == pytest.approx(expected['energy_score'], rel=0.2)
    assert found['pose_energy_score'] < expected['pose_energy_score']


def test_the_file(tmp_path):
    samples = [make_sample(seed, hidden=(2, 3, 5, 6)) for seed in range(3)]
    file = tmp_path / 'folder' / 'calibration.json'
    found = evaluate(samples, out_file=str(file))
    assert found == pytest.approx(evaluate(samples))
    document = json.loads(file.read_text())
    assert document['metrics'] == pytest.approx(found)
    calibration = document['calibration']
    assert (calibration['skeleton'], calibration['num_hypotheses']) == ('h36m17', 20)
    kinds = calibration['kinds']
    assert [kinds[kind]['count'] for kind in ('all', 'seen', 'hidden')] == [180 * 16, 180 * 12, 180 * 4]
    names = get_skeleton('h36m17').joint_names
    assert list(kinds['hidden']['joints']) == [names[index] for index in (2, 3, 5, 6)]
    assert list(kinds['all']['joints']) == list(names[1:])
    for kind, row in kinds.items():
        assert row['error_to_spread'] == pytest.approx(found['error_to_spread' + ('' if kind == 'all' else f'_{kind}')])
        assert sum(row['depth_ranks']) == row['count']
        assert len(row['depth_ranks']) == 21
        assert sum(one['count'] for one in row['spread_bins']) == row['count']
        squares = sum(one['count'] * one['error'] ** 2 for one in row['spread_bins'])
        assert math.sqrt(squares / row['count']) == pytest.approx(row['error'])
        curves = [np.array([list(point.values()) for point in row[name]]) for name in _CURVES]
        for curve in curves:
            assert (np.diff(curve[:, 0]) > 0).all()
            assert curve[-1] == pytest.approx([1, curves[0][-1, 1]])
        assert (np.diff(curves[1][:, 1]) > 0).all(), 'the oracle leaves out the largest errors first'


_CURVES = ('sparsification', 'sparsification_oracle')


def test_one_hypothesis_has_no_calibration(tmp_path):
    sample = make_sample(0, num=1)
    assert not MEASURES & set(evaluate([sample]))
    with pytest.raises(ValueError, match=r"out_file='out.json' is for the calibration .* sample '0' has one"):
        evaluate([sample], out_file='out.json')


def test_samples_of_different_numbers_have_no_calibration():
    found = evaluate([make_sample(0, num=3), make_sample(1, num=4)], batch_size=1)
    assert not MEASURES & set(found)
    assert 'p_best_oracle' in found


def test_equal_hypotheses_are_infinitely_overconfident(tmp_path):
    sample = make_sample(0)
    sample['pred_hypotheses'] = sample['pred_hypotheses'][:1].expand(20, -1, -1, -1)
    found = evaluate([sample], out_file=str(tmp_path / 'out.json'))
    assert found['error_to_spread'] == math.inf
    assert (found['coverage_90'], found['ece']) == (0, pytest.approx(0.5))
    document = json.loads((tmp_path / 'out.json').read_text())
    assert document['metrics']['error_to_spread'] is None
