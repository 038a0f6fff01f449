"""Conditioners that use the features of a lifter, trained with the model or frozen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from mmengine.logging import print_log
from torch import Tensor, nn

from posediff.fileio.checkpoint import load_state
from posediff.models.conditioners.base import BaseConditioner
from posediff.models.conditioners.centring import centre_window
from posediff.registry import CONDITIONERS, MODELS

LIFTER_PREFIX = 'conditioner.lifter.'


@CONDITIONERS.register_module()
class LifterConditioner(BaseConditioner):
    """A conditioner that returns the features of a lifter trained with the model.

    With a head and no denoiser, the model is a supervised lifter.

    Args:
        lifter: Config of a lifter in ``MODELS``, e.g. ``dict(type='MixSTE', channels=64)``.
        center: Pass the output of :func:`posediff.models.conditioners.centring.centre_window` to the lifter instead of
            the joints; ``in_channels`` of the lifter must then be 3 more.
        init_cfg: See :class:`mmengine.model.BaseModule`.
    """

    def __init__(self, lifter: dict[str, Any], center: bool = False, init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg=init_cfg)
        self.lifter = MODELS.build(lifter)
        self.num_frames = getattr(self.lifter, 'num_frames', None)  # a lifter is any module of MODELS
        self.center = center

    def forward(self, features: Tensor) -> Tensor:
        """Map 2D joints (B, T, K, 2 or 3) to the lifter's features (B, T, K, C)."""
        return self.lifter(centre_window(features) if self.center else features)


@CONDITIONERS.register_module()
class FrozenLifterConditioner(LifterConditioner):
    """A conditioner that returns the features of a trained, frozen lifter (DiffHPE-Wrapper).

    The lifter is always in eval mode and gets no gradients. The model can be built without the checkpoint of the
    lifter, but training does not start without its weights. A checkpoint of the whole model contains them.

    Args:
        lifter: Config of a lifter in ``MODELS``; its stochastic depth has no effect.
        checkpoint: Checkpoint of a supervised model with this lifter as its conditioner, loaded by
            :meth:`init_weights`; None if the weights are in the checkpoint of the whole model.
        center: See :class:`LifterConditioner`; must be as in the training of the lifter.
        init_cfg: See :class:`mmengine.model.BaseModule`.
    """

    def __init__(
        self,
        lifter: dict[str, Any],
        checkpoint: str | Path | None = None,
        center: bool = False,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(lifter, center=center, init_cfg=init_cfg)
        self.checkpoint = None if checkpoint is None else Path(checkpoint)
        self._has_weights = False
        self.lifter.requires_grad_(False)
        self.lifter.eval()
        self.lifter.register_load_state_dict_pre_hook(self._note_load)

    def init_weights(self) -> None:
        """Load the checkpoint of the lifter, if it is given and exists.

        Raises:
            ValueError: The checkpoint has no lifter, or one with other weights.
        """
        super().init_weights()
        if self._has_weights or self.checkpoint is None:
            return
        if not self.checkpoint.is_file():
            print_log(f'lifter {self.checkpoint} does not exist yet: weights stay random', 'current', level=30)
            return
        state = load_state(self.checkpoint)
        for prefix, module in self._frozen().items():
            own = {key.removeprefix(prefix): value for key, value in state.items() if key.startswith(prefix)}
            if not own:
                raise ValueError(f'{self.checkpoint} holds no lifter: none of its keys starts with {prefix!r}')
            try:
                module.load_state_dict(own)
            except RuntimeError as error:
                raise ValueError(
                    f'the lifter in {self.checkpoint} does not fit the one in the config: {error}'
                ) from error

    def ready_to_train(self) -> str | None:
        """Return a sentence if the weights of the lifter are random, or None."""
        if self._has_weights:
            return None
        if self.checkpoint is None:
            return 'the frozen lifter has random weights: set conditioner.checkpoint to a trained lifter'
        return f'the frozen lifter has random weights: {self.checkpoint} (conditioner.checkpoint) was not loaded'

    def train(self, mode: bool = True) -> FrozenLifterConditioner:
        """Set the mode of all modules except the lifter, which stays in eval mode."""
        super().train(mode)
        self.lifter.eval()
        return self

    def forward(self, features: Tensor) -> Tensor:
        """Map 2D joints (B, T, K, 2 or 3) to the lifter's features (B, T, K, C), without gradient."""
        with torch.no_grad():
            return super().forward(features)

    def _frozen(self) -> dict[str, nn.Module]:
        """Return the frozen modules by the prefix of their keys in the checkpoint of the lifter."""
        return {LIFTER_PREFIX: self.lifter}

    def _note_load(self, lifter: nn.Module, state: dict[str, Tensor], prefix: str, *_: Any) -> None:
        """Record that all weights of the lifter were loaded from a checkpoint."""
        own = lifter.state_dict()
        if all(prefix + key in state and state[prefix + key].shape == value.shape for key, value in own.items()):
            self._has_weights = True
