"""The official evaluators' results on recorded cases."""

import json

import numpy as np
import pytest

from posediff.evaluation.posetrack import evaluate_folders

MEASURES = {'ap': 'ap', 'precision': 'pre', 'recall': 'rec'}


@pytest.fixture(scope='module')
def cases(reference_data):
    folder = reference_data / 'posetrack_ap_cases'
    if not folder.is_dir():
        pytest.skip(f'there are no recorded cases at {folder}')
    return folder, json.loads((folder / 'expected.json').read_text())


def numbers(values):
    return np.array([np.nan if value is None else value for value in values], dtype=float)


def differences(case, folder):
    """Names of the measures that are not the evaluator's."""
    try:
        document = evaluate_folders(folder / case['gt'], folder / case['pred']).to_dict()
    except ValueError as error:
        return [] if 'error' in case and case['pred'] in str(error) else [str(error)]
    if 'error' in case:
        return ['no error']
    assert document['names'] == case['names']
    found = []
    for measure, name in MEASURES.items():
        if measure == 'ap' and case['ties']:
            ap, low, high = (numbers(values) for values in (document['ap'], case['ap_tie_min'], case['ap_tie_max']))
            same = ((low - 1e-6 <= ap) & (ap <= high + 1e-6)).all()
        else:
            same = close(document[measure], case[name]) and close(document['groups'][measure], case[f'{name}_group'])
        found += [] if same else [measure]
    return found


def close(measured, expected):
    return np.allclose(numbers(measured), numbers(expected), rtol=0, atol=1e-6, equal_nan=True)


def test_results_and_errors_are_the_evaluators(cases):
    folder, expected = cases
    assert len(expected) > 20
    found = {name: differences(case, folder) for name, case in expected.items()}
    assert {name: different for name, different in found.items() if different} == {}


def test_counts_are_the_evaluators(cases):
    folder, expected = cases
    for case in expected.values():
        if 'error' not in case:
            result = evaluate_folders(folder / case['gt'], folder / case['pred'])
            assert result.num_true.tolist() == case['n_gt']
            assert result.num_predicted.tolist() == case['n_pred']
            assert result.num_right.tolist() == case['n_tp']
