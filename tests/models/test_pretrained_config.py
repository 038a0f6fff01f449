"""The config of a pretrained model is data: whatever names code, files or addresses is refused."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from posediff.models.pretrained_config import check_pretrained_config


def config(**model: Any) -> dict[str, Any]:
    return {
        'default_scope': 'posediff',
        'model': {
            'type': 'PoseDiffusionEstimator',
            'backbone': {'type': 'TimmBackbone', 'pretrained': False, 'checkpoint': None},
            'conditioner': {'type': 'posediff.Keypoints2DConditioner'},
            'sampler': {'type': 'diffusers.UniPCMultistepScheduler'},
            **model,
        },
        'test_pipeline': [{'type': 'LoadClip'}, {'type': 'mmpose.TopdownAffine'}],
    }


def test_registered_components_are_accepted() -> None:
    check_pretrained_config(config(), 'config.py')


@pytest.mark.parametrize(
    ('model', 'said'),
    [
        ({'head': {'type': 'mmengine.load', 'file': 'x.pkl'}}, r"model\.head\.type = 'mmengine\.load' is a path to an"),
        ({'head': {'type': 'mmpose.a.b'}}, r"model\.head\.type = 'mmpose\.a\.b' is a path to an object"),
        ({'head': {'type': 'mmpose.'}}, r"model\.head\.type = 'mmpose\.' is a path to an object"),
        ({'head': {'type': 'antigravity'}}, r"model\.head\.type = 'antigravity' is a module, not a registered"),
        ({'head': {'type': 'posediff.from_pretrained', 'name': 'a/b'}}, 'is an object of the package posediff, not'),
        ({'head': {'type': 'posediff.cli'}}, 'is an object of the package posediff, not a registered component'),
        ({'head': {'type': 'diffusers.AutoencoderKL'}}, 'diffusers has samplers only'),
        (
            {'head': [{'type': 'LiftingHead', '_scope_': 'mmengine'}]},
            r"model\.head\.0\._scope_ = 'mmengine' is not one",
        ),
        (
            {'backbone': {'type': 'TimmBackbone', 'pretrained': True}},
            r'model\.backbone\.pretrained = True: the weights',
        ),
        ({'backbone': {'checkpoint': 'a.pth'}}, r"model\.backbone\.checkpoint = 'a\.pth': the weights"),
        ({'conditioner': {'checkpoint': '/a.pth'}}, r"model\.conditioner\.checkpoint = '/a\.pth': the weights"),
        (
            {'denoiser': {'x': [{'init_cfg': {'checkpoint': 'a'}}]}},
            r'model\.denoiser\.x\.0\.init_cfg = .*: the weights',
        ),
        ({'backbone': {'model_name': 'hf-hub:a/b'}}, r"model_name = 'hf-hub:a/b' is an address outside the model"),
        ({'head': {'file': 'https://a.org/b'}}, r"model\.head\.file = 'https://a\.org/b' is an address"),
        ({'head': {'skeleton': '${skeleton}'}}, r"model\.head\.skeleton = '\$\{skeleton\}' is a reference"),
        ({'head': {'list': ['*${occlusion}']}}, r"model\.head\.list\.0 = '\*\$\{occlusion\}' is a reference"),
    ],
)
def test_what_names_code_files_or_addresses_is_refused(model: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=f'config.py: .*{said}'):
        check_pretrained_config(config(**model), 'config.py')
    assert 'antigravity' not in sys.modules


@pytest.mark.parametrize('key', ['_base_', 'filename', 'pretty_text'])
def test_keys_of_mmengine_are_refused(key: str) -> None:
    with pytest.raises(ValueError, match=f'config.py: {key} is not allowed'):
        check_pretrained_config({**config(), key: 'other.py'}, 'config.py')


@pytest.mark.parametrize('scope', ['mmengine', 'os', ''])
def test_the_default_scope_is_one_of_the_packages(scope: str) -> None:
    with pytest.raises(ValueError, match=f"config.py: default_scope = '{scope}' is not one of"):
        check_pretrained_config({**config(), 'default_scope': scope}, 'config.py')


@pytest.mark.parametrize('imports', [['os'], 'os', {'imports': [3]}, {'imports': {'os': 1}}])
def test_malformed_imports_are_refused(imports: Any) -> None:
    with pytest.raises(ValueError, match='custom_imports must be dict'):
        check_pretrained_config({**config(), 'custom_imports': imports}, 'config.py')


def test_modules_are_not_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / 'effect.py').write_text("raise SystemExit('imported')")
    monkeypatch.syspath_prepend(tmp_path)
    for imports in ({'imports': 'effect'}, {'imports': ['os', 'effect']}):
        with pytest.raises(ModuleNotFoundError, match=r'config.py needs effect \(custom_imports\)'):
            check_pretrained_config({**config(), 'custom_imports': imports}, 'config.py')
    check_pretrained_config({**config(), 'custom_imports': {'imports': ['os']}}, 'config.py')
    with pytest.raises(ValueError, match=r"model\.head\.type = 'effect' is a module"):
        check_pretrained_config(config(head={'type': 'effect'}), 'config.py')


def test_a_module_with_the_name_of_a_component_is_no_obstacle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / 'LiftingHead.py').write_text("raise SystemExit('imported')")
    monkeypatch.syspath_prepend(tmp_path)
    check_pretrained_config(config(head={'type': 'LiftingHead'}), 'config.py')
