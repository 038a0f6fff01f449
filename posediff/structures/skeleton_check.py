"""Check that joints are in the expected skeleton."""

from __future__ import annotations

from posediff.structures.skeleton_conversion import get_conversion


def require_skeleton(found: str | None, wanted: str, origin: str) -> None:
    """Check that joints are in the expected skeleton, by the name of the skeleton.

    Names are compared, not lists of joints: ``h36m17``, ``cmu17`` and ``mediapipe17`` have the same 17 joint names in
    the same order but place them at different points of the body (root, spine, thorax, neck, head, hips and wrists),
    and ``coco17`` also has 17 joints. Each skeleton has exactly one name.

    Args:
        found: Skeleton of the joints; None if not stated.
        wanted: Skeleton that the consumer expects.
        origin: Source of the joints, for the message.

    Raises:
        KeyError: ``found`` is unknown.
        ValueError: ``found`` is None or another skeleton; the message says how to convert.
    """
    if found == wanted:
        return
    if found is None:
        raise ValueError(
            f'{origin}: the skeleton is not stated: pass skeleton=…; {wanted!r} is expected here; to convert: '
            f"posediff.structures.skeleton_conversion.convert_joints(keypoints, '<yours>', {wanted!r}, scores)"
        )
    try:
        path = get_conversion(found, wanted).path
        call = f'convert_joints(keypoints, {found!r}, {wanted!r}, scores)'
        way = f'convert them: posediff.structures.skeleton_conversion.{call}'
        way += '' if len(path) == 2 else f', by way of {", ".join(path[1:-1])}'
    except ValueError:
        way = f'there is no conversion from {found!r} to {wanted!r}'
    raise ValueError(f'{origin}: joints of skeleton {found!r} where {wanted!r} is expected; {way}')
