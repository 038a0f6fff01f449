"""The documentation is run: its code, its configs and its commands, and every path and name in it exists.

How pages are written for this:

* All ``python`` blocks of a page run in order, in one namespace, in a folder that looks like a checkout with data.
* A block whose first line is ``# <folder>/<file>.py`` with ``configs`` in it is a config: where the file exists, the
  block has to be its text; else it is written there, and its model is built, trained one step and sampled from.
* ``bash`` blocks are checked without being run: program, arguments, files, config options. A block marked ``bash run``
  is run as well, one marked ``bash slow`` in the slow suite, on a tiny data set and with less training.
"""

from __future__ import annotations

import builtins
import contextlib
import dataclasses
import importlib
import inspect
import itertools
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import mmengine.runner  # noqa: F401  its classes are among those that pages may name
import numpy as np
import pytest
import torch
from mmengine import registry as mmengine_registry
from mmengine.optim import build_optim_wrapper
from mmengine.registry import init_default_scope
from sybil import Document, Example, Sybil
from sybil.evaluators.python import PythonEvaluator
from sybil.parsers.markdown import CodeBlockParser

import posediff
import posediff.assets
from posediff.cli.commands import COMMANDS
from posediff.cli.main import choose
from posediff.engine.config import load_config
from posediff.engine.config_files import find_config
from posediff.evaluation.metrics import LiftingMetric
from posediff.models.options import TestOptions, TrainOptions
from posediff.plugins import import_components, load_plugins
from posediff.registry import DATASETS, HOOKS, METRICS, MODELS, REGISTRIES
from posediff.structures.skeletons import SKELETONS

REPOSITORY = Path(__file__).resolve().parents[1]
PAGES = ['README.md', 'CONTRIBUTING.md', 'plugins/posediff_mixer/README.md']
PAGES += sorted(str(page.relative_to(REPOSITORY)) for page in (REPOSITORY / 'docs').glob('*.md'))
SHELL = ('bash', 'bash run', 'bash slow')
CHECKED_OUT = ('docs', 'plugins', 'posediff', 'tests', 'tools')
COMPLAINTS = (AssertionError, OSError, ValueError, KeyError, TypeError, SystemExit)
# Programs of the shell and of the system; their arguments are theirs.
FOREIGN = {'.', 'apt-get', 'cp', 'export', 'ln', 'mkdir', 'source'}
NOT_HERE = {'configs/_base_/datasets/h36m.py'}  # named because there must be no such file
LESS_TRAINING = 'train_cfg.max_epochs=1 train_dataloader.batch_size=8'
LESS_SAMPLING = 'model.test_cfg.num_hypotheses=2 model.test_cfg.num_inference_steps=2'

TINY_LIFTER = """
_base_ = '{repository}/configs/lifting_3d/diffhpe/diffhpe-2d_27f_cmu.py'
model = dict(
    denoiser=dict(num_frames=9, channels=8, num_layers=2, step_channels=8),
    sampler=dict(_delete_=True, type='DDIMSampler'),
    test_cfg=dict(num_hypotheses=2, num_inference_steps=2),
)
"""

Run = Callable[[str], None]
LoadTool = Callable[[str], ModuleType]


@pytest.fixture(scope='module')
def checkout(tmp_path_factory: pytest.TempPathFactory, mocap_folder: Path) -> Path:
    """A folder like a user's checkout, with a small data set; what pages write stays in it."""
    folder = tmp_path_factory.mktemp('checkout')
    for entry in REPOSITORY.iterdir():
        if entry.name in ('.ci', *CHECKED_OUT) or entry.is_file():
            (folder / entry.name).symlink_to(entry)
    shutil.copytree(REPOSITORY / 'configs', folder / 'configs')
    (folder / 'data').mkdir()
    (folder / 'data' / 'cmu').symlink_to(mocap_folder)
    return folder


@pytest.fixture
def at_home(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Work in the checkout; forget afterwards what pages registered."""
    import_components()
    load_plugins()
    monkeypatch.chdir(checkout)
    before = {name: dict(registry._module_dict) for name, registry in REGISTRIES.items()}
    modules = set(sys.modules)
    yield checkout
    for name, components in before.items():
        REGISTRIES[name]._module_dict.clear()
        REGISTRIES[name]._module_dict.update(components)
    for module in set(sys.modules) - modules:
        if module.startswith('posediff_'):  # a plugin that a config imported
            del sys.modules[module]


@pytest.fixture
def tiny_lifter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A small random lifter in the place of the one that ships."""
    config, checkpoint = tmp_path / 'lifter.py', tmp_path / 'lifter.pth'
    config.write_text(TINY_LIFTER.format(repository=REPOSITORY))
    torch.save({'state_dict': posediff.init_model(config).state_dict()}, checkpoint)
    monkeypatch.setattr(posediff.assets, 'LIFTER_CONFIG', config)
    monkeypatch.setattr(posediff.assets, 'LIFTER_CHECKPOINT', checkpoint)
    monkeypatch.setitem(posediff.assets.SHIPPED, 'lifter', posediff.assets.ShippedModel(config, checkpoint, checkpoint))


@pytest.fixture(scope='module')
def tool(load_tool: LoadTool) -> LoadTool:
    """Load each tool once."""
    return cache(load_tool)


def parse(page: str, languages: tuple[str, ...], evaluate: Callable[[Example], str | None] | None = None) -> Document:
    """Find the code blocks of a page."""
    parsers = [CodeBlockParser(language, evaluate or PythonEvaluator()) for language in languages]
    return Sybil(parsers=parsers).parse(REPOSITORY / page)


def has_blocks(page: str, *languages: str) -> bool:
    return any(True for _ in parse(page, languages).examples())


def commands(page: str, *languages: str) -> list[str]:
    """Commands of a page's shell blocks, one string each, continued lines joined."""
    found = []
    for example in parse(page, languages).examples():
        lines = re.sub(r'\\\n\s*', '', str(example.parsed)).splitlines()
        found += [line for line in lines if line.strip() and not line.lstrip().startswith('#')]
    return found


# --- code and configs -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize('page', [page for page in PAGES if has_blocks(page, 'python')])
@pytest.mark.usefixtures('tiny_lifter')
def test_code_runs(page: str, at_home: Path) -> None:
    run_python = PythonEvaluator()

    def evaluate(example: Example) -> str | None:
        named = re.match(r'# (\S+\.py)\n', str(example.parsed))
        if named and 'configs/' in named[1]:
            text = str(example.parsed).partition('\n')[2]
            check_config_block(at_home / named[1], text)
            return None
        outcome = run_python(example)
        # Sybil takes them out again, and C code that imports a module looks for them in the globals of its caller
        example.namespace['__builtins__'] = builtins
        return outcome

    np.random.seed(0)
    torch.manual_seed(0)
    for example in parse(page, ('python',), evaluate).examples():
        example.evaluate()


def check_config_block(path: Path, text: str) -> None:
    if (REPOSITORY / path.relative_to(path.cwd())).exists():
        assert path.read_text().strip() == text.strip(), f'{path.name} has changed since it was written into the page'
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    check_config(path)


def check_config(path: Path) -> None:
    """Build what a config describes; where its data is here, train one step and draw one pose."""
    with on_path(REPOSITORY / 'plugins' / 'posediff_mixer'):
        cfg = load_config(path)
    init_default_scope('posediff')
    model = MODELS.build(cfg.model)
    build_optim_wrapper(model, cfg.optim_wrapper)
    for hook in (*cfg.custom_hooks, *cfg.default_hooks.values()):
        HOOKS.build(hook)
    METRICS.build(cfg.val_evaluator)
    if model.backbone is not None:
        width, height = cfg.input_size
        frames = torch.randn(1, cfg.num_frames, 3, height, width)
        assert model.eval().sample_inputs(frames, 1, 1).isfinite().all()
        return
    if not Path(cfg.train_dataloader.dataset.data_root).is_dir():
        return
    items = [DATASETS.build(cfg.train_dataloader.dataset)[index] for index in range(2)]
    model.train()(**model.data_preprocessor(items, True), mode='loss')['loss'].backward()
    test = DATASETS.build(cfg.test_dataloader.dataset)
    data = model.data_preprocessor([test[0]], False)
    steps = None if isinstance(getattr(model.sampler, 'spacing', None), list) else 2
    with torch.no_grad():
        x_0 = model.eval().sample(model.conditioner(data['inputs']), 1, steps if model.denoiser else None)
    assert x_0.isfinite().all()


@contextlib.contextmanager
def on_path(folder: Path) -> Iterator[None]:
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))


@pytest.mark.slow
def test_the_readme_lifts_with_the_lifter_that_ships(at_home: Path) -> None:
    document = parse('README.md', ('python',))
    for example in document.examples():
        example.evaluate()
    lifted = document.namespace['lifted']
    assert np.isfinite(lifted['joints_3d']).all()
    assert len(lifted['hypotheses']) > 1


# --- commands ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize('page', [page for page in PAGES if has_blocks(page, *SHELL)])
def test_commands_are_accepted(page: str, at_home: Path, tool: LoadTool) -> None:
    for example in parse(page, SHELL).examples():
        subprocess.run(['bash', '-n'], input=str(example.parsed), text=True, check=True)
    for example in parse(page, ('python',)).examples():  # commands name configs that the page writes
        named = re.match(r'# (configs/\S+\.py)\n', str(example.parsed))
        if named and not (at_home / named[1]).exists():
            (at_home / named[1]).parent.mkdir(parents=True, exist_ok=True)
            (at_home / named[1]).write_text(str(example.parsed))
    for command in commands(page, *SHELL):
        try:
            check_command(command, tool)
        except COMPLAINTS as error:
            raise AssertionError(f'{page}: {command}\n{type(error).__name__}: {error}') from error


@pytest.mark.parametrize(
    'command',
    [
        'make tea',
        'posediff list denoiser',
        'posediff trian mixste-c64_27f_cmu',
        'posediff train mixste-c65_27f_cmu',
        'posediff test mixste-c64_27f_cmu a.pth --cfg-options test_dataloader.dataset.max_item=5',
        'posediff benchmark hypotheses mixste-c64_27f_cmu a.pth --control mixste-c65_27f_cmu b.pth',
        'posediff benchmark occlusion --method MixSTE none=mixste-c65_27f_cmu:a.pth',
        'wget http://example.com/data.zip',
        'python tools/trian.py configs/lifting_3d/mixste/mixste-c64_27f_cmu.py',
        'python tools/train.py configs/lifting_3d/mixste/mixste-c65_27f_cmu.py',
        'python tools/train.py configs/lifting_3d/mixste/mixste-c64_27f_cmu.py --ampere',
        'python tools/train.py configs/lifting_3d/mixste/mixste-c64_27f_cmu.py --cfg-options model.test_cfg.steps=5',
        'python tools/train.py configs/lifting_3d/mixste/mixste-c64_27f_cmu.py --cfg-options train_cfg.epochs=5',
        'python tools/test.py configs/lifting_3d/mixste/mixste-c64_27f_cmu.py a.pth --cfg-options '
        'test_dataloader.dataset.max_item=5',
        'tools/dist_train.sh configs/lifting_3d/mixste/mixste-c64_27f_cmu.py --amp',
    ],
)
@pytest.mark.usefixtures('at_home')
def test_wrong_commands_are_found(command: str, tool: LoadTool) -> None:
    with pytest.raises(COMPLAINTS):
        check_command(command, tool)


def check_command(command: str, tool: LoadTool) -> None:
    """Does the program exist, take these arguments, and find the files and options they name?"""
    words = shlex.split(re.sub(r'"?\$\([^)]*\)"?', 'SUBSTITUTED', command), comments=True)
    while words and re.match(r'\w+=', words[0]):
        words.pop(0)
    program, *arguments = words
    if program == 'make':
        targets = re.findall(r'^([a-z-]+):', (REPOSITORY / 'Makefile').read_text(), re.MULTILINE)
        assert {word for word in arguments if '=' not in word} <= set(targets)
    elif program == 'posediff':
        chosen, rest = choose(arguments)
        check_arguments(importlib.import_module(f'posediff.cli.{chosen.module}'), rest)
        check_files(rest)
    elif program == 'bash' or (program == 'python' and arguments[:2] == ['-m', 'pytest']):
        files = [word for word in arguments if '/' in word]
        assert files
        assert all(Path(file).exists() for file in files)
    elif program == 'pip':
        assert all(Path(word).exists() for word in arguments if '/' in word)
    elif program == 'python3':
        assert arguments[:2] == ['-m', 'venv']
    elif program == 'python':
        check_tool(tool, *arguments)
    elif program.startswith('tools/') and program.endswith('.sh'):
        assert os.access(program, os.X_OK), f'{program} cannot be executed'
        check_launcher(tool, program, arguments)
    else:
        assert program in FOREIGN, f'unknown program {program}'


def check_launcher(tool: LoadTool, script: str, arguments: list[str]) -> None:
    """Give the arguments of a shell script to the Python tool that it starts."""
    started = 'tools/train.py' if 'train' in script else 'tools/test.py'
    if 'slurm' in script:
        _, _, config, second, *rest = arguments
        check_tool(tool, started, config, *(['--work-dir', second] if 'train' in script else [second]), *rest)
        return
    files = 1 if 'train' in script else 2
    assert arguments[files].isdecimal()
    check_tool(tool, started, *arguments[:files], *arguments[files + 1 :])


def check_tool(tool: LoadTool, script: str, *arguments: str) -> None:
    """Parse the arguments as the tool does; check configs and options in them."""
    assert (REPOSITORY / script).is_file(), f'{script} does not exist'
    module = tool(str(Path(script).relative_to('tools')))
    check_arguments(sys.modules[module.main.__module__], arguments)
    check_files(arguments)


def check_files(arguments: Sequence[str]) -> None:
    """Config files in the arguments exist, and so do packaged configs that stand before a checkpoint."""
    checkpoint = r'([^=:]+\.pth|SUBSTITUTED)'
    for word, after in itertools.zip_longest(arguments, arguments[1:], fillvalue=''):
        for file in re.findall(r'(?:configs|plugins)/[\w./-]+\.py', word):
            assert Path(file).is_file(), f'{file} does not exist'
        name = re.fullmatch(rf'(?:\w+=)?([\w-]+):{checkpoint}|(?!-)([\w-]+)', word)
        if name and word != 'SUBSTITUTED' and (name[1] or re.fullmatch(checkpoint, after)):
            find_config(name[1] or word)


def check_arguments(module: ModuleType, arguments: Sequence[str]) -> None:
    """Parse the arguments as the module of a command does; check configs and options in them."""
    with on_path(REPOSITORY / 'plugins' / 'posediff_mixer'):
        args = module.parse_args(arguments)
        assert getattr(args, 'kind', None) in (None, *REGISTRIES)
        options = getattr(args, 'cfg_options', None) or {}
        config = getattr(args, 'config', None)
        if config is not None:
            check_options(str(config), options)
    if module.__name__ == 'posediff.cli.demo':
        check_arguments(importlib.import_module('posediff.cli.video'), ['VIDEO', '--out', 'DIR', *args.of_video])
    more = getattr(args, 'more', None)
    if more is not None:  # a launcher: what it hands on to the command
        command = 'test' if hasattr(args, 'checkpoint') else 'train'
        files = [args.config, *([args.checkpoint] if command == 'test' else [])]
        check_arguments(importlib.import_module(f'posediff.cli.{command}'), [*files, *more])


def check_options(config: str, options: dict[str, Any]) -> None:
    """Every key exists in the config or is taken by the component it is given to."""
    before, after = load_config(config), load_config(config, options)
    init_default_scope('posediff')
    MODELS.build(after.model)
    for key in options:
        node: Any = before
        parts = key.split('.')
        for depth, part in enumerate(parts):
            if part not in node:
                assert is_taken(parts[:depth], node, part), f'{config} has no {key}'
                break
            node = node[part]


def is_taken(place: list[str], node: Any, name: str) -> bool:
    """Does what is built of ``node`` take an argument that the config leaves at its default?"""
    if place[:1] == ['model']:
        return True  # the model was built with it
    if place == ['randomness']:
        return name in ('seed', 'deterministic')
    if place[-1:] == ['dataset']:
        taker = DATASETS.get(node['type'])
    elif place[-2:] == ['dataset', 'source']:
        from mmpose.datasets.datasets.body import PoseTrack18Dataset as taker  # noqa: N813
    elif len(place) == 1 and place[0].endswith('_evaluator'):
        taker = METRICS.get(node['type'])
    else:
        return False
    return any(name in inspect.signature(cls.__init__).parameters for cls in inspect.getmro(taker))


@pytest.fixture(scope='module')
def run(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Run a command in the checkout, with ``python`` and ``posediff`` those of this test."""
    programs = tmp_path_factory.mktemp('bin')
    for name, start in (('python', ''), ('posediff', '-m posediff')):
        (programs / name).write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {start} "$@"\n')
        (programs / name).chmod(0o755)
    path = [str(REPOSITORY), *filter(None, [os.environ.get('PYTHONPATH')])]
    env = {
        **os.environ,
        'PATH': f'{programs}{os.pathsep}{os.environ["PATH"]}',
        'PYTHONPATH': os.pathsep.join(path),
        'OMP_NUM_THREADS': '1',
    }

    def run(command: str) -> None:
        done = subprocess.run(
            ['bash', '-euo', 'pipefail', '-c', command],
            cwd=checkout,
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=600,
            check=False,
        )
        assert done.returncode == 0, f'{command}\n{done.stdout[-3000:]}'

    return run


@pytest.mark.parametrize('page', [page for page in PAGES if has_blocks(page, 'bash run')])
def test_commands_run(page: str, run: Run) -> None:
    for command in commands(page, 'bash run'):
        run(command)


@pytest.mark.slow
@pytest.mark.parametrize('page', [page for page in PAGES if has_blocks(page, 'bash slow')])
def test_commands_run_to_their_end(page: str, run: Run) -> None:
    for command in commands(page, 'bash slow'):
        run(shortened(command))


def shortened(command: str) -> str:
    """Less of it: one epoch of training, two steps of sampling."""
    less = ''
    if re.match('posediff train', command):
        less += f' --cfg-options {LESS_TRAINING}'
    if re.match(r'posediff (train|test).*diffhpe', command):
        less += f' --cfg-options {LESS_SAMPLING}'
    return command + less


# --- links, paths and names -------------------------------------------------------------------------------------------


@pytest.mark.parametrize('page', PAGES)
def test_links_lead_somewhere(page: str) -> None:
    file = REPOSITORY / page
    for target in re.findall(r'\]\(([^)\s]+)\)', without_code(file.read_text())):
        if re.match(r'https?://|mailto:', target):
            continue
        path, _, anchor = target.partition('#')
        linked = (file.parent / path).resolve() if path else file
        assert linked.exists(), f'{page} links to {target}'
        if anchor:
            assert anchor in anchors(linked), f'{page} links to {target}'


def anchors(page: Path) -> set[str]:
    """GitHub's anchors of a page's headings."""
    headings = re.findall(r'^#+ (.+)$', page.read_text(), re.MULTILINE)
    return {re.sub(r'[^\w\- ]', '', heading.lower()).replace(' ', '-') for heading in headings}


@pytest.mark.parametrize('page', PAGES)
def test_paths_exist(page: str) -> None:
    written = {f'{path}' for path in re.findall(r'^# (\S+\.py)$', (REPOSITORY / page).read_text(), re.MULTILINE)}
    text = (REPOSITORY / page).read_text()
    for path in re.findall(r'(?<![\w./-])(?:configs|docs|plugins|posediff|tests|tools)/[\w./{},*-]*\w[}*]?', text):
        for one in expand(path):
            found = one in written or any(REPOSITORY.glob(one)) or any((REPOSITORY / page).parent.glob(one))
            assert found or one in NOT_HERE, f'{page} names {one}'


@pytest.mark.parametrize('page', PAGES)
def test_config_names_exist(page: str) -> None:
    names = {path.stem for path in (REPOSITORY / 'configs').rglob('*.py')}
    text = (REPOSITORY / page).read_text()
    for name in re.findall(r'`((?:mixste|diffhpe)-[\w-]*\d+f[\w{},-]*)(?:\.py)?`', text):
        for one in expand(name):
            assert one in names, f'{page} names the config {one}'


def expand(pattern: str) -> list[str]:
    """Braces as the shell expands them: ``a_{b,c}.py`` to two paths."""
    parts = re.split(r'\{([^}]*)\}', pattern)
    choices = [part.split(',') if index % 2 else [part] for index, part in enumerate(parts)]
    return [''.join(words) for words in itertools.product(*choices)]


@pytest.mark.parametrize('page', PAGES)
def test_classes_exist(page: str, at_home: Path) -> None:
    known = known_classes()
    text = (REPOSITORY / page).read_text()
    written = set(re.findall(r'^class (\w+)', text, re.MULTILINE))
    camel_case = re.findall(r'`((?=\w*[a-z])[A-Z]\w*[A-Z]\w*)[`(]', text)
    types = re.findall(r"\btype='(\w+)'", text)
    for name in (*camel_case, *types):
        assert name in known | written, f'{page} names {name}, which no module defines'


@cache
def known_classes() -> set[str]:
    files = itertools.chain.from_iterable((REPOSITORY / folder).rglob('*.py') for folder in ('posediff', 'plugins'))
    known = {name for file in files for name in re.findall(r'^class (\w+)', file.read_text(), re.MULTILINE)}
    for registry in vars(mmengine_registry).values():
        if isinstance(registry, mmengine_registry.Registry):
            known |= set(registry._module_dict)
    return known | {'PoseDataSample', 'DataParallel', 'BN'}  # of classes with other names


def without_code(text: str) -> str:
    return re.sub(r'^```.*?^```', '', text, flags=re.MULTILINE | re.DOTALL)


# --- commands and options ---------------------------------------------------------------------------------------------


def test_every_command_is_listed() -> None:
    text = (REPOSITORY / 'docs' / 'commands.md').read_text()
    listed = set(re.findall(r'^\| `posediff ([a-z0-9 -]+)` \|', text, re.MULTILINE))
    assert {command.name for entry in COMMANDS for command in getattr(entry, 'commands', (entry,))} <= listed


@pytest.mark.parametrize(('page', 'command'), [('video', 'video'), ('lift', 'lift')])
def test_every_option_of_a_command_is_described(page: str, command: str, capsys: pytest.CaptureFixture[str]) -> None:
    module = importlib.import_module(f'posediff.cli.{command}')
    with pytest.raises(SystemExit):
        module.parse_args(['--help'])
    described = set(re.findall(r'`(--[\w-]+)', (REPOSITORY / 'docs' / f'{page}.md').read_text()))
    assert set(re.findall(r'^  (--[\w-]+)', capsys.readouterr().out, re.MULTILINE)) <= described


def test_every_skeleton_is_listed_with_its_joints() -> None:
    text = (REPOSITORY / 'docs' / 'keypoint_files.md').read_text()
    rows = dict(re.findall(r'^\| `(\w+)` \| [^|]+ \| ([^|]+) \|$', text.partition('## Skeletons')[2], re.MULTILINE))
    assert set(rows) == set(SKELETONS)
    for name, joints in rows.items():
        same = re.fullmatch(r'as `(\w+)`', joints)
        expected = [joint.replace('_', ' ') for joint in SKELETONS[name].joint_names]
        assert (rows[same[1]] if same else joints).split(', ') == expected


def test_every_option_of_a_model_is_described() -> None:
    text = (REPOSITORY / 'docs' / 'configs.md').read_text()
    for prefix, options in (('test_cfg', TestOptions), ('train_cfg', TrainOptions)):
        names = {field.name for field in dataclasses.fields(options)}
        assert set(re.findall(rf'^\| `{prefix}\.(\w+)`', text, re.MULTILINE)) == names
        for field in dataclasses.fields(options):
            row = re.search(rf'^\| `{prefix}\.{field.name}` \| ([^ |]+)', text, re.MULTILINE)
            assert row is not None
            assert float(row[1]) == field.default if isinstance(field.default, float) else row[1] == str(field.default)


def test_every_reading_of_the_metric_is_described() -> None:
    text = (REPOSITORY / 'docs' / 'readings.md').read_text()
    for name in ('segments', 'unbiased', 'p_best_per_batch', 'j_agg_root', 'rpea'):
        assert name in inspect.signature(LiftingMetric.__init__).parameters
        assert f'`LiftingMetric({name}=' in text
