"""Which image of a file an annotation belongs to."""

from __future__ import annotations

import re
from collections.abc import Hashable, Sequence
from typing import Any

_WHOLE = re.compile(r'[+-]?\d+')


def id_value(image_id: Any) -> Any:
    """What an id says, however it is written: 7, 7.0 and '7' are the same; other text is itself."""
    if isinstance(image_id, str):
        text = image_id.strip()
        return int(text) if _WHOLE.fullmatch(text) else text
    if isinstance(image_id, float) and image_id.is_integer():
        return int(image_id)
    return image_id


class ImageIds:
    """The ids of a file's images, to look those of annotations up in.

    Args:
        images: Of the file, each with an ``id``.
    """

    def __init__(self, images: Sequence[dict[str, Any]]) -> None:
        self._images = images
        self._known: set[Hashable] = {image['id'] for image in images}
        self._by_value: dict[Any, list[Any]] = {}
        for known in self._known:
            self._by_value.setdefault(id_value(known), []).append(known)

    def find(self, image_id: Any) -> Any:
        """The id of the image that is meant: the same, the same by value, or that of the image of this name.

        Names count from their end: ``000342_mpii_test/000001.jpg`` is ``images/val/000342_mpii_test/000001.jpg``.

        Raises:
            ValueError: It is none of the images, or more than one.
        """
        if image_id in self._known:
            return image_id
        found = self._by_value.get(id_value(image_id), [])
        if not found and isinstance(image_id, str):
            found = [image['id'] for image in self._images if _ends_with(image.get('file_name'), image_id)]
        if len(found) != 1:
            problem = 'none of the images' if not found else f'that of {len(found)} images'
            some = ', '.join(repr(image['id']) for image in self._images[:3])
            raise ValueError(f'image_id {image_id!r} is {problem} of the file, whose ids are {some} …')
        return found[0]


def _ends_with(name: Any, ending: str) -> bool:
    return isinstance(name, str) and bool(ending) and f'/{name}'.endswith(f'/{ending}')
