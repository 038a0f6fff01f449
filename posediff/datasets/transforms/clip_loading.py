"""Frames of a clip from their files."""

from __future__ import annotations

from typing import Any

import numpy as np

from posediff.registry import TRANSFORMS


@TRANSFORMS.register_module()
class LoadClip:
    """Read the files in ``img_path`` (a list) into ``img``, a list of frames (H, W, 3) uint8 in OpenCV's channel order.

    MMPose's geometric transforms then treat the list as one image: one flip, one crop, one warp for all. A file that
    occurs several times (a clip's end) is read once.

    Adds ``img_shape`` and ``ori_shape`` (h, w).

    Raises:
        FileNotFoundError: A file does not exist.
        ValueError: A file is no readable image, or a frame has another size than the first; the message names both.
    """

    def __call__(self, results: dict[str, Any]) -> dict[str, Any]:
        frames: dict[str, np.ndarray] = {}
        first = results['img_path'][0]
        for path in results['img_path']:
            if path not in frames:
                frames[path] = read_image(path)
            if frames[path].shape != frames[first].shape:
                raise ValueError(
                    f'{path} is {frames[path].shape[1]}x{frames[path].shape[0]} px, but {first} of the same clip is '
                    f'{frames[first].shape[1]}x{frames[first].shape[0]}'
                )
        results['img'] = [frames[path] for path in results['img_path']]
        results['img_shape'] = results['ori_shape'] = frames[first].shape[:2]
        return results


@TRANSFORMS.register_module()
class LoadKeyFrame:
    """Read the key frame alone, ``img_path[key_index]``, into ``img`` (H, W, 3) uint8 in OpenCV's channel order.

    For models of single images, such as MMPose's, on the same clips and with the same errors. ``img_path`` becomes
    that file's; adds ``img_shape`` and ``ori_shape`` (h, w).

    Raises:
        FileNotFoundError: The file does not exist.
        ValueError: It is no readable image.
    """

    def __call__(self, results: dict[str, Any]) -> dict[str, Any]:
        results['img_path'] = results['img_path'][results['key_index']]
        results['img'] = read_image(results['img_path'])
        results['img_shape'] = results['ori_shape'] = results['img'].shape[:2]
        return results


def read_image(path: str) -> np.ndarray:
    """Decode an image file to (H, W, 3) uint8, blue first.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is damaged or no image.
    """
    import cv2  # not at the top: lifting does without

    try:
        content = np.fromfile(path, np.uint8)
    except FileNotFoundError:
        raise FileNotFoundError(f'frame {path} does not exist') from None
    image = cv2.imdecode(content, cv2.IMREAD_COLOR) if len(content) else None
    if image is None:
        raise ValueError(f'frame {path} is no readable image (truncated?): {len(content)} bytes')
    return image
