"""Side data of decoded frames."""

from __future__ import annotations

from contextlib import suppress
from typing import Any


def side_data(frame: Any, name: str) -> bytes | None:
    """Return one kind of side data, by FFmpeg's name without its prefix (``DISPLAYMATRIX``); None if there is none.

    PyAV rejects all side data of a frame if it contains a kind unknown to PyAV, such as the EXIF data of photos or the
    view ids of stereo videos. In this case the side data before the unknown kind is read.
    """
    from av.sidedata.sidedata import SideDataContainer

    found = SideDataContainer.__new__(SideDataContainer)
    with suppress(ValueError):
        found.__init__(frame)  # type: ignore[misc]
    for data in found:
        with suppress(ValueError):
            if data.type.name == name:
                return bytes(data)
    return None
