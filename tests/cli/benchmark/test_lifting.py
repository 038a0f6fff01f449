"""posediff benchmark lifting: training, tests, resuming, shards and verdicts, on a few windows of tiny files."""

import itertools
import json

import pytest

from posediff.cli.benchmark.lifting import parse_args
from posediff.cli.benchmark.lifting_claims import ALL, CLAIMS, accuracy_table, compare, matrix_tables, verdict_tables
from posediff.cli.benchmark.lifting_grid import CONFIGS, MEASURES, MODELS, PATTERNS, Cell, Store, grid
from posediff.engine.config import load_config

TINY = ['--patterns', 'none', 'structured_joint', '--seeds', '0', '1', '--epochs', '1', '--windows', '4']
TINY += [
    '--frames',
    '9',
    '--batch-size',
    '4',
    '--max-items',
    '2',
    '--num-hypotheses',
    '2',
    '--num-inference-steps',
    '2',
]


@pytest.fixture(scope='module')
def run(mocap_folder, cli_module):
    def call(folder, *words):
        cli_module.main([*TINY, '--data', str(mocap_folder), '--work-dir', str(folder), *words])

    return call


@pytest.fixture(scope='module')
def cli_module():
    from posediff.cli.benchmark import lifting

    return lifting


@pytest.fixture(scope='module')
def finished(run, tmp_path_factory):
    """Run two shards, the first with training apart from tests."""
    folder = tmp_path_factory.mktemp('lifting')
    run(folder, '--shard', '2/2', '--checkpoints-only')
    assert not (folder / 'results').exists()
    run(folder, '--shard', '1/2')
    run(folder)
    return folder


def test_every_model_is_trained_once_and_tested_on_every_pattern(finished):
    names = {f'{model}_{pattern}_seed{seed}' for model in MODELS for pattern in ('none', 'structured_joint')
             for seed in (0, 1) if (model, pattern) != ('diffhpe-wrapper-vanilla', 'none')}  # fmt: skip
    assert {file.stem for file in (finished / 'checkpoints').iterdir()} == names
    assert {file.stem for file in (finished / 'results').iterdir()} == names
    assert list((finished / 'runs').iterdir()) == []
    results = json.loads((finished / 'lifting.json').read_text())['results']
    assert set(results) == names
    for tests in results.values():
        assert set(tests) == {'none', 'structured_joint'}
        assert all(set(measures) == set(MEASURES) for measures in tests.values())
        assert tests['none'] != tests['structured_joint']
    errors = [tests['none']['mpjpe'] for name, tests in results.items() if 'mixste' in name]
    assert len(set(errors)) == len(errors) == 4  # seeds and patterns change the model


def test_tables(finished):
    text = ' '.join((finished / 'lifting.md').read_text().split())
    assert '### Verdicts' in text
    assert '### segment std on every pattern, mm' in text
    results = json.loads((finished / 'lifting.json').read_text())['results']
    first, second = (results[f'mixste_none_seed{seed}']['none']['mpjpe'] for seed in (0, 1))
    deviation = abs(first - second) / 2**0.5
    assert f'| {(first + second) / 2:.1f} ± {deviation:.1f} |' in text


def test_finished_work_is_skipped_and_missing_tests_are_made_from_the_checkpoints(finished, run, capsys):
    before = {
        file: file.stat().st_mtime_ns for folder in ('checkpoints', 'results') for file in (finished / folder).iterdir()
    }
    run(finished)
    assert before == {file: file.stat().st_mtime_ns for file in before}
    printed = capsys.readouterr().out
    assert printed.startswith('### Trained and tested')
    file = finished / 'results' / 'diffhpe-2d_none_seed1.json'
    tests = json.loads(file.read_text())
    file.write_text(json.dumps({'none': tests['none']}))  # as after an interruption
    run(finished)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == 'test diffhpe-2d_none_seed1 on structured_joint'
    assert not lines[1].startswith('test')
    assert json.loads(file.read_text()) == tests  # the noise is that of the seed
    file.unlink()
    run(finished, '--tables-only')
    assert not file.exists()
    run(finished)
    assert json.loads(file.read_text()) == tests


def test_another_budget_in_the_same_folder_is_refused(finished, mocap_folder, cli_module, exit_code, capsys):
    words = [*TINY, '--data', str(mocap_folder), '--work-dir', str(finished), '--windows', '8']
    assert exit_code(cli_module.main, words) == 2
    assert '--windows 4, not 8' in capsys.readouterr().err


def test_a_damaged_result_is_refused(finished, mocap_folder, cli_module, exit_code, capsys):
    file = finished / 'results' / 'mixste_none_seed0.json'
    content = file.read_text()
    file.write_text(content[:20])
    words = [*TINY, '--data', str(mocap_folder), '--work-dir', str(finished), '--tables-only']
    assert exit_code(cli_module.main, words) == 2
    assert 'mixste_none_seed0.json is not JSON' in capsys.readouterr().err
    file.write_text(content)


@pytest.mark.parametrize(
    ('words', 'message'),
    [
        (['--models', 'mixstee'], "invalid choice: 'mixstee'"),
        (['--patterns', 'legs'], "invalid choice: 'legs'"),
        (['--seeds', '0', '0'], 'a seed occurs twice'),
        (['--seeds', '-1'], "'-1' is not a whole number"),
        (['--shard', '3/2'], "'3/2' is not I/N"),
        (['--shard', '1'], "'1' is not I/N"),
        (['--tables-only', '--checkpoints-only'], 'not allowed with'),
    ],
)
def test_wrong_arguments_are_refused(words, message, exit_code, capsys):
    assert exit_code(parse_args, words) == 2
    assert message in capsys.readouterr().err


def test_the_grid_and_its_shards():
    groups = list(grid(list(MODELS), PATTERNS, [0, 1, 2]))
    cells = [cell for group in groups for cell in group]
    assert len(cells) == len(set(cells)) == 57
    assert Cell('diffhpe-wrapper-vanilla', 'none', 0) not in cells
    assert sorted(map(str, itertools.chain(*groups[0::2], *groups[1::2]))) == sorted(map(str, cells))
    for cell in cells:
        lifter = cell.lifter
        if lifter is not None:
            assert (lifter.model, lifter.seed) == ('mixste', cell.seed)
            assert lifter.pattern == ('none' if cell.model == 'diffhpe-wrapper-vanilla' else cell.pattern)


@pytest.mark.parametrize('model', MODELS)
@pytest.mark.parametrize('pattern', PATTERNS)
def test_configs_have_the_occlusion_of_the_cell(model, pattern, tmp_path):
    if (model, pattern) == ('diffhpe-wrapper-vanilla', 'none'):
        return
    cell = Cell(model, pattern, 3)
    cfg = load_config(cell.config, Store(tmp_path, parse_args([])).overrides(cell))
    assert cell.config.startswith(CONFIGS[model])
    assert [step['pattern'] for step in cfg.occlusion] == ([] if pattern == 'none' else [pattern])
    assert cfg.randomness.seed == 3
    if cell.lifter is not None:
        assert cfg.model.conditioner.checkpoint.endswith(f'{cell.lifter.name}.pth')


def made_up(error):
    """Return results of three seeds for every cell; ``error`` gives that of a model, patterns and seed."""
    return {
        cell: {
            tested: dict.fromkeys(MEASURES, error(cell.model, cell.pattern, tested, cell.seed)) for tested in PATTERNS
        }
        for group in grid(list(MODELS), PATTERNS, [0, 1, 2])
        for cell in group
    }


def verdicts(results):
    lines = verdict_tables(results)[0].splitlines()[4:]
    return [line.split('|')[2].strip() for line in lines]


def test_verdicts_of_known_results():
    ranks = {'diffhpe-2d': 40, 'diffhpe-wrapper': 50, 'mixste': 60, 'diffhpe-wrapper-vanilla': 61}
    results = made_up(lambda model, trained, tested, seed: ranks[model] + 10 * seed)
    assert verdicts(results) == ['holds'] * 4 + ['holds', 'holds', 'does not hold', 'holds']
    worse = made_up(lambda model, trained, tested, seed: 100 - ranks[model] + 10 * seed)
    assert verdicts(worse)[:4] == ['does not hold'] * 4
    equal = made_up(lambda model, trained, tested, seed: 50)
    assert set(verdicts(equal)) == {'not settled', 'holds'}
    assert verdicts(equal)[4] == 'holds'
    assert set(verdicts({})) == {'not settled'}


def test_seeds_with_missing_tests_are_left_out():
    results = made_up(lambda model, trained, tested, seed: 50 + seed - (model == 'diffhpe-wrapper'))
    del results[Cell('mixste', 'random', 1)]
    everywhere = next(claim for claim in CLAIMS if claim.pairs == ALL)
    assert compare(results, everywhere, 'mixste', 'segment_std', ALL).seeds == 2
    assert '| MixSTE' in accuracy_table(results)
    row = next(
        line for line in matrix_tables(results, PATTERNS)[0].splitlines() if line.startswith('| MixSTE, random ')
    )
    assert row.count('51.0 ± 1.4') == len(PATTERNS)  # 50 and 52
