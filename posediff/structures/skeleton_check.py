"""Joints meet who takes them: the names of their skeletons have to be one."""

from __future__ import annotations

from posediff.structures.skeleton_conversion import get_conversion


def require_skeleton(found: str | None, wanted: str, origin: str) -> None:
    """Require that joints are of the skeleton that is wanted, by its name.

    Names decide, not lists of joints: ``h36m17``, ``cmu17`` and ``mediapipe17`` name the same 17 joints in the same
    order and mean other points of the body (root, spine, thorax, neck and head; hips and wrists), and ``coco17`` has as
    many. There are no two names for one skeleton.

    Args:
        found: Of the joints; None if it was not stated.
        wanted: Of who takes them.
        origin: Who brings them, for the message.

    Raises:
        KeyError: ``found`` is unknown.
        ValueError: It is another one, or not given; the message says how to convert.
    """
    if found == wanted:
        return
    if found is None:
        raise ValueError(
            f'{origin}: of which skeleton? Say skeleton=…; {wanted!r} is wanted here, and '
            f"posediff.structures.skeleton_conversion.convert_joints(keypoints, '<yours>', {wanted!r}, scores) makes it"
        )
    try:
        path = get_conversion(found, wanted).path
        call = f'convert_joints(keypoints, {found!r}, {wanted!r}, scores)'
        way = f'convert them: posediff.structures.skeleton_conversion.{call}'
        way += '' if len(path) == 2 else f', by way of {", ".join(path[1:-1])}'
    except ValueError:
        way = f'there is no conversion from {found!r} to {wanted!r}'
    raise ValueError(f'{origin}: joints of skeleton {found!r} where {wanted!r} is wanted; {way}')
