"""Convert checkpoints of the official DiffHPE, MixSTE and D3DP code to this project's parameter names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from posediff.engine.model_building import init_model
from posediff.fileio.atomic_files import atomic_write
from posediff.fileio.checkpoint import load_checkpoint
from posediff.fileio.state_dicts import COMPILED, WRAPPERS, find_state

# Official name of a transformer module → name in this project.
_TRANSFORMER = (
    (r'Spatial_pos_embed', r'trunk.joint_position'),
    (r'Temporal_pos_embed', r'trunk.frame_position'),
    (r'Spatial_patch_to_embedding\.(weight|bias)', r'embedding.\1'),
    (r'Spatial_norm\.(weight|bias)', r'trunk.joint_norm.\1'),
    (r'Temporal_norm\.(weight|bias)', r'trunk.frame_norm.\1'),
    (r'STEblocks\.(\d+)\.(.+)', r'trunk.joint_blocks.\1.\2'),
    (r'TTEblocks\.(\d+)\.(.+)', r'trunk.frame_blocks.\1.\2'),
)
_BLOCK = {
    'norm1': 'attention_norm',
    'attn.qkv': 'attention.qkv',
    'attn.proj': 'attention.projection',
    'norm2': 'mlp_norm',
    'mlp.fc1': 'mlp_hidden',
    'mlp.fc2': 'mlp_output',
}
_CT_GCN = (
    (r'diffusion_embedding\.projection1\.(weight|bias)', r'step_embedding.hidden.\1'),
    (r'diffusion_embedding\.projection2\.(weight|bias)', r'step_embedding.output.\1'),
    (r'input_projection\.(weight|bias)', r'input_projection.\1'),
    (r'output_projection1\.(weight|bias)', r'output_hidden.\1'),
    (r'output_projection2\.(weight|bias)', r'output_projection.\1'),
    (r'residual_layers\.(\d+)\.(.+)', r'layers.\1.\2'),
)
_RESIDUAL_LAYER = {
    'diffusion_projection': 'step_projection',
    'mid_projection': 'mid_projection',
    'output_projection': 'output_projection',
    'time_layer.gconv': 'frame_conv',
    'time_layer.bn': 'frame_norm',
    'feature_layer.gconv': 'channel_conv',
    'feature_layer.bn': 'channel_norm',
    'non_local.non_local.theta': 'non_local.query',
    'non_local.non_local.phi.0': 'non_local.key',
    'non_local.non_local.g.0': 'non_local.value',
    'non_local.non_local.concat_project.0': 'non_local.score',
    'non_local.non_local.W.0': 'non_local.output',
    'non_local.non_local.W.1': 'non_local.norm',
}
STEP_TABLE = 'denoiser.step_embedding.table'
_WRAPPERS = re.compile(rf'^({"|".join(map(re.escape, WRAPPERS))})*')
# D3DP stores its schedule in the state dict; here it is computed from the config.
_SCHEDULE = re.compile(r'(betas|alphas_|sqrt_|log_one_minus_|posterior_)\w*')


@dataclass(frozen=True)
class ConvertedCheckpoint:
    """The result of :func:`convert_checkpoint`.

    Attributes:
        num_tensors: Number of tensors in the file.
        halved_step_table: Whether the step-embedding table was rounded to half precision, see :func:`step_table`.
        choice: Which weights were used, if the file has averaged ones; empty otherwise.
    """

    num_tensors: int
    halved_step_table: bool
    choice: str = field(default='', compare=False)


def convert_state_dict(
    checkpoint: Mapping[str, Any], source: str | Path = 'the checkpoint', ema: bool = False
) -> dict[str, Tensor]:
    """Rename the parameters of an official checkpoint.

    Args:
        checkpoint: Content of the checkpoint file: a state dict, bare or wrapped as in
            :mod:`posediff.fileio.state_dicts`, of DiffHPE (``diffmodel.*``, ``conditioning.*``), MixSTE (prefix
            ``model.`` or none) or D3DP (``pose_estimator.*``); with or without prefixes of wrappers.
        source: Path of the checkpoint, for messages.
        ema: Use the averaged weights (EMA), which the file must contain.

    Returns:
        State dict of a :class:`posediff.models.estimator.PoseDiffusionEstimator` without :data:`STEP_TABLE`. Weights
        are float32; the trailing axes of 1x1 convolutions are removed.

    Raises:
        ValueError: Some keys belong to none of these models, two are the same parameter, or a weight is NaN or
            infinite; the message lists a few.
    """
    state = find_state(checkpoint, source, ema).state
    official_names: dict[str, str] = {}
    unknown = []
    for official, value in state.items():
        name = _WRAPPERS.sub('', str(official).replace(COMPILED, ''))
        if _SCHEDULE.fullmatch(name):
            continue
        ours = _rename(name)
        if ours is None or not isinstance(value, Tensor):
            unknown.append(str(official))
        elif ours in official_names:
            raise ValueError(f'{source}: {official_names[ours]} and {official} are the same parameter, {ours}')
        else:
            official_names[ours] = official
    if unknown or not official_names:
        raise ValueError(
            f'{source}: not a checkpoint of DiffHPE, MixSTE or D3DP: {len(unknown)} of {len(state)} keys are unknown'
            f' ({", ".join(unknown[:4])})'
        )
    damaged = [official for official in official_names.values() if not torch.isfinite(state[official]).all()]
    if damaged:
        raise ValueError(f'{source}: {len(damaged)} tensors hold NaN or infinite numbers: {", ".join(damaged[:4])}')
    return {ours: _plain(ours, state[official]) for ours, official in official_names.items()}


def convert_checkpoint(
    source: str | Path,
    destination: str | Path,
    config: str | Path,
    cfg_options: Mapping[str, Any] | None = None,
    ema: bool = False,
) -> ConvertedCheckpoint:
    """Convert an official checkpoint to one that ``posediff.init_model(config, destination)`` loads strictly.

    Args:
        source: Official checkpoint.
        destination: File to write, atomically.
        config: Config of a model with the same sizes.
        cfg_options: Overrides of the config, as for :func:`posediff.init_model`.
        ema: Use the averaged weights (EMA), which the file must contain.

    Raises:
        FileNotFoundError, ValueError, posediff.fileio.checkpoint.UnsafeCheckpointError: A file is missing, malformed or
            not an official checkpoint, or its weights do not match the config.
    """
    checkpoint = load_checkpoint(source)
    state = convert_state_dict(checkpoint, source, ema)
    expected = init_model(config, cfg_options=cfg_options).state_dict()
    halved = False
    if STEP_TABLE in expected:
        state[STEP_TABLE] = step_table(expected[STEP_TABLE], state)
        halved = not torch.equal(state[STEP_TABLE], expected[STEP_TABLE])
    check_fit(state, expected, source, config)
    with atomic_write(destination) as temporary:
        torch.save({'state_dict': state, 'meta': {'converted_from': Path(source).name}}, temporary)
    return ConvertedCheckpoint(len(state), halved, find_state(checkpoint, source, ema).choice)


def step_table(table: Tensor, state: Mapping[str, Tensor]) -> Tensor:
    """Return the step-embedding table of converted weights, which official checkpoints do not contain.

    Args:
        table: (num_train_timesteps, channels), the table computed by this project.
        state: Converted weights. If all values are half-precision numbers, the official model was converted to half
            precision as a whole; the returned table is then rounded to half precision too.
    """
    weights = [value for value in state.values() if value.is_floating_point()]
    halved = all(torch.equal(value, value.half().float()) for value in weights)
    return table.half().float() if halved else table


def check_fit(
    state: Mapping[str, Tensor], expected: Mapping[str, Tensor], source: str | Path, config: str | Path
) -> None:
    """Check that a state dict has the parameters and sizes of a config's model.

    Raises:
        ValueError: A parameter is missing, unexpected or has another size; the message lists a few.
    """
    problems = [f'{name} is missing' for name in expected if name not in state]
    problems += [f'{name} is not in the model' for name in state if name not in expected]
    problems += [
        f'{name} is {tuple(value.shape)}, the config makes it {tuple(expected[name].shape)}'
        for name, value in state.items()
        if name in expected and value.shape != expected[name].shape
    ]
    if problems:
        raise ValueError(f'{source} does not fit {config} in {len(problems)} parameters: {"; ".join(problems[:4])}')


def _rename(name: str) -> str | None:
    """Return this project's name of an official parameter without wrapper prefixes; None if it is unknown."""
    scope, _, rest = name.partition('.')
    if scope == 'diffmodel':
        return _prefixed('denoiser.', _match(_CT_GCN, rest, _RESIDUAL_LAYER))
    if scope == 'conditioning':
        if rest.startswith('data_enc.'):
            return _prefixed('denoiser.pose_embedding.', _leaf(rest.removeprefix('data_enc.')))
        if rest.startswith('head.'):  # DiffHPE uses only the normalisation of the head
            return _prefixed('conditioner.lifter.trunk.final_norm.', _leaf(rest.removeprefix('head.')))
        return _prefixed('conditioner.lifter.', _match(_TRANSFORMER, rest, _BLOCK))
    if scope == 'pose_estimator':
        step = {'time_mlp.1': 'step_embedding.hidden', 'time_mlp.3': 'step_embedding.output'}
        heads = {'head.0': 'trunk.final_norm', 'head.1': 'regression'}
        return _prefixed('denoiser.', _match(_TRANSFORMER, rest, _BLOCK) or _inner(rest, step | heads))
    if scope == 'head':
        return _inner(name, {'head.0': 'conditioner.lifter.trunk.final_norm', 'head.1': 'head.regression'})
    return _prefixed('conditioner.lifter.', _match(_TRANSFORMER, name, _BLOCK))


def _match(table: tuple[tuple[str, str], ...], name: str, inner: dict[str, str]) -> str | None:
    for pattern, replacement in table:
        found = re.fullmatch(pattern, name)
        if found is None:
            continue
        if found.re.groups < 2:
            return found.expand(replacement)
        part = _inner(found.group(2), inner)
        return part and found.expand(replacement.replace(r'\2', '')) + part
    return None


def _inner(name: str, table: dict[str, str]) -> str | None:
    """Rename ``<part>.<leaf>``."""
    part, _, leaf = name.rpartition('.')
    known = _leaf(leaf)
    return f'{table[part]}.{known}' if part in table and known else None


def _leaf(name: str) -> str | None:
    if name == 'W':
        return 'weight'
    return name if name in ('weight', 'bias', 'running_mean', 'running_var', 'num_batches_tracked') else None


def _prefixed(prefix: str, name: str | None) -> str | None:
    return None if name is None else prefix + name


def _plain(name: str, value: Tensor) -> Tensor:
    """Return a copy of a weight in float32, without the trailing axes of 1x1 convolutions that act as linear layers."""
    value = value.detach().float() if value.is_floating_point() else value.detach()
    is_map = name.endswith('.weight') and not name.endswith('_conv.weight')
    while is_map and value.dim() > 2 and value.shape[-1] == 1:
        value = value.squeeze(-1)
    return value.clone()
