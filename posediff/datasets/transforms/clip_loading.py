"""Transforms that load the frames of a clip."""

from __future__ import annotations

from typing import Any

import numpy as np

from posediff.fileio.images import read_image
from posediff.registry import TRANSFORMS


@TRANSFORMS.register_module()
class LoadClip:
    """Read the files in ``img_path`` (a list) into ``img``, a list of frames (H, W, 3) uint8 in OpenCV's channel order.

    MMPose's geometric transforms then treat the list as one image and apply the same flip, crop and warp to all frames.
    A file that occurs several times (at a clip's end) is read once.

    Adds ``img_shape`` and ``ori_shape`` (h, w).

    Raises:
        FileNotFoundError: A file does not exist.
        ValueError: A file is not a readable image, or a frame's size differs from the first's; the message names both.
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
    """Read only the key frame, ``img_path[key_index]``, into ``img`` (H, W, 3) uint8 in OpenCV's channel order.

    For single-image models, such as MMPose's, on the same clips and with the same errors. ``img_path`` becomes the path
    of that file. Adds ``img_shape`` and ``ori_shape`` (h, w).

    Raises:
        FileNotFoundError: The file does not exist.
        ValueError: The file is not a readable image.
    """

    def __call__(self, results: dict[str, Any]) -> dict[str, Any]:
        results['img_path'] = results['img_path'][results['key_index']]
        results['img'] = read_image(results['img_path'])
        results['img_shape'] = results['ori_shape'] = results['img'].shape[:2]
        return results
