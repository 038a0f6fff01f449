"""Match the image ids of annotations to the images of a file."""

from __future__ import annotations

import re
from collections.abc import Hashable, Sequence
from typing import Any

_WHOLE = re.compile(r'[+-]?\d+')


def id_value(image_id: Any) -> Any:
    """Normalise an id: 7, 7.0 and '7' are equal; other text is returned stripped."""
    if isinstance(image_id, str):
        text = image_id.strip()
        return int(text) if _WHOLE.fullmatch(text) else text
    if isinstance(image_id, float) and image_id.is_integer():
        return int(image_id)
    return image_id


class ImageIds:
    """Lookup of the image that an annotation refers to by ``image_id``, among the images of a file.

    Args:
        images: Images of the file, each with an ``id``.
    """

    def __init__(self, images: Sequence[dict[str, Any]]) -> None:
        self._images = images
        self._known: set[Hashable] = {image['id'] for image in images}
        self._by_value: dict[Any, list[Any]] = {}
        for known in self._known:
            self._by_value.setdefault(id_value(known), []).append(known)

    def find(self, image_id: Any) -> Any:
        """Return the id of the matching image: the same id, the same value, or the image with this file name.

        File names match from the end: ``000342_mpii_test/000001.jpg`` matches
        ``images/val/000342_mpii_test/000001.jpg``.

        Raises:
            ValueError: No image matches, or several do.
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
