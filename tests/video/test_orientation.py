"""Rotation and mirroring stated by files, in all eight orientations."""

from __future__ import annotations

import struct

import numpy as np
import pytest

pytest.importorskip('av')

from posediff.video import VideoWriter, open_video  # noqa: E402
from posediff.video.orientation import is_off_axis, turn, upright  # noqa: E402

# a, b, c, d of a display matrix: x' = a x + c y, y' = b x + d y; and its effect on an image
ORIENTATIONS = {
    (1, 0, 0, 1): lambda image: image,
    (-1, 0, 0, 1): lambda image: image[:, ::-1],
    (-1, 0, 0, -1): lambda image: image[::-1, ::-1],
    (1, 0, 0, -1): lambda image: image[::-1],
    (0, 1, 1, 0): lambda image: image.swapaxes(0, 1),
    (0, 1, -1, 0): lambda image: np.rot90(image, -1),
    (0, -1, -1, 0): lambda image: image.swapaxes(0, 1)[::-1, ::-1],
    (0, -1, 1, 0): lambda image: np.rot90(image),
}


def corners() -> np.ndarray:
    """Create an image (48, 64, 3) with red, green, blue and grey quarters."""
    image = np.zeros((48, 64, 3), np.uint8)
    image[:24, :32], image[:24, 32:], image[24:, :32], image[24:, 32:] = (200, 0, 0), (0, 200, 0), (0, 0, 200), 90
    return image


def differs(image: np.ndarray, other: np.ndarray) -> float:
    """Return the mean difference of two images, without the edges of the quarters."""
    assert image.shape == other.shape
    return float(np.abs(image.astype(int) - other)[4:-4:10, 4:-4:10].mean())


@pytest.mark.parametrize('matrix', ORIENTATIONS)
def test_a_film_is_shown_as_its_display_matrix_says(tmp_path, matrix):
    with VideoWriter(tmp_path / 'a.mp4', 25, crf=10) as writer:
        for _ in range(2):
            writer.write(corners())
    data = bytearray((tmp_path / 'a.mp4').read_bytes())
    at = data.index(b'tkhd') + 4 + 4 + 20 + 8 + 8  # type, version and flags, times and ids, reserved, layer to reserved
    a, b, c, d = (value << 16 for value in matrix)
    shift = [64 << 16 if min(a, c) < 0 else 0, 48 << 16 if min(b, d) < 0 else 0]
    data[at : at + 36] = struct.pack('>9i', a, b, 0, c, d, 0, *shift, 1 << 30)
    (tmp_path / 'turned.mp4').write_bytes(data)
    video = open_video(tmp_path / 'turned.mp4')
    expected = ORIENTATIONS[matrix](corners())
    assert video.img_shape == expected.shape[:2]
    for frame in video:
        assert differs(frame.image, expected) < 12
        assert frame.image.flags.c_contiguous


@pytest.mark.parametrize('suffix', ['.jpg', '.png', '.webp', '.tif'])
@pytest.mark.parametrize('orientation', range(1, 9))
def test_a_photo_is_shown_as_its_exif_says(tmp_path, suffix, orientation):
    from PIL import Image, ImageOps

    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / f'a{suffix}'
    Image.fromarray(corners()).save(path, exif=exif)
    expected = np.array(ImageOps.exif_transpose(Image.open(path)).convert('RGB'))
    (frame,) = open_video(path)
    assert differs(frame.image, expected) < 12
    (frame,) = open_video(tmp_path, fps=30)
    assert differs(frame.image, expected) < 12


@pytest.mark.parametrize('orientation', range(1, 9))
def test_a_photo_that_ffmpeg_reads_is_shown_as_its_exif_says(tmp_path, orientation):
    """PyAV does not support EXIF in the side data of a frame."""
    from PIL import Image, ImageOps

    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(corners()).save(tmp_path / 'a.jpg', exif=exif)
    expected = np.array(ImageOps.exif_transpose(Image.open(tmp_path / 'a.jpg')).convert('RGB'))
    (frame,) = open_video((tmp_path / 'a.jpg').rename(tmp_path / 'a.mp4'))
    assert differs(frame.image, expected) < 12


def test_the_nearest_quarter_turn_is_used():
    image = corners()
    assert upright(image, None) is image
    turned = np.array([[0.02, -1.0], [1.0, 0.02]])
    assert differs(upright(image, turned), np.rot90(image, -1)) == 0
    assert not is_off_axis(turned)
    assert is_off_axis(np.array([[0.9, -0.4], [0.4, 0.9]]))
    assert not is_off_axis(None)
    for quarters in range(4):  # only the angle is known
        assert differs(upright(image, turn(90 * quarters)), np.rot90(image, quarters)) == 0
