"""PoseTrack2017's form, taken apart: frames under ``annolist``, and every number and structure in a list of one.

Numbers that are not in a list are read as well. What is missing raises KeyError, IndexError or TypeError; readers turn
these into errors that name the file and the frame.
"""

from __future__ import annotations

from typing import Any

HEAD_BOX = ('x1', 'y1', 'x2', 'y2')
"""Two corners of the head, opposite each other."""


def only(value: Any) -> Any:
    """What a list of one holds."""
    return value[0] if isinstance(value, list) else value


def is_annolist(document: Any) -> bool:
    """Whether a file's content is of this form."""
    return isinstance(document, dict) and 'annolist' in document


def image_name(frame: dict[str, Any]) -> str:
    """Path of a frame's picture, from the root of the data set."""
    return str(only(frame['image'])['name'])


def points_of(rectangle: dict[str, Any]) -> list[dict[str, Any]] | None:
    """A person's points, None where there is no list of them."""
    found: list[dict[str, Any]] | None = only(rectangle.get('annopoints') or {}).get('point')
    return found


def joint_id(point: dict[str, Any]) -> Any:
    """Number of a point's joint, None where it is none."""
    return only(point['id'])


def place(point: dict[str, Any]) -> tuple[Any, Any]:
    """x and y of a point, px."""
    return only(point['x']), only(point['y'])


def head_corners(rectangle: dict[str, Any]) -> list[Any] | None:
    """x1, y1, x2, y2 of a person's head, px; None where one is missing."""
    return None if any(key not in rectangle for key in HEAD_BOX) else [only(rectangle[key]) for key in HEAD_BOX]


def track_id(rectangle: dict[str, Any]) -> Any:
    """Who a person is; None where the file does not say."""
    return only(rectangle['track_id']) if 'track_id' in rectangle else None


def ignore_regions(frame: dict[str, Any]) -> list[tuple[list[Any], list[Any]]]:
    """x and y, px, of the vertices of each region of a frame that is not annotated; none of those without vertices."""
    polygons = (region.get('point') for region in frame.get('ignore_regions') or ())
    return [
        ([place(point)[0] for point in points], [place(point)[1] for point in points]) for points in polygons if points
    ]
