"""Features of a lifter as the condition: trained along, or frozen."""

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
    """Features of a lifter that is trained with the rest; alone with a head it is the supervised lifter.

    Args:
        lifter: Config of a lifter in ``MODELS``, e.g. ``dict(type='MixSTE', channels=64)``.
        center: Give the lifter the channels of :func:`posediff.models.conditioners.centring.centre_window` (3 more than
            came in) instead of raw joints.
        init_cfg: MMEngine's.
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
    """Features of a trained lifter that stays as it is (DiffHPE-Wrapper).

    The lifter is always in eval mode, its parameters take no gradient, and the forward pass records none. The config
    builds without the lifter's file, training refuses to start without its weights, and a full checkpoint of the model
    contains them.

    Args:
        lifter: Config of a lifter in ``MODELS``; stochastic depth in it has no effect.
        checkpoint: Checkpoint of a supervised model with this lifter as its conditioner, read by
            :meth:`init_weights`; None when the weights come with a full checkpoint.
        center: As for :class:`LifterConditioner`; as the lifter was trained.
        init_cfg: MMEngine's.
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
        """Load the lifter's file where it is given and present.

        Raises:
            ValueError: The file holds no lifter, or one of another size.
        """
        super().init_weights()
        if self._has_weights or self.checkpoint is None:
            return
        if not self.checkpoint.is_file():
            print_log(f'lifter {self.checkpoint} does not exist yet: weights stay random', 'current', level=30)
            return
        state = load_state(self.checkpoint)
        own = {key.removeprefix(LIFTER_PREFIX): value for key, value in state.items() if key.startswith(LIFTER_PREFIX)}
        if not own:
            raise ValueError(f'{self.checkpoint} holds no lifter: none of its keys starts with {LIFTER_PREFIX!r}')
        try:
            self.lifter.load_state_dict(own)
        except RuntimeError as error:
            raise ValueError(f'the lifter in {self.checkpoint} does not fit the one in the config: {error}') from error

    def ready_to_train(self) -> str | None:
        """Say what is missing while the lifter is still random."""
        if self._has_weights:
            return None
        if self.checkpoint is None:
            return 'the frozen lifter has random weights: set conditioner.checkpoint to a trained lifter'
        return f'the frozen lifter has random weights: {self.checkpoint} (conditioner.checkpoint) was not loaded'

    def train(self, mode: bool = True) -> FrozenLifterConditioner:
        """Switch everything but the lifter, which stays in eval mode."""
        super().train(mode)
        self.lifter.eval()
        return self

    def forward(self, features: Tensor) -> Tensor:
        """Map 2D joints (B, T, K, 2 or 3) to the lifter's features (B, T, K, C), without gradient."""
        with torch.no_grad():
            return super().forward(features)

    def _note_load(self, lifter: nn.Module, state: dict[str, Tensor], prefix: str, *_: Any) -> None:
        """Remember that every weight of the lifter came from a file, its own or a full checkpoint."""
        own = lifter.state_dict()
        if all(prefix + key in state and state[prefix + key].shape == value.shape for key, value in own.items()):
            self._has_weights = True
