"""Colour conversion: matrix, range and HDR."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

av = pytest.importorskip('av')

from posediff.video import open_video  # noqa: E402
from posediff.video.colour import HLG, PQ, TO_BT709, WHITE, rgb, tone_mapped  # noqa: E402

MATRICES = {1: (0.2126, 0.0722), 6: (0.299, 0.114), 5: (0.299, 0.114), 2: (0.299, 0.114), 9: (0.2627, 0.0593)}


def srgb(light: np.ndarray) -> np.ndarray:
    """Encode linear light, 1 is white, to codes 0 to 255."""
    light = np.clip(light, 0, 1)
    return 255 * np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


def pq(light: np.ndarray) -> np.ndarray:
    """Encode light in cd/m² to codes 0 to 1 (SMPTE ST 2084)."""
    power = (light / 10000) ** 0.1593017578125
    return ((0.8359375 + 18.8515625 * power) / (1 + 18.6875 * power)) ** 78.84375


def hlg(light: np.ndarray) -> np.ndarray:
    """Encode scene light, at most 1, to codes 0 to 1 (ARIB STD-B67)."""
    return np.where(
        light <= 1 / 12, np.sqrt(3 * light), 0.17883277 * np.log(np.maximum(12 * light - 0.28466892, 1e-9)) + 0.55991073
    )


def coded(code: np.ndarray) -> np.ndarray:
    return np.rint(np.asarray(code) * 65535).astype(np.uint16)[None, :, None].repeat(3, 2)


@pytest.mark.parametrize('space', MATRICES)
@pytest.mark.parametrize('full', [False, True])
def test_matrix_and_range_are_those_of_the_frame(space, full):
    y, u, v = 110, 115, 160
    red_share, blue_share = MATRICES[space]
    luma, blue, red = (
        (y, u - 128, v - 128) if full else ((y - 16) * 255 / 219, *((c - 128) * 255 / 224 for c in (u, v)))
    )
    r, b = luma + 2 * (1 - red_share) * red, luma + 2 * (1 - blue_share) * blue
    expected = r, (luma - red_share * r - blue_share * b) / (1 - red_share - blue_share), b
    frame = av.VideoFrame(64, 64, 'yuv420p')
    for plane, value in zip(frame.planes, (y, u, v), strict=True):
        plane.update(bytes([value]) * plane.buffer_size)
    frame.colorspace, frame.color_range = space, 2 if full else 1
    assert np.abs(rgb(frame, 64)[32, 32] - np.array(expected)).max() < 2.5


def test_pq_keeps_the_light_below_half_of_white_and_compresses_what_is_above():
    light = np.array([0.05, 0.5, 2, 10, 26, 60, 90, 150, 203, 400, 700, 1000, 4000, 10000])
    found = tone_mapped(coded(pq(light)), PQ, 9)[0]
    assert (found == found[:, :1]).all()  # grey stays grey
    values = found[:, 0].astype(int)
    kept = light <= 90
    assert np.abs(values[kept] - srgb(light / WHITE)[kept]).max() < 2
    assert (np.diff(values[:11]) > 0).all()
    assert 215 < values[8] < 240  # white, below the peak
    assert (values[11:] == 255).all()
    brighter = tone_mapped(coded(pq(light)), PQ, 9, peak=4000)[0, :, 0]
    assert brighter[8] < values[8]
    assert brighter[11] < brighter[12] == 255


def test_hlg_is_shown_as_on_a_screen_of_1000_candela():
    scene = np.array([0.0, 0.001, 0.01, 0.05, 0.1, 0.2646, 0.5, 1.0])
    values = tone_mapped(coded(hlg(scene)), HLG, 9)[0, :, 1].astype(int)
    shown = 1000 * scene**1.2  # 203 cd/m² at a signal of 75 %
    assert np.abs(values - srgb(shown / WHITE))[shown <= 90].max() < 2
    assert 215 < values[5] < 240
    assert values[-1] == 255
    assert (np.diff(values) > 0).all()


@pytest.mark.parametrize('primaries', [9, 12, 2])
def test_wide_primaries_come_to_those_of_bt709(primaries):
    inverse = np.linalg.inv(np.array(TO_BT709[primaries]))
    for light in ([40, 5, 5], [5, 40, 5], [5, 5, 40], [60, 60, 10]):
        code = coded(pq(np.maximum(inverse @ np.array(light, float), 0)))
        pixel = np.stack([code[0, channel, channel] for channel in range(3)])[None, None]
        assert np.abs(tone_mapped(pixel, PQ, primaries)[0, 0] - srgb(np.array(light) / WHITE)).max() < 3
    assert np.allclose(np.sum(TO_BT709[primaries], axis=1), 1, atol=1e-4)  # white stays white


@pytest.mark.parametrize(
    ('name', 'transfer', 'white'), [('smpte2084', PQ, pq(np.array(203.0))), ('arib-std-b67', HLG, 0.75)]
)
def test_a_film_in_hdr_looks_like_one_that_is_not(tmp_path, name, transfer, white):
    if 'libx265' not in av.codecs_available:
        pytest.skip('PyAV has no encoder for HEVC')
    grey = pq(np.array(26.0)) if transfer == PQ else float(hlg(np.array((26 / 1000) ** (1 / 1.2))))
    with av.open(str(tmp_path / 'a.mkv'), 'w') as file:
        stream = file.add_stream('libx265', rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 64, 'yuv420p10le'
        colours = f'colorprim=bt2020:transfer={name}:colormatrix=bt2020nc:range=limited'
        stream.options = {'x265-params': f'log-level=none:lossless=1:{colours}'}
        for number in range(2):
            frame = av.VideoFrame(64, 64, 'yuv420p10le')
            left, right = (round(64 + 876 * float(value)) for value in (grey, white))
            rows = np.tile(np.repeat(np.array([left, right], np.uint16), 32), (64, 1))
            luma = np.zeros((64, frame.planes[0].line_size // 2), np.uint16)
            luma[:, :64] = rows
            frame.planes[0].update(luma.tobytes())
            for plane in frame.planes[1:]:
                plane.update(np.full(plane.buffer_size // 2, 512, np.uint16).tobytes())
            frame.pts, frame.time_base = number, Fraction(1, 25)
            file.mux(stream.encode(frame))
        file.mux(stream.encode())
    for frame in open_video(tmp_path / 'a.mkv'):
        assert np.abs(frame.image[32, 16] - srgb(np.array(26 / WHITE))).max() < 4  # middle grey
        assert 215 < frame.image[32, 48].mean() < 240
        assert np.ptp(frame.image[32, 48].astype(int)) < 3
