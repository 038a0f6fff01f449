"""Models inside distributed wrappers."""

from __future__ import annotations

from typing import cast

import torch
from mmengine.model import is_model_wrapper


def unwrap(model: torch.nn.Module) -> torch.nn.Module:
    """Return the model without its distributed wrapper, if it has one."""
    return cast(torch.nn.Module, model.module) if is_model_wrapper(model) else model
