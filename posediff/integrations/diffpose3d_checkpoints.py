"""Convert checkpoints of the code of DiffPose for 3D poses (Gong et al., CVPR 2023) to this project's names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from posediff.engine.model_building import init_model
from posediff.fileio.atomic_files import atomic_write
from posediff.fileio.checkpoint import load_state
from posediff.integrations.official_checkpoints import check_fit
from posediff.models.layers.graformer import SMALLEST_DEGREE

LICENCE = (
    "DiffPose's code (GONGJIA0208/Diffpose) is under the MIT License, Copyright (c) 2023 GONGJIA0208; its weights have "
    'no licence of their own, and were trained on Human3.6M, which is for research only'
)

DENOISER = 'denoiser.'
LIFTER = 'conditioner.lifter.'

# Official name of a module → name in this project; the last convolution of a lifter is in the head.
_OUTSIDE = {
    'temb.dense.0': 'step_embedding.hidden',
    'temb.dense.1': 'step_embedding.output',
    'gconv_input': 'embedding.linear',
    'gconv_output': 'regression.linear',
}
_BLOCK = {
    ('atten', 'sublayer.0.norm'): 'attention_norm',
    ('atten', 'sublayer.1.norm'): 'graph_norm',
    ('atten', 'self_attn.linears.3'): 'attention.projection',
    ('atten', 'feed_forward.gconv1.fc'): 'graph.hidden',
    ('atten', 'feed_forward.gconv2.fc'): 'graph.output',
    ('gconv', 'gconv1.gconv'): 'convolution.first.linear',
    ('gconv', 'gconv2.gconv'): 'convolution.second.linear',
    ('gconv', 'temb_proj'): 'convolution.step',
}
_LEAVES = {'weight': 'weight', 'bias': 'bias', 'a_2': 'weight', 'b_2': 'bias'}
_QKV = re.compile(r'atten_layers\.(\d+)\.self_attn\.linears\.([012])\.(weight|bias)')
_GRAPH = re.compile(r'atten_layers\.(\d+)\.feed_forward\.A_hat')
_LAYER = re.compile(r'(atten|gconv)_layers\.(\d+)\.(.+)\.(\w+)')


def is_lifter(state: Mapping[str, Tensor]) -> bool:
    """Whether the weights are those of the lifter: its blocks have no step. It holds an unused step embedding."""
    return not any('.temb_proj.' in name for name in state)


def convert_diffpose3d_state_dict(
    state: Mapping[str, Tensor], source: str | Path = 'the checkpoint', frozen: bool = False
) -> dict[str, Tensor]:
    """Rename the parameters of the released denoiser, or of the lifter that it starts from.

    The Chebyshev convolutions (order + 1, 1, in, out) become linear maps of the joined terms; queries, keys and values
    become one map. The unused step embedding of a lifter is left out.

    Args:
        state: State dict of the file, without prefixes.
        source: Path of the checkpoint, for messages.
        frozen: Name the last layer of a lifter as in ``LiftedPoseConditioner``, instead of ``LiftingHead``.

    Returns:
        State dict in this project's names: of the denoiser, or of a supervised model (with ``frozen``: of the
        conditioner), float32.

    Raises:
        ValueError: Names are unknown, a weight is not finite, or a learned graph is one that this project changes.
    """
    lifter = is_lifter(state)
    prefix = LIFTER if lifter else DENOISER
    found: dict[str, Tensor] = {}
    parts: dict[str, dict[int, Tensor]] = {}
    unknown = []
    for name, value in state.items():
        if not torch.isfinite(value).all():
            raise ValueError(f'{source}: {name} holds NaN or infinite numbers')
        if lifter and name.startswith('temb.'):
            continue
        value = value.detach().float()
        if match := _QKV.fullmatch(name):
            number, part, leaf = match.groups()
            parts.setdefault(f'{prefix}blocks.{number}.attention.qkv.{leaf}', {})[int(part)] = value
            continue
        if match := _GRAPH.fullmatch(name):
            if float(value.sum(dim=0).min()) < SMALLEST_DEGREE:
                raise ValueError(f'{source}: a column of {name} sums to less than {SMALLEST_DEGREE}')
            found[f'{prefix}blocks.{match.group(1)}.graph.adjacency'] = value.clone()
            continue
        renamed = _rename(name)
        if renamed is None:
            unknown.append(name)
        elif lifter and renamed.startswith('regression.linear.'):
            head = 'conditioner.regression.' if frozen else 'head.regression.'
            found[head + renamed.rpartition('.')[2]] = _plain(value)
        else:
            found[prefix + renamed] = _plain(value)
    unknown += [name for name, pieces in parts.items() if sorted(pieces) != [0, 1, 2]]
    if unknown or not found:
        raise ValueError(
            f'{source}: not a checkpoint of DiffPose for 3D poses: {len(unknown)} of {len(state)} keys are unknown or '
            f'incomplete ({", ".join(unknown[:4])})'
        )
    return found | {name: torch.cat([pieces[part] for part in range(3)]) for name, pieces in parts.items()}


def convert_diffpose3d_checkpoint(
    source: str | Path,
    destination: str | Path,
    config: str | Path,
    lifter: str | Path | None = None,
    cfg_options: Mapping[str, Any] | None = None,
    ema: bool = False,
) -> int:
    """Convert a released checkpoint to one that ``posediff.init_model(config, destination)`` loads strictly.

    :data:`LICENCE` is stored with the weights, under ``meta``.

    Args:
        source: Checkpoint of the denoiser (``diffpose_uvxyz_*.pth``) or of the lifter (``gcn_xyz_*.pth``).
        destination: File to write, atomically.
        config: Config of a model of the same size.
        lifter: Checkpoint of the lifter that a denoiser starts from; None for a lifter.
        cfg_options: Overrides of the config, as for :func:`posediff.init_model`.
        ema: Take the averaged weights; the released code tests the others.

    Returns:
        Number of tensors written.

    Raises:
        FileNotFoundError, ValueError, posediff.fileio.checkpoint.UnsafeCheckpointError: A file is missing, malformed or
            not a released checkpoint, or its weights do not match the config.
    """
    weights = load_state(source, ema)
    state = convert_diffpose3d_state_dict(weights, source)
    if is_lifter(weights) != (lifter is None):
        problem = 'is a lifter itself: give no other' if lifter is not None else 'needs the lifter it starts from'
        raise ValueError(f'{source} {problem} (--lifter)')
    if lifter is not None:
        base = load_state(lifter)
        if not is_lifter(base):
            raise ValueError(f'{lifter} is a denoiser, not a lifter (--lifter)')
        state |= convert_diffpose3d_state_dict(base, lifter, frozen=True)
    check_fit(state, init_model(config, cfg_options=cfg_options).state_dict(), source, config)
    with atomic_write(destination) as temporary:
        torch.save({'state_dict': state, 'meta': {'converted_from': Path(source).name, 'licence': LICENCE}}, temporary)
    return len(state)


def _rename(name: str) -> str | None:
    """Return this project's name of an official parameter, without the part of the model; None if it is unknown."""
    module, _, leaf = name.rpartition('.')
    if module in _OUTSIDE and leaf in ('weight', 'bias'):
        return f'{_OUTSIDE[module]}.{leaf}'
    layer = _LAYER.fullmatch(name)
    if layer is None:
        return None
    kind, number, part, leaf = layer.groups()
    ours = _BLOCK.get((kind, part))
    return None if ours is None or leaf not in _LEAVES else f'blocks.{number}.{ours}.{_LEAVES[leaf]}'


def _plain(value: Tensor) -> Tensor:
    """Return a copy; of a convolution, (order + 1, 1, in, out) and (1, 1, out) become those of a linear map."""
    if value.dim() == 4:
        return value.flatten(0, 2).T.contiguous()
    return value.flatten().clone() if value.dim() == 3 else value.clone()
