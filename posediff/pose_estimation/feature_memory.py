"""Memory of the feature maps of crops, which neighbouring windows share."""

from __future__ import annotations

import weakref
from collections import OrderedDict
from dataclasses import dataclass, field

import numpy as np
from torch import Tensor


@dataclass
class _PictureMaps:
    """The maps of a picture, which is referred to weakly."""

    picture: weakref.ref[np.ndarray]
    maps: dict[bytes, Tensor] = field(default_factory=dict)

    @property
    def size(self) -> int:
        return sum(maps.numel() * maps.element_size() for maps in self.maps.values())


class FeatureMemory:
    """The feature maps of crops of pictures.

    Pictures are told apart as objects, not by frame numbers, so that maps of another video are never returned; they
    must not be changed in place. Maps are dropped when their picture is no longer in use elsewhere. Beyond
    ``max_bytes``, those of the pictures that were used least recently are dropped.

    Args:
        max_bytes: Maximum size of all maps; 0: nothing is kept.
    """

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self._pictures: OrderedDict[int, _PictureMaps] = OrderedDict()

    def get(self, picture: np.ndarray, crop: np.ndarray) -> Tensor | None:
        """Return the maps of a crop, a box (4,), of a picture (H, W, 3); None if they are unknown."""
        known = self._pictures.get(id(picture))
        if known is None or known.picture() is not picture:  # an id is used again after its object is gone
            return None
        self._pictures.move_to_end(id(picture))
        return known.maps.get(crop.tobytes())

    def add(self, picture: np.ndarray, crop: np.ndarray, maps: Tensor) -> None:
        """Keep the maps of a crop, a box (4,), of a picture (H, W, 3)."""
        for key in [key for key, known in self._pictures.items() if known.picture() is None]:
            del self._pictures[key]
        known = self._pictures.setdefault(id(picture), _PictureMaps(weakref.ref(picture)))
        self._pictures.move_to_end(id(picture))
        known.maps[crop.tobytes()] = maps
        while self.size > self.max_bytes:
            self._pictures.popitem(last=False)

    @property
    def size(self) -> int:
        """Size of all maps in bytes."""
        return sum(known.size for known in self._pictures.values())

    def __len__(self) -> int:
        return len(self._pictures)
