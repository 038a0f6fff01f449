"""What a decoded frame carries beside its pixels."""

from __future__ import annotations

from contextlib import suppress
from typing import Any


def side_data(frame: Any, name: str) -> bytes | None:
    """Bytes of one kind of side data, by FFmpeg's name without its prefix (``DISPLAYMATRIX``); None: there is none.

    PyAV refuses the side data of a frame as a whole where FFmpeg knows a kind that PyAV does not, as the EXIF of photos
    or the view numbers of stereo films. What lies before such a kind is read then.
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
