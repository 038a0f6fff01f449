"""Access to PoseTrack 2017 annotations, where frames are under ``annolist`` and every value is in a list of length one.

Values that are not in a list are accepted too. Missing values raise KeyError, IndexError or TypeError; callers convert
these to errors that name the file and the frame.
"""

from __future__ import annotations

from typing import Any

HEAD_BOX = ('x1', 'y1', 'x2', 'y2')
"""Two opposite corners of the head box."""


def only(value: Any) -> Any:
    """Return the element of a list of length one; other values are returned unchanged."""
    return value[0] if isinstance(value, list) else value


def is_annolist(document: Any) -> bool:
    """Return whether a JSON document is a PoseTrack 2017 file: an object with the key ``annolist``."""
    return isinstance(document, dict) and 'annolist' in document


def image_name(frame: dict[str, Any]) -> str:
    """Return the path of a frame's image, relative to the dataset root."""
    return str(only(frame['image'])['name'])


def points_of(rectangle: dict[str, Any]) -> list[dict[str, Any]] | None:
    """Return the points of a person; None if there is no list of points."""
    found: list[dict[str, Any]] | None = only(rectangle.get('annopoints') or {}).get('point')
    return found


def joint_id(point: dict[str, Any]) -> Any:
    """Return the joint id of a point; None if it is null."""
    return only(point['id'])


def place(point: dict[str, Any]) -> tuple[Any, Any]:
    """Return x and y of a point, px."""
    return only(point['x']), only(point['y'])


def head_corners(rectangle: dict[str, Any]) -> list[Any] | None:
    """Return x1, y1, x2, y2 of a person's head box, px; None if one is missing."""
    return None if any(key not in rectangle for key in HEAD_BOX) else [only(rectangle[key]) for key in HEAD_BOX]


def track_id(rectangle: dict[str, Any]) -> Any:
    """Return the track id of a person; None if the file states none."""
    return only(rectangle['track_id']) if 'track_id' in rectangle else None


def ignore_regions(frame: dict[str, Any]) -> list[tuple[list[Any], list[Any]]]:
    """Return x and y, px, of the vertices of each ignored region of a frame; regions without vertices are skipped."""
    polygons = (region.get('point') for region in frame.get('ignore_regions') or ())
    return [
        ([place(point)[0] for point in points], [place(point)[1] for point in points]) for points in polygons if points
    ]
