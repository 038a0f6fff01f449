"""Read calibrated cameras from calibration files."""

from __future__ import annotations

import sys
import xml.etree.ElementTree as ET
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from posediff.fileio.input_files import read_text
from posediff.geometry.cameras import Camera

QUALISYS_SUBPIXELS = 64
"""Qualisys states pixels in units of 1/64 px."""

WIDEST_ANGLE = np.radians(89.0)
"""Largest angle from the optical axis that is undistorted for a fisheye lens, rad. Beyond it a pinhole image has no
position for the point, and OpenCV returns arbitrary values."""

COEFFICIENTS = (0, 4, 5, 8, 12, 14)
"""Possible numbers of coefficients of OpenCV's lens model. Each number adds to the one before: 0 none, 4 k1 k2 p1 p2,
5 k3, 8 k4 k5 k6, 12 s1 s2 s3 s4, 14 tau_x tau_y."""

FISHEYE_COEFFICIENTS = 4
"""Number of coefficients of OpenCV's fisheye model: k1 k2 k3 k4."""

KEYS = ('name', 'size', 'matrix', 'distortions', 'fisheye', 'rotation', 'translation')
"""Keys of a camera table that are read."""

LENS_WORDS = ('dist', 'fisheye', 'lens', 'model')
"""Parts of names that describe a lens. A key with one of them that is not in :data:`KEYS`, such as ``dist_coeffs``, is
an error: without it, the lens would count as one without distortion."""

FORMATS = 'Pose2Sim, Anipose or Caliscope (.toml) or of Qualisys (.qca.txt, .xml)'
"""Programs whose files are read, for error messages."""


@dataclass(frozen=True, eq=False)
class CalibratedCamera:
    """A camera with lens distortion.

    Attributes:
        name: Name in the file.
        camera: The pinhole camera without distortion; camera frame x right, y down, z forward, in mm.
        distortion: (5,), (8,), (12,) or (14,) coefficients in OpenCV's order, see :data:`COEFFICIENTS`; (4,) for a
            fisheye lens.
        fisheye: Whether ``distortion`` belongs to OpenCV's fisheye model.
    """

    name: str
    camera: Camera
    distortion: np.ndarray
    fisheye: bool = False

    @property
    def matrix(self) -> np.ndarray:
        """Intrinsic matrix (3, 3), px."""
        (fx, fy), (cx, cy) = self.camera.focal, self.camera.center
        return np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1]])

    def undistort(self, points: np.ndarray) -> np.ndarray:
        """Return points (..., 2) px with the lens distortion removed, by OpenCV.

        NaN stays NaN. Points of a fisheye lens at :data:`WIDEST_ANGLE` or more from the optical axis become NaN.
        """
        if not (self.fisheye or self.distortion.any()):
            return points
        import cv2

        flat = np.ascontiguousarray(points.reshape(-1, 1, 2), np.float64)
        if self.fisheye:
            ideal = cv2.fisheye.undistortPoints(flat, self.matrix, self.distortion, P=self.matrix)
            rays = (ideal - self.camera.center) / self.camera.focal
            ideal[~((rays**2).sum(-1) <= np.tan(WIDEST_ANGLE) ** 2) | ~np.isfinite(flat).all(-1)] = np.nan
        else:
            ideal = cv2.undistortPoints(flat, self.matrix, self.distortion, P=self.matrix)
        return ideal.reshape(points.shape).astype(points.dtype)


def read_calibration(path: str | Path) -> dict[str, CalibratedCamera]:
    """Read all cameras of a calibration file, by name.

    Formats: ``.toml`` of Pose2Sim, Anipose and Caliscope, and Qualisys XML (``.qca.txt``, ``.xml``). A ``.toml`` file
    has one table per camera with ``size``, ``matrix``, ``distortions``, ``rotation`` (a rotation vector) and
    ``translation`` (metres), both from world to camera. With ``fisheye = true`` the distortions belong to OpenCV's
    fisheye model. The camera tables may be inside a table named ``cameras``.

    Raises:
        FileNotFoundError: The file does not exist.
        ValueError: The file has another format, a number is missing or invalid, the lens is described by a key that is
            not read, the number of distortion coefficients is not one of OpenCV's, or two cameras share a name; the
            message names the camera.
    """
    file = Path(path).expanduser()
    if not file.is_file():
        raise FileNotFoundError(f'calibration file {file} does not exist')
    cameras: list[CalibratedCamera] = []
    name = ''
    try:
        if file.suffix.lower() == '.toml':
            tables = _toml(file)
            tables = tables.get('cameras', tables) if isinstance(tables.get('cameras', {}), dict) else tables
            for name, table in tables.items():
                if isinstance(table, dict) and 'matrix' in table:
                    cameras.append(_from_table(str(table.get('name', name)), table))
        else:
            for element in _xml(file).iter('camera'):
                name = element.get('serial') or str(len(cameras))
                cameras.append(_from_qualisys(name, element))
    except (KeyError, TypeError, ValueError, AttributeError, ET.ParseError) as error:
        where = f', camera {name}' if name else ''
        raise ValueError(f'{file}{where}: {type(error).__name__}: {error}') from error
    if not cameras:
        raise ValueError(f'{file} has no camera; expected a file of {FORMATS}')
    names = [camera.name for camera in cameras]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ValueError(f'{file}: {names.count(twice)} cameras are called {twice!r}: each needs a name of its own')
    return {camera.name: camera for camera in cameras}


def find_camera(path: str | Path, name: str | None, img_shape: tuple[int, int], max_crop: int = 0) -> CalibratedCamera:
    """Return the camera of a calibration file that belongs to a video.

    Args:
        path: See :func:`read_calibration`.
        name: Name of the camera; may be None if the file has only one.
        img_shape: (h, w) of the video, px.
        max_crop: Number of pixels by which the video may be smaller than the calibrated image at the right and at the
            bottom, since some encoders crop pictures.

    Returns:
        The camera, with ``img_shape`` of the video.

    Raises:
        ValueError: The camera does not exist, or was calibrated for another image size.
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
                f'; --max-crop {max(missing)} treats the rest as cropped'
                if 0 <= min(missing) <= max(missing) < 32
                else ''
            )
        )
    return replace(found, camera=replace(found.camera, img_shape=(img_shape[0], img_shape[1])))


def _xml(file: Path) -> ET.Element:
    try:
        return ET.parse(file).getroot()
    except ET.ParseError as error:
        raise ValueError(f'it is not XML ({error}); expected a file of {FORMATS}') from error


def _toml(file: Path) -> dict[str, Any]:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    return tomllib.loads(read_text(file))


def _from_table(name: str, table: dict[str, Any]) -> CalibratedCamera:
    """Return the camera of a TOML table; see :func:`read_calibration` for its keys."""
    from scipy.spatial.transform import Rotation

    odd = next((key for key in table if key not in KEYS and any(word in key.lower() for word in LENS_WORDS)), None)
    if odd is not None:
        raise ValueError(f'{odd} is not read: distortions (and fisheye = true) describe the lens')
    width, height = (int(side) for side in _numbers_of(table, 'size', 2))
    matrix = np.array(table['matrix'], np.float64)
    turn = Rotation.from_rotvec(_numbers_of(table, 'rotation', 3, 0.0)).as_matrix()
    translation = 1000 * _numbers_of(table, 'translation', 3, 0.0)
    fisheye = table.get('fisheye', False)
    if not isinstance(fisheye, (bool, int)) or fisheye not in (0, 1):
        raise ValueError(f'fisheye is {fisheye!r}, expected true or false')
    coefficients = np.array(table.get('distortions', []), np.float64).ravel()
    return _checked(name, matrix, coefficients, (height, width), turn, translation, bool(fisheye))


def _numbers_of(table: dict[str, Any], key: str, count: int, default: float | None = None) -> np.ndarray:
    values = np.array(table[key] if default is None or key in table else [default] * count, np.float64).ravel()
    if values.shape != (count,):
        raise ValueError(f'{key} holds {len(values)} numbers, expected {count}')
    return values


def _from_qualisys(name: str, element: ET.Element) -> CalibratedCamera:
    """Return the camera of a ``camera`` element of a Qualisys file."""
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
    # Qualisys cameras look along -z, with y up
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
    fisheye: bool = False,
) -> CalibratedCamera:
    """Return a camera after a check of its numbers.

    Args:
        name: Name in the file.
        matrix: (3, 3) intrinsic matrix, px.
        distortion: Coefficients in OpenCV's order; padded with zeros to 5 unless fisheye.
        img_shape: (h, w) px.
        rotation, translation: (3, 3) and (3,) mm, from world to camera.
        fisheye: Whether the coefficients belong to OpenCV's fisheye model.

    Raises:
        ValueError: A number is missing, not finite or out of range.
    """
    parts = (('distortions', distortion), ('rotation', rotation), ('translation', translation))
    for part, values in parts:
        if not np.isfinite(values).all():
            raise ValueError(f'its {part} must be finite, got {values.tolist()}')
    if matrix.shape != (3, 3) or not np.isfinite(matrix).all() or min(matrix[0, 0], matrix[1, 1], *img_shape) <= 0:
        raise ValueError(f'a 3x3 matrix with positive focal lengths and a size are needed, got {matrix.tolist()}')
    if not (matrix[2] == (0, 0, 1)).all() or abs(matrix[0, 1]) + abs(matrix[1, 0]) > 1e-6 * matrix[0, 0]:
        raise ValueError(f'its matrix is not [[fx, 0, cx], [0, fy, cy], [0, 0, 1]]: {matrix.tolist()}')
    known = (FISHEYE_COEFFICIENTS,) if fisheye else COEFFICIENTS
    if len(distortion) not in known:
        lens = 'a fisheye lens' if fisheye else 'a lens'
        raise ValueError(
            f'{len(distortion)} distortion coefficients; {lens} has {", ".join(map(str, known))} in OpenCV'
        )
    if np.abs(rotation @ rotation.T - np.eye(3)).max() > 1e-3:
        raise ValueError(f'its rotation is not a rotation matrix: {rotation.tolist()}')
    camera = Camera(np.diag(matrix)[:2].copy(), matrix[:2, 2].copy(), img_shape, rotation, translation)
    if not fisheye and len(distortion) < 5:
        distortion = np.pad(distortion, (0, 5 - len(distortion)))
    return CalibratedCamera(name, camera, distortion, fisheye)
