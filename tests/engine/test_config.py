"""Reading of configs: misspelt keys and options are errors before anything is built."""

from __future__ import annotations

import inspect

import pytest
from mmengine.runner import Runner

from posediff.cli.main import main
from posediff.engine.config import RUNNER_KEYS, load_config, require_parts

CONFIG = """
model = dict(type='PoseDiffusionEstimator', test_cfg=dict(num_hypotheses=5))
train_dataloader = dict(batch_size=3)
my_own_variable = 7
"""


@pytest.fixture
def config(tmp_path):
    path = tmp_path / 'config.py'
    path.write_text(CONFIG)
    return path


def test_options_reach_nested_keys_and_own_variables_are_allowed(config):
    cfg = load_config(config, {'model.test_cfg.num_inference_steps': 3, 'my_own_variable': 8, 'resume': True})
    assert cfg.model.test_cfg == {'num_hypotheses': 5, 'num_inference_steps': 3}
    assert cfg.my_own_variable == 8


def test_a_loaded_config_is_not_changed(config):
    cfg = load_config(config)
    load_config(cfg, {'my_own_variable': 8})
    assert cfg.my_own_variable == 7


@pytest.mark.parametrize(
    ('options', 'said'),
    [
        ({'modle.test_cfg.num_hypotheses': 1}, "no key 'modle' .*did you mean 'model'"),
        ({'model.test_cfg.num_hypotheses.x': 1}, 'cfg-options do not fit'),
    ],
)
def test_misspelt_options_are_named(config, options, said):
    with pytest.raises(ValueError, match=said):
        load_config(config, options)


def test_a_misspelt_top_level_key_is_named(config):
    config.write_text(CONFIG.replace('train_dataloader', 'train_dataloder'))
    with pytest.raises(ValueError, match="'train_dataloder'; did you mean 'train_dataloader'"):
        load_config(config)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r'none\.py does not exist'):
        load_config(tmp_path / 'none.py')


@pytest.mark.parametrize(
    ('text', 'said'),
    [
        ('model = (', r"config\.py cannot be read: SyntaxError: .*never closed"),
        ('model = undefined', "NameError: name 'undefined' is not defined"),
        ("custom_imports = dict(imports=['no_such_module'])", "No module named 'no_such_module'"),
        ("custom_imports = dict(imports=['second_ctgcn'])", "second_ctgcn registers 'CTGCNDenoiser' in denoisers, but "
         'posediff.models.denoisers.graph of package posediff has that name already'),
    ],
)  # fmt: skip
def test_a_config_that_cannot_be_read_says_why(config, monkeypatch, text, said):
    module = """
from posediff.models import denoisers
from posediff.registry import DENOISERS

@DENOISERS.register_module()
class CTGCNDenoiser:
    pass
"""
    (config.parent / 'second_ctgcn.py').write_text(module)
    monkeypatch.syspath_prepend(config.parent)
    config.write_text(text)
    with pytest.raises(ValueError, match=said):
        load_config(config)


def test_a_missing_base_is_named(config):
    config.write_text("_base_ = './no_base.py'")
    with pytest.raises(FileNotFoundError, match=r'config\.py: .*no_base\.py, named in its _base_, does not exist'):
        load_config(config)


@pytest.mark.parametrize(
    ('base', 'said'),
    [
        ("'./config.py'", r'config\.py cannot be read: it inherits from itself'),
        ("['no_' + 'base']", r'config\.py cannot be read: file ".*no_base" does not exist'),
        ('3', r'config\.py cannot be read: TypeError'),
    ],
)
def test_a_base_that_leads_nowhere_is_named(config, base, said):
    config.write_text(f'_base_ = {base}')
    with pytest.raises((ValueError, FileNotFoundError), match=said):
        load_config(config)


def test_a_byte_order_mark_is_named(tmp_path):
    (tmp_path / 'config.py').write_text('model = dict()\n', encoding='utf-8-sig')
    with pytest.raises(ValueError, match=r'config\.py cannot be read: .*byte order mark: save it as UTF-8 without one'):
        load_config(tmp_path / 'config.py')


def test_the_listed_arguments_are_those_of_the_runner():
    assert set(RUNNER_KEYS) == set(inspect.signature(Runner.__init__).parameters) - {'self'}


def test_a_missing_part_is_named(config):
    cfg = load_config(config)
    require_parts(cfg, 'model', 'model.test_cfg.num_hypotheses')
    for key in ('test_evaluator', 'test_dataloader.dataset', 'train_dataloader.dataset', 'my_own_variable.x'):
        with pytest.raises(ValueError, match=rf'config\.py has no {key}$'):
            require_parts(cfg, 'model', key)


@pytest.mark.parametrize(
    ('command', 'said'),
    [
        (['train'], 'has no model'),
        (['test', 'a.pth'], 'has no model'),
        (['check-dataset'], 'has none of train_dataloader, val_dataloader, test_dataloader'),
        (['benchmark', 'baselines'], 'has no train_dataloader.dataset'),
        (['benchmark', 'model'], 'has no model'),
    ],
)
def test_a_command_names_the_part_that_its_config_lacks(config, capsys, command, said):
    config.write_text('')
    words, files = ([command[0]], command[1:]) if command[0] == 'test' else (command, [])
    with pytest.raises(SystemExit) as stop:
        main([*words, str(config), *files])
    assert stop.value.code == 2
    assert f'config.py {said} (' in capsys.readouterr().err
