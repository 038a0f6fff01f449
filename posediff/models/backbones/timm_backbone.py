"""Backbones from timm."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from mmengine.model import BaseModule
from torch import Tensor

from posediff.fileio.checkpoint import load_state
from posediff.models.backbones.convolutional_stem import convolutional_stem
from posediff.registry import BACKBONES
from posediff.structures.argument_checks import require_one_of

PREFIX = 'backbone.model.'


@BACKBONES.register_module()
class TimmBackbone(BaseModule):
    """A timm model that returns a feature map: ViTs, ResNets, ConvNeXts and others.

    Building it needs neither network access nor files; :meth:`init_weights` loads the weights. A trained posediff
    checkpoint contains them.

    Args:
        model_name: timm's name, e.g. ``'vit_base_patch16_224'``.
        img_size: (h, w) of the images, for models whose weights depend on it (ViTs); their position embedding is
            resampled when pretrained weights are loaded.
        pretrained: Download timm's weights in :meth:`init_weights`.
        checkpoint: Load weights from this file instead: a state dict of the timm model or of a trained posediff model,
            of which the keys with the prefix ``backbone.`` are used. Layers of the timm model that the feature map does
            not need, such as its classifier, may be in it.
        stage: Index of the feature map among timm's intermediate ones; -1: the last. Those of CNNs are at strides 2, 4,
            8, 16 and 32, of some from 4.
        stem: ``'patch'``: the patch embedding of the model; ``'convolution'``: for ViTs trained on few images
            (:func:`~posediff.models.backbones.convolutional_stem.convolutional_stem`).
        model_kwargs: Additional arguments of timm, e.g. ``dict(drop_path_rate=0.3)``.
        init_cfg: See :class:`mmengine.model.BaseModule`.
    """

    def __init__(
        self,
        model_name: str,
        img_size: tuple[int, int] | None = None,
        pretrained: bool = False,
        checkpoint: str | Path | None = None,
        stage: int = -1,
        stem: str = 'patch',
        model_kwargs: dict[str, Any] | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        require_one_of(type(self).__name__, 'stem', stem, ('patch', 'convolution'))
        import timm

        if not timm.is_model(model_name):
            near = timm.list_models(f'*{model_name.split("_")[0]}*')[:5]
            hint = f'; similar names: {", ".join(near)}' if near else ''
            raise ValueError(f'timm has no model {model_name!r}{hint}')
        if pretrained and checkpoint is not None:
            raise ValueError('pretrained and checkpoint are two sources of the same weights: give one of them')
        self._arguments = {'model_name': model_name, 'num_classes': 0, **(model_kwargs or {})}
        if img_size is not None:
            self._arguments['img_size'] = tuple(img_size)
        if stem == 'convolution' and pretrained:
            raise ValueError("timm's weights are for stem='patch'")
        self.pretrained = pretrained
        self.checkpoint = None if checkpoint is None else Path(checkpoint)
        model: Any = timm.create_model(**self._arguments, pretrained=False)
        if stem == 'convolution':
            patches = getattr(getattr(model, 'patch_embed', None), 'proj', None)
            if not isinstance(patches, torch.nn.Conv2d):
                raise ValueError(f'timm model {model_name!r} has no patch embedding that convolutions could replace')
            model.patch_embed.proj = convolutional_stem(
                patches.in_channels, patches.out_channels, patches.kernel_size[0]
            )
        if not hasattr(model, 'forward_intermediates'):
            raise ValueError(f'timm model {model_name!r} cannot return feature maps: it has no forward_intermediates')
        self._unneeded = {*model.state_dict()}
        # layers after the feature map would never get a gradient
        self._taken = model.prune_intermediate_layers([stage], prune_norm=False, prune_head=True)
        self._unneeded -= {*model.state_dict()}
        self.model = model

    def init_weights(self) -> None:
        """Load the weights.

        Raises:
            ValueError: The file holds weights of another model.
        """
        super().init_weights()
        if self.pretrained:
            import timm

            source = timm.create_model(**self._arguments, pretrained=True)
            own = self.model.state_dict()
            self.model.load_state_dict({name: value for name, value in source.state_dict().items() if name in own})
        elif self.checkpoint is not None:
            load_backbone(self.model, self.checkpoint, self._is_unneeded)

    def _is_unneeded(self, name: str) -> bool:
        """Return whether a parameter of the timm model is one of a layer that the feature map does not need."""
        classifiers = self.model.pretrained_cfg.get('classifier') or ()
        classifiers = (classifiers,) if isinstance(classifiers, str) else classifiers
        return name in self._unneeded or name.startswith(tuple(f'{classifier}.' for classifier in classifiers))

    def forward(self, images: Tensor) -> Tensor:
        """Return the feature map (N, C, h, w) of images (N, 3, H, W), after the final normalisation if there is one."""
        maps = self.model.forward_intermediates(images, indices=self._taken, norm=True, intermediates_only=True)
        return maps[-1]


def load_backbone(module: torch.nn.Module, path: Path, unneeded: Callable[[str], bool]) -> None:
    """Load weights of a backbone from its own checkpoint or from that of a trained model.

    Args:
        module: The backbone.
        path: Checkpoint file. If keys start with ``backbone.model.``, only these are used, without the prefix; else all
            keys.
        unneeded: Whether the weights of a name are left out.

    Raises:
        ValueError: Keys or shapes differ; the message names the file.
    """
    state = load_state(path)
    inside = {name.removeprefix(PREFIX): value for name, value in state.items() if name.startswith(PREFIX)}
    try:
        module.load_state_dict({name: value for name, value in (inside or state).items() if not unneeded(name)})
    except RuntimeError as error:
        raise ValueError(f'{path} holds weights of another backbone: {error}') from error
