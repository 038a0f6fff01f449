"""Calibrated cameras from the files that calibration programs write."""

from __future__ import annotations

import sys
import xml.etree.ElementTree as ET
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from posediff.geometry import Camera

QUALISYS_SUBPIXELS = 64
"""Qualisys counts pixels in 64ths."""


@dataclass(frozen=True, eq=False)
class CalibratedCamera:
    """A camera with a real lens.

    Attributes:
        name: In the file.
        camera: The pinhole camera that remains when the lens's distortion is taken out; its frame is x right, y down, z
            forward, its unit mm.
        distortion: (5,) k1, k2, p1, p2, k3, OpenCV's.
    """

    name: str
    camera: Camera
    distortion: np.ndarray

    @property
    def matrix(self) -> np.ndarray:
        """(3, 3) intrinsic matrix, px."""
        (fx, fy), (cx, cy) = self.camera.focal, self.camera.center
        return np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1]])

    def undistort(self, points: np.ndarray) -> np.ndarray:
        """Where points (..., 2) px would be without the lens's distortion, by OpenCV; NaN stays NaN."""
        if not self.distortion.any():
            return points
        import cv2

        flat = np.ascontiguousarray(points.reshape(-1, 1, 2), np.float64)
        ideal = cv2.undistortPoints(flat, self.matrix, self.distortion, P=self.matrix)
        return ideal.reshape(points.shape).astype(points.dtype)


def read_calibration(path: str | Path) -> dict[str, CalibratedCamera]:
    """Read all cameras of a file, by name.

    What is read: ``.toml`` as Pose2Sim, Anipose and Caliscope write it (a table for each camera with ``size``,
    ``matrix``, ``distortions``, ``rotation`` as a rotation vector and ``translation`` in metres, both from world to
    camera), and Qualisys's XML (``.qca.txt``, ``.xml``).

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is of another form, or a number is missing or makes no sense; the message names the camera.
    """
    file = Path(path).expanduser()
    if not file.is_file():
        raise FileNotFoundError(f'calibration file {file} does not exist')
    cameras: list[CalibratedCamera] = []
    name = ''
    try:
        if file.suffix == '.toml':
            for name, table in _toml(file).items():
                if isinstance(table, dict) and 'matrix' in table:
                    cameras.append(_from_table(str(table.get('name', name)), table))
        else:
            for element in ET.parse(file).getroot().iter('camera'):
                name = element.get('serial') or str(len(cameras))
                cameras.append(_from_qualisys(name, element))
    except (KeyError, TypeError, ValueError, AttributeError, ET.ParseError) as error:
        where = f', camera {name}' if name else ''
        raise ValueError(f'{file}{where}: {type(error).__name__}: {error}') from error
    if not cameras:
        raise ValueError(f'{file} has no camera in it')
    return {camera.name: camera for camera in cameras}


def find_camera(path: str | Path, name: str | None, img_shape: tuple[int, int], max_crop: int = 0) -> CalibratedCamera:
    """One camera of a file, for a video of this size.

    Args:
        path: See :func:`read_calibration`.
        name: The camera's; may be left out where the file has one.
        img_shape: (h, w) of the video, px.
        max_crop: So many pixels may be missing at the right and at the bottom; encoders cut pictures.

    Raises:
        ValueError: There is no such camera, or it was calibrated for pictures of another size.
    """
    cameras = read_calibration(path)
    if name is None and len(cameras) == 1:
        name = next(iter(cameras))
    if name not in cameras:
        raise ValueError(f'{path} has no camera {name}: it has {", ".join(cameras)}')
    found = cameras[name]
    missing = [whole - side for whole, side in zip(found.camera.img_shape, img_shape, strict=True)]
    if not all(0 <= pixels <= max_crop for pixels in missing):
        height, width = found.camera.img_shape
        raise ValueError(
            f'{path}: camera {name} was calibrated for {width}x{height} px, the video has {img_shape[1]}x{img_shape[0]}'
            + (
                f'; --max-crop {max(missing)} takes the rest as cut off'
                if 0 <= min(missing) <= max(missing) < 32
                else ''
            )
        )
    return replace(found, camera=replace(found.camera, img_shape=(img_shape[0], img_shape[1])))


def _toml(file: Path) -> dict[str, Any]:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    return tomllib.loads(file.read_text())


def _from_table(name: str, table: dict[str, Any]) -> CalibratedCamera:
    width, height = (int(side) for side in table['size'])
    matrix = np.array(table['matrix'], np.float64)
    rotation = np.array(table.get('rotation', [0, 0, 0]), np.float64)
    translation = 1000 * np.array(table.get('translation', [0, 0, 0]), np.float64)
    from scipy.spatial.transform import Rotation

    turn = Rotation.from_rotvec(rotation).as_matrix()
    coefficients = np.zeros(5)
    given = np.array(table.get('distortions', []), np.float64)[:5]
    coefficients[: len(given)] = given
    return _checked(name, matrix, coefficients, (height, width), turn, translation)


def _from_qualisys(name: str, element: ET.Element) -> CalibratedCamera:
    lens, pose, view = _numbers(element, 'intrinsic'), _numbers(element, 'transform'), _numbers(element, 'fov_video')
    unit = 1 / QUALISYS_SUBPIXELS
    matrix = np.eye(3)
    matrix[0, 0], matrix[1, 1] = lens['focalLengthU'] * unit, lens['focalLengthV'] * unit
    matrix[:2, 2] = lens['centerPointU'] * unit - view['left'], lens['centerPointV'] * unit - view['top']
    coefficients = np.array(
        [
            *(lens[f'radialDistortion{order}'] for order in (1, 2)),
            *(lens[f'tangentalDistortion{order}'] for order in (1, 2)),
            lens['radialDistortion3'],
        ]
    )
    shape = round(view['bottom'] - view['top']) + 1, round(view['right'] - view['left']) + 1
    # Qualisys's cameras look along -z with y up
    axes = np.array([[pose[f'r{row}{column}'] for column in (1, 2, 3)] for row in (1, 2, 3)])
    turn = np.diag([1.0, -1.0, -1.0]) @ axes
    return _checked(name, matrix, coefficients, shape, turn, -turn @ np.array([pose['x'], pose['y'], pose['z']]))


def _numbers(element: ET.Element, tag: str) -> dict[str, float]:
    found = element.find(tag)
    if found is None:
        raise KeyError(tag)
    return {name: float(value) for name, value in found.attrib.items() if _is_number(value)}


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _checked(
    name: str,
    matrix: np.ndarray,
    distortion: np.ndarray,
    img_shape: tuple[int, int],
    rotation: np.ndarray,
    translation: np.ndarray,
) -> CalibratedCamera:
    values = np.concatenate([matrix.ravel(), distortion, rotation.ravel(), translation])
    if matrix.shape != (3, 3) or not np.isfinite(values).all() or min(matrix[0, 0], matrix[1, 1], *img_shape) <= 0:
        raise ValueError(f'a 3x3 matrix with positive focal lengths and a size are needed, got {matrix.tolist()}')
    if np.abs(rotation @ rotation.T - np.eye(3)).max() > 1e-3:
        raise ValueError(f'its rotation is none: {rotation.tolist()}')
    camera = Camera(np.diag(matrix)[:2].copy(), matrix[:2, 2].copy(), img_shape, rotation, translation)
    return CalibratedCamera(name, camera, distortion)
