"""Look-ups across packages, and misses that explain themselves."""

from __future__ import annotations

import pytest

from posediff.registry import BACKBONES, DENOISERS, MODELS, REGISTRIES, SAMPLERS, UnknownComponentError


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


def test_an_argument_that_does_not_exist_names_the_class():
    with pytest.raises(TypeError, match=r"DDIMSampler.*unexpected keyword argument 'etaa'"):
        SAMPLERS.build({'type': 'DDIMSampler', 'etaa': 1})
