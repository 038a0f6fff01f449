"""Heatmaps with unbiased data processing, UDP (Huang et al., CVPR 2020), without MMPose."""

from __future__ import annotations

import numpy as np

from posediff.structures.argument_checks import require_finite, require_whole

FLOOR, CEILING = 1e-3, 50.0
"""Range of a blurred heatmap before its logarithm is taken."""


class UDPHeatmap:
    """A codec of keypoints and heatmaps, equal to MMPose's ``UDPHeatmap`` with Gaussian heatmaps.

    The first and last cell of a heatmap are at the centres of the crop's first and last pixel. Unlike MMPose's,
    :meth:`decode` discards refinements that leave the neighbourhood of the maximum. Where 3 ``sigma`` is not a whole
    number, Gaussians are at their keypoints; MMPose's are a cell away, near the left and top border or everywhere.

    Args:
        input_size: (w, h) of the crop, px.
        heatmap_size: (w, h) of a heatmap.
        sigma: Standard deviation of the Gaussian, cells.
        blur_kernel_size: Side of the Gaussian kernel of :meth:`decode`, odd.
    """

    def __init__(
        self,
        input_size: tuple[int, int],
        heatmap_size: tuple[int, int],
        sigma: float = 2.0,
        blur_kernel_size: int = 11,
    ) -> None:
        require_finite('UDPHeatmap', {'sigma': sigma})
        require_whole('UDPHeatmap', {'blur_kernel_size': blur_kernel_size}, least=1)
        if sigma <= 0 or blur_kernel_size % 2 == 0:
            raise ValueError(
                'UDPHeatmap: sigma must be positive and blur_kernel_size must be odd, '
                f'got {sigma} and {blur_kernel_size}'
            )
        self.input_size = (int(input_size[0]), int(input_size[1]))
        self.heatmap_size = (int(heatmap_size[0]), int(heatmap_size[1]))
        self.sigma = sigma
        self.blur_kernel_size = blur_kernel_size

    def encode(self, keypoints: np.ndarray, keypoints_visible: np.ndarray | None = None) -> dict[str, np.ndarray]:
        """Return the heatmaps of one person.

        Args:
            keypoints: (1, K, 2) px of the crop.
            keypoints_visible: (1, K); keypoints below 0.5 have no Gaussian. None: all are visible.

        Returns:
            ``heatmaps`` (K, h, w) float32 and ``keypoint_weights`` (1, K): the visibility, 0 for keypoints whose
            Gaussian lies outside the heatmap.
        """
        width, height = self.heatmap_size
        visible = np.ones(keypoints.shape[:2], np.float32) if keypoints_visible is None else keypoints_visible
        weights = visible.copy()
        heatmaps = np.zeros((keypoints.shape[1], height, width), np.float32)
        cells = keypoints[0] * ((np.array(self.heatmap_size) - 1) / (np.array(self.input_size) - 1))
        radius = 3 * self.sigma
        for joint, (x, y) in enumerate(cells):
            if visible[0, joint] < 0.5:
                continue
            # the Gaussian is cut to a square around the nearest cell
            nearest = (np.array([x, y]) + 0.5).astype(np.int64)
            low, high = (nearest - radius).astype(np.int64), (nearest + radius + 1).astype(np.int64)
            if low[0] >= width or low[1] >= height or high[0] < 0 or high[1] < 0:
                weights[0, joint] = 0
                continue
            columns = np.arange(max(low[0], 0), min(high[0], width))
            rows = np.arange(max(low[1], 0), min(high[1], height))
            squared = (columns - x) ** 2 + (rows[:, None] - y) ** 2
            heatmaps[joint, rows[:, None], columns] = np.exp(-squared / (2 * self.sigma**2))
        return {'heatmaps': heatmaps, 'keypoint_weights': weights}

    def decode(self, heatmaps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return keypoints (K, 2) and maxima (K,) of heatmaps (K, h, w).

        As in MMPose, keypoints are in units of which the crop has ``input_size``: the centre of the crop's last pixel
        is at ``input_size``, not at ``input_size - 1``. They are ``input_size / (input_size - 1)`` times px.

        The maximum is refined by a Newton step on the logarithm of the blurred heatmap (DARK, Zhang et al., CVPR 2020).
        The step is not bounded: where a heatmap is flat, rounding errors move the keypoint by thousands of pixels.
        Blurring moves a maximum by at most the radius of its kernel, so larger steps are discarded.
        """
        number, height, width = heatmaps.shape
        flat = heatmaps.reshape(number, -1)
        maxima = flat.max(1)
        rows, columns = np.unravel_index(flat.argmax(1), (height, width))
        peaks = np.stack([columns, rows], axis=-1).astype(np.float32)
        peaks[maxima <= 0] = -1
        padded = np.pad(self._log_blurred(heatmaps), ((0, 0), (1, 1), (1, 1)), mode='edge')
        steps = _newton_steps(padded, *(peaks.astype(np.int64).T + 1))
        found = peaks - steps
        reach = self.blur_kernel_size // 2 + 1
        astray = (np.abs(steps) > reach).any(-1, keepdims=True)
        cell = np.array(self.input_size) / (np.array(self.heatmap_size) - 1)
        return np.where(astray, peaks, found) * cell, maxima

    def _log_blurred(self, heatmaps: np.ndarray) -> np.ndarray:
        """Blur heatmaps with a kernel of zeros beyond the border, keep their maxima, and take the logarithm."""
        import cv2  # belongs to an extra

        side = self.blur_kernel_size
        border = side // 2
        blurred = np.empty(heatmaps.shape, np.float32)
        for given, out in zip(heatmaps.astype(np.float32, copy=False), blurred, strict=True):
            framed = cv2.GaussianBlur(np.pad(given, border), (side, side), 0)
            out[:] = framed[border : border + given.shape[0], border : border + given.shape[1]]
        largest = blurred.max((1, 2), keepdims=True)
        with np.errstate(divide='ignore', invalid='ignore'):  # a map of zeros: clipped to the floor
            blurred *= heatmaps.max((1, 2), keepdims=True) / largest
        return np.log(np.clip(np.nan_to_num(blurred), FLOOR, CEILING))


def _newton_steps(maps: np.ndarray, columns: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return H⁻¹ g, (K, 2) cells, of finite differences at one cell of each map (K, h, w)."""
    index = np.arange(len(maps))

    def at(dx: int, dy: int) -> np.ndarray:
        return maps[index, rows + dy, columns + dx].astype(np.float64)

    here = at(0, 0)
    gradient = np.stack([at(1, 0) - at(-1, 0), at(0, 1) - at(0, -1)], axis=-1) / 2
    dxx, dyy = at(1, 0) - 2 * here + at(-1, 0), at(0, 1) - 2 * here + at(0, -1)
    dxy = (at(1, 1) - at(1, 0) - at(0, 1) + 2 * here - at(-1, 0) - at(0, -1) + at(-1, -1)) / 2
    hessian = np.stack([dxx, dxy, dxy, dyy], axis=-1).reshape(-1, 2, 2) + np.finfo(np.float32).eps * np.eye(2)
    return np.einsum('kij,kj->ki', np.linalg.inv(hessian), gradient)
