"""Models as folders: what save_pretrained writes, from_pretrained reads, from a folder, by name and from the Hub."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from safetensors.torch import load_file, save_file

import posediff
from posediff.engine.config import load_config
from posediff.fileio.model_card import ModelCard
from posediff.fileio.safetensors_files import read_safetensors_metadata
from posediff.registry import DENOISERS, MODELS

FILES = ['README.md', 'config.py', 'model.safetensors']
COMMIT = 40 * 'a'


def lifting_config(**changes) -> Config:
    model = {
        'type': 'PoseDiffusionEstimator',
        'data_preprocessor': {'type': 'LiftingPreprocessor'},
        'conditioner': {'type': 'Keypoints2DConditioner'},
        'denoiser': {
            'type': 'CTGCNDenoiser', 'num_frames': 5, 'channels': 8, 'num_layers': 2, 'step_channels': 8,
            'condition_channels': 2,
        },
        'noise_scheduler': {'type': 'CosineNoiseScheduler', 'num_train_timesteps': 50, 'max_beta': 0.5},
        'sampler': {'type': 'DDPMSampler'},
        'head': {'type': 'LiftingHead'},
        'test_cfg': {'num_hypotheses': 2, 'num_inference_steps': 2},
    }  # fmt: skip
    return Config({'default_scope': 'posediff', 'fps': 50.0, 'work_dir': 'runs/of/mine', 'model': {**model, **changes}})


def frozen_lifter(checkpoint: str | None) -> dict:
    lifter = {'type': 'MixSTE', 'num_frames': 5, 'channels': 2, 'depth': 2, 'num_heads': 1}
    return {'type': 'FrozenLifterConditioner', 'lifter': lifter, 'checkpoint': checkpoint}


def equal_states(one: torch.nn.Module, other: torch.nn.Module) -> bool:
    mine, theirs = one.state_dict(), other.state_dict()
    return list(mine) == list(theirs) and all(torch.equal(mine[name], theirs[name]) for name in mine)


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    posediff.init_model(lifting_config()).save_pretrained(tmp_path / 'mine')
    return tmp_path / 'mine'


def test_a_saved_model_comes_back_with_the_same_poses(tmp_path: Path) -> None:
    model = posediff.init_model(lifting_config())
    model.save_pretrained(tmp_path / 'some' / 'where')
    assert sorted(path.name for path in (tmp_path / 'some' / 'where').iterdir()) == FILES
    assert [path.name for path in (tmp_path / 'some').iterdir()] == ['where']
    assert len({path.stat().st_mode for path in (tmp_path / 'some' / 'where').iterdir()}) == 1
    again = posediff.from_pretrained(tmp_path / 'some' / 'where')
    assert not again.training
    assert equal_states(again, model)
    condition = torch.randn(1, 5, 17, 2, generator=torch.Generator().manual_seed(1))
    first, second = (one.sample(condition, 2, generator=torch.Generator().manual_seed(2)) for one in (model, again))
    assert torch.equal(first, second)
    assert again.cfg.fps == 50.0
    assert 'work_dir' not in again.cfg
    metadata = read_safetensors_metadata(tmp_path / 'some' / 'where' / 'model.safetensors')
    assert metadata['posediff_version'] == posediff.__version__
    assert equal_states(
        posediff.init_model(tmp_path / 'some/where/config.py', tmp_path / 'some/where/model.safetensors'), model
    )


def test_a_frozen_lifter_is_in_the_file_and_its_source_is_not_named(tmp_path: Path) -> None:
    config = lifting_config(conditioner=frozen_lifter('checkpoints/elsewhere.pth'))
    config.model.denoiser.init_cfg = {'type': 'Pretrained', 'checkpoint': 'checkpoints/begin.pth'}
    model = posediff.init_model(config)
    model.save_pretrained(tmp_path / 'mine')
    assert '.pth' not in (tmp_path / 'mine' / 'config.py').read_text()
    again = posediff.from_pretrained(tmp_path / 'mine')
    assert equal_states(again, model)
    assert again.conditioner.ready_to_train() is None
    assert model.cfg.model.conditioner.checkpoint == 'checkpoints/elsewhere.pth'


def test_a_video_model_asks_for_no_weights_of_its_backbone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    timm = pytest.importorskip('timm')
    pytest.importorskip('mmpose')
    config = load_config('diffpose_vit-t_synthetic-128x96')
    config.model.backbone.update(pretrained=True, stem='patch', checkpoint=None)
    config.model.backbone.model_kwargs.depth = 1
    model = posediff.init_model(config)
    model.save_pretrained(tmp_path / 'video')
    create = timm.create_model

    def create_without_weights(*args, pretrained, **kwargs):
        assert not pretrained
        return create(*args, pretrained=False, **kwargs)

    monkeypatch.setattr(timm, 'create_model', create_without_weights)
    again = posediff.from_pretrained(tmp_path / 'video')
    again.init_weights()
    assert again.cfg.model.backbone.pretrained is False
    assert again.cfg.test_pipeline == config.test_pipeline
    assert again.cfg.model.backbone.img_size == (128, 96)


PLUGIN = """
from posediff.models.denoisers import CTGCNDenoiser
from posediff.registry import DENOISERS

@DENOISERS.register_module()
class OtherDenoiser(CTGCNDenoiser):
    pass
"""


def test_a_model_with_a_component_of_another_package_asks_the_caller_to_import_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / 'posediff_other.py').write_text(PLUGIN)
    monkeypatch.syspath_prepend(tmp_path)
    config = lifting_config()
    config.model.denoiser.type = 'OtherDenoiser'
    config.custom_imports = {'imports': ['posediff_other'], 'allow_failed_imports': False}
    __import__('posediff_other')
    model = posediff.init_model(config)
    model.save_pretrained(tmp_path / 'mine')

    def forget() -> None:
        sys.modules.pop('posediff_other', None)
        DENOISERS._module_dict.pop('OtherDenoiser', None)

    try:
        forget()
        with pytest.raises(
            ModuleNotFoundError, match=r'config\.py needs posediff_other \(custom_imports\), which loadi'
        ):
            posediff.from_pretrained(tmp_path / 'mine')
        assert 'posediff_other' not in sys.modules
        __import__('posediff_other')
        assert equal_states(posediff.from_pretrained(tmp_path / 'mine'), model)
    finally:
        forget()


def test_dtypes_are_kept_and_half_is_asked_for(tmp_path: Path) -> None:
    model = posediff.init_model(lifting_config())
    model.denoiser.to(torch.bfloat16)
    model.save_pretrained(tmp_path / 'kept')
    before, written = model.state_dict(), load_file(tmp_path / 'kept' / 'model.safetensors')
    assert {name: value.dtype for name, value in written.items()} == {n: value.dtype for n, value in before.items()}
    assert torch.bfloat16 in {value.dtype for value in written.values()}
    model = posediff.init_model(lifting_config())
    model.save_pretrained(tmp_path / 'half', half=True)
    floats = [v for v in load_file(tmp_path / 'half' / 'model.safetensors').values() if v.is_floating_point()]
    assert {value.dtype for value in floats} == {torch.float16}
    assert next(posediff.from_pretrained(tmp_path / 'half').parameters()).dtype == torch.float32
    torch.nn.init.constant_(next(model.parameters()), 1e6)
    with pytest.raises(ValueError, match='which float16 cannot hold'):
        model.save_pretrained(tmp_path / 'large', half=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ['half', 'kept']


def test_an_existing_folder_is_replaced_only_when_asked_and_keeps_other_files(saved: Path) -> None:
    (saved / 'notes.txt').write_text('mine')
    before = {path.name: path.read_bytes() for path in saved.iterdir()}
    model = posediff.init_model(lifting_config())
    torch.nn.init.constant_(next(model.parameters()), 7.0)
    with pytest.raises(FileExistsError, match='mine exists already; overwrite=True'):
        model.save_pretrained(saved)
    assert {path.name: path.read_bytes() for path in saved.iterdir()} == before
    model.save_pretrained(saved, overwrite=True)
    assert sorted(path.name for path in saved.iterdir()) == sorted([*FILES, 'notes.txt'])
    assert equal_states(posediff.from_pretrained(saved), model)


@pytest.mark.parametrize('exists', [False, True])
def test_a_write_that_fails_leaves_what_was_there(saved: Path, monkeypatch: pytest.MonkeyPatch, exists: bool) -> None:
    target = saved if exists else saved.parent / 'new'
    before = {path: path.read_bytes() for path in saved.iterdir()}

    def full(self: ModelCard) -> str:
        raise OSError('No space left on device')

    monkeypatch.setattr(ModelCard, 'text', full)
    with pytest.raises(OSError, match='No space left'):
        posediff.init_model(lifting_config()).save_pretrained(target, overwrite=True)
    assert {path: path.read_bytes() for path in saved.iterdir()} == before
    assert list(saved.parent.iterdir()) == [saved]


def test_a_model_without_its_config_asks_for_it(tmp_path: Path) -> None:
    model = MODELS.build(lifting_config().model)
    with pytest.raises(ValueError, match='not built by posediff.init_model: give save_pretrained its config'):
        model.save_pretrained(tmp_path / 'mine')
    model.save_pretrained(tmp_path / 'mine', config=lifting_config())
    assert equal_states(posediff.from_pretrained(tmp_path / 'mine'), model)


@pytest.mark.parametrize(
    ('config', 'said'),
    [
        (
            lifting_config(head={'type': 'LiftingHead', 'skeleton': lambda: 'h36m17'}),
            'has values that are not literals',
        ),
        (
            lifting_config(head={'type': 'LiftingHead', 'skeleton': '${skeleton}'}),
            r'model\.head\.skeleton = .*load_config',
        ),
        (lifting_config(head={'type': 'my_package.heads.LiftingHead'}), 'is a path to an object of another package'),
        (Config({'fps': 50.0}), 'has no model'),
        (Config({**lifting_config(), 'custom_imports': {'imports': ['no_such']}}), r'needs no_such \(custom_imports\)'),
    ],
)
def test_what_from_pretrained_would_refuse_is_not_written(tmp_path: Path, config: Config, said: str) -> None:
    model = posediff.init_model(lifting_config())
    with pytest.raises((ValueError, ModuleNotFoundError), match=said):
        model.save_pretrained(tmp_path / 'new' / 'mine', config=config)
    assert list(tmp_path.iterdir()) == []


def test_keys_that_are_not_identifiers_are_read_back(tmp_path: Path) -> None:
    config = lifting_config()
    config.test_pipeline = [{'type': 'PackLiftingInputs', 'meta': {'a key': 1, 3: {'x': (1, 2)}}}]
    posediff.init_model(config).save_pretrained(tmp_path / 'mine')
    assert posediff.from_pretrained(tmp_path / 'mine').cfg.test_pipeline == config.test_pipeline


def test_the_card_says_what_is_known_and_what_is_not(tmp_path: Path) -> None:
    card = ModelCard(name='A lifter', data='20 windows', licence='CC-BY-4.0', metrics={'MPJPE': '70 mm'})
    posediff.init_model(lifting_config()).save_pretrained(tmp_path / 'mine', card)
    text = (tmp_path / 'mine' / 'README.md').read_text()
    assert text.startswith('---\nlibrary_name: posediff\nlicense: cc-by-4.0\n')
    assert '# A lifter\n' in text
    assert '## Training data\n20 windows\n' in text
    assert '| MPJPE | 70 mm |' in text
    assert '## Third-party weights\nnot stated\n' in text
    with pytest.raises(ValueError, match="data of a model card must be a text that is not empty, got ''"):
        ModelCard(data='')


def change_config(folder: Path, old: str, new: str) -> None:
    text = (folder / 'config.py').read_text()
    assert old in text
    (folder / 'config.py').write_text(text.replace(old, new, 1))


CONDITIONER = "type='Keypoints2DConditioner'"


@pytest.mark.parametrize(
    ('old', 'new', 'said'),
    [
        ('fps = 50.0', 'import os; os.mkdir("ran")', "line 2: 'import os' is not a literal"),
        ('fps = 50.0', 'fps = __import__("os").mkdir("ran")', 'is not a literal'),
        ('fps = 50.0', 'fps = (lambda: 50.0)()', 'is not a literal'),
        ('fps = 50.0', '_base_ = f"{1}"', 'is not a literal'),
        ('fps = 50.0', 'fps = (', 'cannot be read'),
        ('fps = 50.0', "_base_ = './other.py'", '_base_ is not allowed'),
        ('fps = 50.0', "rate = 50.0\nfps = '${rate}'", r"fps = '\$\{rate\}' is a reference"),
        (CONDITIONER, "type='os.mkdir', path='ran'", "conditioner.type = 'os.mkdir' is a path to an object"),
        (CONDITIONER, "type='Keypoints3DConditioner'", 'not registered in conditioners'),
    ],
)
def test_a_config_that_would_run_code_is_refused(
    saved: Path, monkeypatch: pytest.MonkeyPatch, old: str, new: str, said: str
) -> None:
    monkeypatch.chdir(saved.parent)
    change_config(saved, old, new)
    with pytest.raises((ValueError, KeyError), match=said):
        posediff.from_pretrained(saved)
    assert not Path('ran').exists()


def test_weights_that_are_damaged_foreign_or_a_pickle_are_named(saved: Path) -> None:
    weights = saved / 'model.safetensors'
    whole = weights.read_bytes()
    for content in (b'', whole[:-4], whole[:20], b'no weights at all'):
        weights.write_bytes(content)
        with pytest.raises(ValueError, match=r'model\.safetensors is not a readable checkpoint'):
            posediff.from_pretrained(saved)
    torch.save({'state_dict': posediff.init_model(lifting_config()).state_dict()}, weights)
    with pytest.raises(ValueError, match=r'model\.safetensors is not a readable checkpoint'):
        posediff.from_pretrained(saved)
    weights.unlink()
    with pytest.raises(FileNotFoundError, match=r'mine has no model\.safetensors'):
        posediff.from_pretrained(saved)


@pytest.mark.parametrize(
    ('name', 'value', 'said'),
    [
        ('first', None, 'missing {name}'),
        ('surplus', torch.zeros(2), 'unexpected surplus'),
        ('first', torch.zeros(3, 1), r'{name} is \(3, 1\), the model has'),
        ('first', 'as integers', '{name} is int64, the model has float32'),
    ],
)
def test_weights_of_another_model_are_refused(saved: Path, name: str, value, said: str) -> None:
    state = load_file(saved / 'model.safetensors')
    name = next(key for key in state if state[key].is_floating_point()) if name == 'first' else name
    if value is None:
        del state[name]
    else:
        state[name] = torch.zeros_like(state[name], dtype=torch.int64) if value == 'as integers' else value
    save_file(state, saved / 'model.safetensors')
    said = rf'model\.safetensors does not fit the model \(1 differences\): {said.format(name=name)}'
    with pytest.raises(ValueError, match=said):
        posediff.from_pretrained(saved)


@pytest.mark.parametrize('name', ['', 'lifters', './lifter', 'a/b/c', '/no/where', 'größe/姿', __file__])
def test_an_unknown_name_is_told_what_there_is(name: str) -> None:
    with pytest.raises(FileNotFoundError, match='is not a model: .* it is not one of lifter, diffpose'):
        posediff.from_pretrained(name)


@pytest.fixture
def hub_cache(saved: Path, tmp_path: Path) -> Path:
    """A model in the layout of huggingface_hub's cache: blobs, and snapshots that link to them."""
    pytest.importorskip('huggingface_hub')
    repository = tmp_path / 'cache' / 'models--somebody--walker'
    (repository / 'snapshots' / COMMIT).mkdir(parents=True)
    (repository / 'blobs').mkdir()
    (repository / 'refs').mkdir()
    for name in ('main', 'v1'):
        (repository / 'refs' / name).write_text(COMMIT)
    for number, path in enumerate(sorted(saved.iterdir())):
        path.rename(repository / 'blobs' / f'{number:064x}')
        (repository / 'snapshots' / COMMIT / path.name).symlink_to(f'../../blobs/{number:064x}')
    saved.rmdir()
    return tmp_path / 'cache'


@pytest.mark.parametrize('revision', ['', '@main', '@v1', f'@{COMMIT}'])
def test_a_model_of_the_hub_is_read_from_its_cache(hub_cache: Path, revision: str) -> None:
    model = posediff.from_pretrained(f'somebody/walker{revision}', cache_dir=hub_cache, local_files_only=True)
    assert model.head.skeleton.name == 'h36m17'


@pytest.mark.parametrize('name', ['somebody/runner', 'somebody/walker@v2'])
def test_what_the_cache_does_not_have_is_named(hub_cache: Path, name: str) -> None:
    with pytest.raises(FileNotFoundError, match=f'model {name} was not found on the Hugging Face Hub or in its cache'):
        posediff.from_pretrained(name, cache_dir=hub_cache, local_files_only=True)


@pytest.mark.parametrize('variables', [{'HF_HUB_OFFLINE': '1'}, {'HF_ENDPOINT': 'http://127.0.0.1:9'}])
def test_a_hub_that_is_not_reached_is_named(hub_cache: Path, variables: dict[str, str]) -> None:
    code = f"""
import posediff
print(posediff.from_pretrained('somebody/walker', cache_dir={str(hub_cache)!r}).head.skeleton.name)
try:
    posediff.from_pretrained('somebody/runner', cache_dir={str(hub_cache)!r})
except FileNotFoundError as error:
    print(error)
"""
    done = subprocess.run(
        [sys.executable, '-c', code], capture_output=True, text=True, timeout=300, env={**os.environ, **variables}
    )
    assert done.returncode == 0, done.stderr
    name, said = done.stdout.splitlines()
    assert name == 'h36m17'
    assert said.startswith('model somebody/runner was not found on the Hugging Face Hub or in its cache: ')


def test_without_huggingface_hub_the_error_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, 'huggingface_hub', None)
    with pytest.raises(ModuleNotFoundError, match=r'pip install "posediff\[hub\]"'):
        posediff.from_pretrained('somebody/walker')
