"""posediff: pose diffusion on OpenMMLab's registries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = '0.1.0'

if TYPE_CHECKING:
    from posediff.apis import VideoPoseInferencer, from_pretrained, init_model, lift_keypoints

__all__ = ['VideoPoseInferencer', '__version__', 'from_pretrained', 'init_model', 'lift_keypoints']


def __getattr__(name: str) -> Any:
    """Import the inference API on first use, so that ``import posediff`` stays cheap."""
    if name in __all__:
        from posediff import apis

        return getattr(apis, name)
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
