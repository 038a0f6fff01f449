"""The command line, on files."""

import json
import os
import subprocess
import sys

import pytest

TOOL = 'tools/analysis_tools/eval_posetrack.py'
HEAVY = ('torch', 'mmengine', 'mmcv', 'mmpose', 'cv2', 'pandas', 'scipy', 'matplotlib')
# Not getrusage's figure: a process starts with that of the one it was forked from.
PRINT_PEAK = "print(next(int(line.split()[1]) for line in open('/proc/self/status') if 'VmHWM' in line) // 1024)"


@pytest.fixture
def run(repository):
    def run(*arguments, **environment):
        env = {**os.environ, 'PYTHONPATH': str(repository), 'OMP_NUM_THREADS': '1', **environment}
        command = [sys.executable, str(repository / TOOL), *map(str, arguments)]
        return subprocess.run(command, env=env, capture_output=True, text=True, timeout=120, check=False)

    return run


@pytest.fixture
def scene(kit):
    scene = kit.Scene().frame().person(kit.pose()).person(kit.pose(dy=200))
    return scene.predict(kit.pose(dx=3), score=0.9).predict(kit.pose(dy=300), score=0.95).frame()


@pytest.fixture
def folders(scene, tmp_path):
    return scene.write(tmp_path)


@pytest.mark.parametrize('slash', ['', '/'])
def test_result_file(run, scene, folders, tmp_path, slash):
    out = tmp_path / 'new' / 'result.json'
    done = run('--gt', f'{folders[0]}{slash}', '--pred', f'{folders[1]}{slash}', '--out', out)
    assert (done.returncode, done.stderr) == (0, '')
    document = json.loads(out.read_text())
    assert document.pop('protocol') == 'poseval'
    assert document == scene.result().to_dict()
    assert document['names'][0] == 'right_ankle'
    assert document['names'][-1] == 'total'
    groups = document['groups']
    assert groups['names'] == ['Head', 'Shoulder', 'Elbow', 'Wrist', 'Hip', 'Knee', 'Ankle', 'Mean']
    for measure in ('ap', 'precision', 'recall'):
        assert len(document[measure]) == 16
        assert len(groups[measure]) == 8
        assert groups[measure][-1] == document[measure][-1]
    assert document['ap'][0] == pytest.approx(25)
    assert '| ap, %        | 25.0 |' in done.stdout


def test_nan_is_null(run, kit, tmp_path):
    scene = kit.Scene().frame().person(kit.pose(joints=['nose'])).predict(kit.pose())
    truth, predictions = scene.write(tmp_path, old=True)
    out = tmp_path / 'result.json'
    assert run('--gt', truth, '--pred', predictions, '--out', out).returncode == 0
    document = json.loads(out.read_text(), parse_constant=pytest.fail)
    assert document['ap'][0] is None
    assert document['groups']['recall'][0] is None


def test_protocol(run, kit, tmp_path):
    scene = kit.Scene().frame().person(kit.pose()).predict(kit.pose() | {'nose': [-5.0, 5.0]})
    truth, predictions = scene.write(tmp_path)
    out = tmp_path / 'result.json'
    figures = {}
    for protocol in ('poseval', 'posetrack21'):
        assert run('--gt', truth, '--pred', predictions, '--protocol', protocol, '--out', out).returncode == 0
        figures[protocol] = json.loads(out.read_text())['precision'][-1]
    assert figures == pytest.approx({'poseval': 100 * 14 / 15, 'posetrack21': 100 * 14 / 15})
    assert json.loads(out.read_text())['protocol'] == 'posetrack21'
    assert run('--gt', truth, '--pred', predictions, '--protocol', 'coco', '--out', out).returncode == 2


def spoil_json(truth, predictions):
    (predictions / '000001_mpii_test.json').write_text('{')


def spoil_list(truth, predictions):
    (truth / '000001_mpii_test.json').write_text('[]')


def remove_predictions(truth, predictions):
    (predictions / '000001_mpii_test.json').unlink()


def empty_truth(truth, predictions):
    (truth / '000001_mpii_test.json').unlink()


def spoil_entry(truth, predictions):
    file = predictions / '000001_mpii_test.json'
    document = json.loads(file.read_text())
    del document['annotations'][1]['track_id']
    file.write_text(json.dumps(document))


@pytest.mark.parametrize(
    ('spoil', 'said'),
    [
        (spoil_json, 'pred/000001_mpii_test.json: Expecting property name'),
        (spoil_list, 'gt/000001_mpii_test.json: the file does not hold a JSON object'),
        (remove_predictions, 'pred/000001_mpii_test.json does not exist'),
        (empty_truth, 'gt is not a folder of .json files'),
        (spoil_entry, "pred/000001_mpii_test.json: annotations[1] has no 'track_id'"),
    ],
)
def test_errors_are_one_line_and_leave_no_result(run, folders, tmp_path, spoil, said):
    spoil(*folders)
    out = tmp_path / 'result.json'
    out.write_text('an older one')
    done = run('--gt', folders[0], '--pred', folders[1], '--out', out)
    assert done.returncode == 2
    assert done.stdout == ''
    assert done.stderr.count('\n') == 1
    assert done.stderr.startswith('error: ')
    assert said in done.stderr
    assert not list(tmp_path.glob('*result*'))


def test_every_sequence_of_the_truth_needs_predictions_and_no_other_is_read(run, kit, folders, tmp_path):
    kit.Scene('000002_mpii_test').frame().person(kit.pose()).write(tmp_path)
    (folders[0] / '000002_mpii_test.json').rename(tmp_path / 'later.json')
    (folders[1] / '000002_mpii_test.json').write_text('{')
    (folders[0] / '.hidden.json').write_text('{')
    out = tmp_path / 'result.json'
    assert run('--gt', folders[0], '--pred', folders[1], '--out', out).returncode == 0
    (tmp_path / 'later.json').rename(folders[0] / '000002_mpii_test.json')
    assert '000002_mpii_test.json' in run('--gt', folders[0], '--pred', folders[1], '--out', out).stderr


def test_it_is_light(repository, folders, tmp_path):
    """No deep learning library is imported, and memory stays near numpy's."""
    script = f"""
import runpy, sys
sys.argv = ['eval', '--gt', {str(folders[0])!r}, '--pred', {str(folders[1])!r}, '--out', {str(tmp_path / 'r.json')!r}]
runpy.run_path({str(repository / TOOL)!r}, run_name='__main__')
print('loaded', [name for name in {HEAVY!r} if name in sys.modules])
{PRINT_PEAK}
"""
    env = {**os.environ, 'PYTHONPATH': str(repository), 'OMP_NUM_THREADS': '1'}
    done = subprocess.run([sys.executable, '-c', script], env=env, capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    assert lines[-2] == 'loaded []'
    assert int(lines[-1]) < 120


@pytest.mark.parametrize(
    'module', ['posediff.engine.command_line', 'posediff.evaluation.posetrack', 'posediff.evaluation.jitter']
)
def test_modules_that_stay_light(repository, module):
    script = f'import sys, {module}; sys.exit([name for name in {HEAVY!r} if name in sys.modules] or 0)'
    env = {**os.environ, 'PYTHONPATH': str(repository)}
    subprocess.run([sys.executable, '-c', script], env=env, check=True, timeout=120)


def test_memory_is_that_of_one_sequence(kit, tmp_path, repository):
    """Ten times as many files take little more: what stays of each are scores and labels."""
    script = f"""
import sys
from posediff.evaluation.posetrack import evaluate_folders
evaluate_folders(sys.argv[1] + '/gt', sys.argv[1] + '/pred')
{PRINT_PEAK}
"""
    env = {**os.environ, 'PYTHONPATH': str(repository), 'OMP_NUM_THREADS': '1'}
    peaks = []
    for count in (2, 20):
        folder = tmp_path / str(count)
        folder.mkdir()
        for number in range(count):
            scene = kit.Scene(f'{number:06d}_mpii_test')
            for _ in range(30):
                scene.frame()
                for person in range(5):
                    scene.person(kit.pose(dy=50 * person)).predict(kit.pose(dy=50 * person + 1.25), score=0.1 * person)
            scene.write(folder)
        done = subprocess.run([sys.executable, '-c', script, str(folder)], env=env, capture_output=True, check=True)
        peaks.append(int(done.stdout))
    assert peaks[1] - peaks[0] < 15


def test_tracking_is_added(run, scene, folders, tmp_path):
    """What is there without it stays as it is."""
    out = tmp_path / 'result.json'
    arguments = ('--gt', folders[0], '--pred', folders[1], '--out', out)
    assert run(*arguments).returncode == 0
    before = json.loads(out.read_text())
    done = run(*arguments, '--tracking')
    assert (done.returncode, done.stderr) == (0, '')
    assert '| mota, %' in done.stdout
    document = json.loads(out.read_text())
    assert {name: document[name] for name in before if name != 'groups'} | {'groups': before['groups']} == before
    assert {name: document['groups'][name] for name in before['groups']} == before['groups']
    assert len(document['hota']) == len(document['num_switches']) == 16
