"""Image networks of timm as backbones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from mmengine.model import BaseModule
from torch import Tensor

from posediff.fileio.checkpoint import load_state
from posediff.models.backbones.convolutional_stem import convolutional_stem
from posediff.registry import BACKBONES
from posediff.structures.argument_checks import require_one_of


@BACKBONES.register_module()
class TimmBackbone(BaseModule):
    """The last feature map of a timm model: plain ViTs, ResNets, ConvNeXts and whatever else can give one.

    Building it touches neither network nor files; :meth:`init_weights` reads the weights that are asked for. A trained
    posediff checkpoint contains them.

    Args:
        model_name: timm's name, e.g. ``'vit_base_patch16_224'``.
        img_size: (h, w) of the images, for models that have it in their weights (ViTs); their position embedding is
            resampled when pretrained weights come in.
        pretrained: Download timm's weights in :meth:`init_weights`.
        checkpoint: Read weights from this file instead: a state dict of the timm model, or one of a trained posediff
            model, whose ``backbone.`` is taken.
        stage: Which of the model's feature maps, -1 for the last.
        stem: ``'patch'``, the model's own; ``'convolution'``, for ViTs that learn from few images
            (:func:`~posediff.models.backbones.convolutional_stem.convolutional_stem`).
        model_kwargs: More of timm's arguments, e.g. ``dict(drop_path_rate=0.3)``.
        init_cfg: MMEngine's.
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
            raise ValueError(f'timm has no model {model_name!r}; it has {", ".join(near) or "others"}, …')
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
            raise ValueError(f'timm model {model_name!r} gives no feature maps')
        # layers behind the map would never get a gradient
        model.prune_intermediate_layers([stage], prune_norm=False, prune_head=True)
        self.model = model

    def init_weights(self) -> None:
        """Read the weights.

        Raises:
            ValueError: The file holds those of another model.
        """
        super().init_weights()
        if self.pretrained:
            import timm

            source = timm.create_model(**self._arguments, pretrained=True)
            own = self.model.state_dict()
            self.model.load_state_dict({name: value for name, value in source.state_dict().items() if name in own})
        elif self.checkpoint is not None:
            load_backbone(self.model, self.checkpoint)

    def forward(self, images: Tensor) -> Tensor:
        """Compute the map: (N, 3, H, W) to (N, C, h, w), normalised where the model ends in a normalisation."""
        maps = self.model.forward_intermediates(images, indices=1, norm=True, intermediates_only=True)
        return maps[-1]


def load_backbone(module: torch.nn.Module, path: Path, prefix: str = 'backbone.model.') -> None:
    """Load weights of a backbone from a file of its own or from a trained model.

    Raises:
        ValueError: Keys or shapes differ; the message names the file.
    """
    state = load_state(path)
    inside = {name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)}
    try:
        module.load_state_dict(inside or state)
    except RuntimeError as error:
        raise ValueError(f'{path} holds weights of another backbone: {error}') from error
