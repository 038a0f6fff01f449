"""References in configs: a value is stated once, and overrides reach everything that refers to it."""

from __future__ import annotations

from pathlib import Path

import pytest
from mmengine.config import Config
from mmengine.runner import Runner

from posediff.engine.config import load_config
from posediff.registry import MODELS

CONFIG = """
frames = 27
size = (192, 256)
occlusion = []
codec = dict(size='${size}', cells='${size[0] // 4, size[1] // 4}')
model = dict(frames='${frames}', codec='${codec}', cells='${codec.cells[1]}')
pipeline = [dict(type='Load'), '*${occlusion}', dict(type='Encode', codec='${codec}')]
train_cfg = dict(max_epochs=60, val_interval='${train_cfg.max_epochs}')
param_scheduler = [dict(end='${max(train_cfg.max_epochs, 3)}', at='${ceil(2 * train_cfg.max_epochs / 3)}')]
folder = "${'data/' + 'train'}"
many = '${frames > 1}'
"""

LEAF = """
_base_ = './config.py'
size = (96, 128)
occlusion = [dict(type='Hide')]
codec = dict(sigma=2)
"""


@pytest.fixture
def write(tmp_path: Path):
    def write(text: str, name: str = 'config.py') -> Path:
        (tmp_path / name).write_text(text)
        return tmp_path / name

    return write


def test_references_stand_for_what_they_name(write):
    cfg = load_config(write(CONFIG))
    assert cfg.model == {'frames': 27, 'codec': {'size': (192, 256), 'cells': (48, 64)}, 'cells': 64}
    assert cfg.pipeline == [{'type': 'Load'}, {'type': 'Encode', 'codec': cfg.codec}]
    assert cfg.pipeline[1].codec.cells == (48, 64)  # dictionaries of Config, with attribute access
    assert cfg.train_cfg.val_interval == 60
    assert cfg.param_scheduler == [{'end': 60, 'at': 40}]
    assert (cfg.folder, cfg.many) == ('data/train', True)


def test_overrides_and_leaves_reach_what_refers_to_them(write):
    write(CONFIG)
    cfg = load_config(write(LEAF, 'leaf.py'), {'train_cfg.max_epochs': 2, 'frames': 1})
    assert cfg.model == {'frames': 1, 'codec': {'size': (96, 128), 'cells': (24, 32), 'sigma': 2}, 'cells': 32}
    assert [step.type for step in cfg.pipeline] == ['Load', 'Hide', 'Encode']
    assert cfg.param_scheduler == [{'end': 3, 'at': 2}]
    assert cfg.many is False


def test_copies_do_not_share_what_is_changed_later(write):
    cfg = load_config(write(CONFIG))
    cfg.model.codec.size = (1, 1)
    assert cfg.codec.size == cfg.pipeline[1].codec.size == (192, 256)


def test_a_resolved_config_is_written_and_read_again(write, tmp_path):
    cfg = load_config(write(CONFIG))
    assert cfg.filename.endswith('config.py')
    cfg.dump(tmp_path / 'dumped.py')
    assert load_config(tmp_path / 'dumped.py').to_dict() == cfg.to_dict()


@pytest.mark.parametrize(
    ('text', 'said'),
    [
        ("a = '${b}'", r"config\.py: a = '\$\{b\}' cannot be resolved: the config has no b"),
        ("b = dict()\na = ['${b.c}']", r"a\.0 = '\$\{b\.c\}' cannot be resolved: the config has no b\.c"),
        ("a = '${b}'\nb = '${a}'", 'refers to itself'),
        ("a = '${b[2]}'\nb = (1, 2)", 'tuple index out of range'),
        ("a = '${b / 2}'\nb = None", 'unsupported operand'),
        ("a = ['*${b}']\nb = 3", 'needs a list, b is 3'),
        ("a = '${open(1)}'", r"'open\(1\)' is not allowed in a reference"),
        ("a = '${b c}'", 'cannot be resolved: invalid syntax'),
    ],
)
def test_a_reference_that_leads_nowhere_says_so(write, text, said):
    with pytest.raises(ValueError, match=said):
        load_config(write(text))


def test_an_option_inside_a_reference_is_refused(write):
    with pytest.raises(
        ValueError, match=r"'model\.codec\.size' is part of model\.codec = '\$\{codec\}' in .*config\.py"
    ):
        load_config(write(CONFIG), {'model.codec.size': (1, 1)})
    assert load_config(write(CONFIG), {'pipeline.2.codec': 3}).pipeline[1].codec == 3


PACKAGED = 'configs/lifting_3d/mixste/mixste-c64-d4_27f_cmu.py'


def test_a_config_that_mmengine_reads_fails_in_one_line(repository, tmp_path):
    said = r"model\.conditioner\.lifter\.num_frames = '\$\{num_frames\}' is a reference that was not resolved; read the"
    cfg = Config.fromfile(repository / PACKAGED)
    cfg.work_dir = str(tmp_path)
    for build in (lambda: MODELS.build(cfg.model), lambda: Runner.from_cfg(cfg)):
        with pytest.raises(ValueError, match=said) as caught:
            build()
        assert '\n' not in str(caught.value)


def test_a_config_that_load_config_reads_gives_a_runner(repository, tmp_path):
    cfg = load_config(repository / PACKAGED)
    cfg.work_dir = str(tmp_path)
    assert Runner.from_cfg(cfg).model.window_length == 27
