"""Look-ups across packages, and misses that explain themselves."""

from __future__ import annotations

import sys

import pytest
from mmengine.registry import MODELS as ROOT_MODELS

from posediff.registry import (
    BACKBONES,
    DENOISERS,
    MODELS,
    REGISTRIES,
    SAMPLERS,
    BrokenPackageError,
    ComponentRegistry,
    UnknownComponentError,
)


def test_every_registry_imports_its_own_components():
    for registry in REGISTRIES.values():
        registry.import_from_location()
    filled = {name for name, registry in REGISTRIES.items() if registry.module_dict}
    assert {'conditioners', 'denoisers', 'noise_schedulers', 'samplers', 'heads', 'aggregators', 'models'} <= filled


def test_names_carry_their_scope_or_none():
    assert SAMPLERS.get('DDIMSampler') is SAMPLERS.get('posediff.DDIMSampler')
    assert DENOISERS.get('posediff.models.denoisers.graph.CTGCNDenoiser') is DENOISERS.get('CTGCNDenoiser')


def test_a_foreign_scope_in_backbones_goes_to_that_packages_models():
    pytest.importorskip('mmpose.models', reason="MMPose's backbones need MMPose and mmcv's compiled ops")
    assert BACKBONES.get('mmpose.HRNet').__module__.startswith('mmpose.')
    assert MODELS.get('mmpose.HRNet') is BACKBONES.get('mmpose.HRNet')
    assert 'mmpose.HRNetz' not in BACKBONES


@pytest.mark.parametrize(
    ('registry', 'name', 'said'),
    [
        (SAMPLERS, 'DDIMSampeler', r"'DDIMSampeler' is not registered in samplers .* Did you mean DDIMSampler"),
        (DENOISERS, 'Nothing', r'Registered: .*CTGCNDenoiser'),
        (DENOISERS, 'no_such_package.Denoiser', r"'no_such_package.Denoiser' is not registered in denoisers"),
    ],
)
def test_a_miss_is_one_sentence_that_helps(registry, name, said):
    with pytest.raises(UnknownComponentError, match=said) as caught:
        registry.build({'type': name})
    assert '\n' not in str(caught.value)


BROKEN = {
    'ImportError': ("raise ImportError('cannot import name cached_download')", 'ImportError: cannot import name'),
    'a missing dependency': ('import no_such_dependency', "ModuleNotFoundError: No module named 'no_such_dependency'"),
    'a version check': ("assert False, 'MMCV==9 is used but incompatible'", 'AssertionError: MMCV==9 is used but'),
    'torchvision': (
        "raise RuntimeError('operator torchvision::nms does not exist')",
        'RuntimeError: operator torchvision',
    ),
    'a chain': (
        "try:\n    import no_such_dependency\nexcept ImportError as error:\n    raise RuntimeError('lazy') from error",
        'RuntimeError: lazy <- ModuleNotFoundError: No module named',
    ),
}


@pytest.mark.parametrize('where', ['package', 'registry', 'models'])
@pytest.mark.parametrize('kind', BROKEN)
def test_a_package_that_does_not_import_says_why(tmp_path, monkeypatch, kind, where):
    """A package in the manner of OpenMMLab, under a name of theirs that is not installed here."""
    source, said = BROKEN[kind]
    package = tmp_path / 'mmaction'
    package.mkdir()
    registry = (
        'from mmengine.registry import MODELS as ROOT, Registry\n'
        "MODELS = Registry('model', parent=ROOT, scope='mmaction', locations=['mmaction.models'])\n"
    )
    for name, text in {'package': '', 'registry': registry, 'models': ''}.items():
        file = '__init__' if name == 'package' else name
        (package / f'{file}.py').write_text(source if name == where else text)
    monkeypatch.syspath_prepend(str(tmp_path))
    for registry in (MODELS, BACKBONES):
        with pytest.raises(
            BrokenPackageError, match="'mmaction.TSN' cannot be looked up.*package mmaction .*does not"
        ) as e:
            registry.get('mmaction.TSN')
        assert said in str(e.value)
        assert '\n' not in str(e.value)
    for name in [name for name in sys.modules if name.startswith('mmaction')]:
        del sys.modules[name]
    ROOT_MODELS._children.pop('mmaction', None)


def test_a_class_of_a_broken_package_says_why(tmp_path, monkeypatch):
    (tmp_path / 'fake_broken.py').write_text("raise ImportError('built for another torch')")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(
        BrokenPackageError, match='fake_broken is installed and does not import: ImportError: built for'
    ):
        DENOISERS.get('fake_broken.Denoiser')


def test_a_module_of_components_fails_alike_every_time(tmp_path, monkeypatch):
    """The second import would say that the first name is taken."""
    (tmp_path / 'fake_components.py').write_text(
        'from posediff.registry import DENOISERS\n\n\n@DENOISERS.register_module()\nclass FakeHalf:\n    pass\n\n\n'
        'import no_such_dependency\n'
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    registry = ComponentRegistry('fakes', locations=['fake_components'])
    try:
        for _ in range(2):
            with pytest.raises(ModuleNotFoundError, match='no_such_dependency'):
                registry.get('Anything')
    finally:
        DENOISERS._module_dict.pop('FakeHalf', None)


def test_an_argument_that_does_not_exist_names_the_class():
    with pytest.raises(TypeError, match=r"DDIMSampler.*unexpected keyword argument 'etaa'"):
        SAMPLERS.build({'type': 'DDIMSampler', 'etaa': 1})
