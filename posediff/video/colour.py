"""Convert decoded frames to RGB, with the file's color matrix and range; HDR is tone-mapped to SDR."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from posediff.video.side_data import side_data

PQ, HLG = 16, 18  # transfer characteristics of ITU-T H.273
UNSPECIFIED, BT2020, P3 = 2, 9, 12  # primaries
WHITE = 203.0  # cd/m², reference white of HDR (ITU-R BT.2408), mapped to white in SDR
PEAK = 1000.0  # cd/m², default peak luminance if the file states none
LEVELS = 1 << 16
TO_BT709 = {
    BT2020: [[1.660491, -0.587641, -0.072850], [-0.124550, 1.132900, -0.008349], [-0.018151, -0.100579, 1.118730]],
    P3: [[1.224940, -0.224940, 0.0], [-0.042057, 1.042057, 0.0], [-0.019638, -0.078636, 1.098274]],
}  # linear light, D65 white point in both (ITU-R BT.2087 for BT.2020)
TO_BT709[UNSPECIFIED] = TO_BT709[BT2020]  # both transfer functions are from BT.2100, which uses BT.2020's primaries
LUMA = np.array([0.2627, 0.6780, 0.0593], np.float32)  # luma coefficients of BT.2020


def rgb(frame: Any, width: int) -> np.ndarray:
    """Convert a decoded frame to (H, W, 3) uint8 RGB: sRGB, or BT.709 as encoded.

    The matrix (BT.601, 709, 2020) and the range are those that the frame states; without a matrix FFmpeg uses BT.601.
    PQ and HLG (ITU-R BT.2100) are tone-mapped with BT.2390's curve per channel: light up to about half of white is
    unchanged, brighter light is compressed so that the peak becomes white.

    Args:
        frame: A PyAV frame.
        width: Output width for square pixels, px.
    """
    if frame.color_trc not in (PQ, HLG):
        return frame.to_ndarray(format='rgb24', width=width, height=frame.height)
    coded = frame.to_ndarray(format='rgb48le', width=width, height=frame.height)
    return tone_mapped(coded, int(frame.color_trc), int(frame.color_primaries), peak_of(frame))


def tone_mapped(coded: np.ndarray, transfer: int, primaries: int, peak: float = PEAK) -> np.ndarray:
    """Convert HDR to sRGB.

    Args:
        coded: (H, W, 3) uint16 RGB, full range, encoded with the transfer function.
        transfer: :data:`PQ` or :data:`HLG`.
        primaries: Code of ITU-T H.273; unspecified is treated as BT.2020, all others except Display P3 as BT.709.
        peak: Peak luminance, cd/m²; for PQ only, HLG's is 1000.

    Returns:
        (H, W, 3) uint8.
    """
    import cv2  # imported here because lifting runs without OpenCV

    light = np.take(_decode(transfer, peak), coded)
    if transfer == HLG:  # display light on a screen of 1000 cd/m²: system gamma 1.2
        light *= np.power(light @ LUMA, np.float32(0.2))[..., None]
    if primaries in TO_BT709:
        light = cv2.transform(light, np.array(TO_BT709[primaries], np.float32))
    np.clip(light, 0, 1, out=light)
    light *= LEVELS - 1
    return np.take(_encode(PEAK if transfer == HLG else peak), light.astype(np.uint16))


def peak_of(frame: Any) -> float:
    """Return the peak luminance of a frame from its content light level, cd/m²."""
    data = side_data(frame, 'CONTENT_LIGHT_LEVEL')
    most = 0 if data is None else int(np.frombuffer(data, np.uint32)[0])  # MaxCLL, CTA-861.3; 0: unknown
    return float(most) if WHITE < most <= 10000 else PEAK


@lru_cache(maxsize=8)
def _decode(transfer: int, peak: float) -> np.ndarray:
    """Return a table (65536,) float32 from code to linear light, 1 at the peak."""
    code = np.linspace(0, 1, LEVELS)
    if transfer == PQ:
        return np.minimum(_pq_to_light(code) / peak, 1).astype(np.float32)
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    return np.where(code <= 0.5, code**2 / 3, (np.exp((code - c) / a) + b) / 12).astype(np.float32)


@lru_cache(maxsize=8)
def _encode(peak: float) -> np.ndarray:
    """Return a table (65536,) uint8 from linear light in [0, peak] to sRGB, tone-mapped to :data:`WHITE`."""
    light = np.linspace(0, peak, LEVELS)
    relative = _pq_to_light(_compress(_light_to_pq(light), float(_light_to_pq(np.array(peak))))) / WHITE
    relative = relative.clip(0, 1)
    coded = np.where(relative <= 0.0031308, 12.92 * relative, 1.055 * relative ** (1 / 2.4) - 0.055)
    return np.rint(255 * coded).astype(np.uint8)


def _compress(code: np.ndarray, peak: float) -> np.ndarray:
    """Compress PQ codes in [0, ``peak``] to [0, white] with BT.2390's EETF, without black level lift."""
    white = float(_light_to_pq(np.array(WHITE))) / peak
    knee = 1.5 * white - 0.5
    e = code / peak
    t = ((e - knee) / (1 - knee)).clip(0, 1)
    spline = (2 * t**3 - 3 * t**2 + 1) * knee + (t**3 - 2 * t**2 + t) * (1 - knee) + (3 * t**2 - 2 * t**3) * white
    return peak * np.where(e < knee, e, spline)


def _pq_to_light(code: np.ndarray) -> np.ndarray:
    """Convert PQ codes in [0, 1] to luminance, cd/m² (SMPTE ST 2084)."""
    m1, m2, c1, c2, c3 = 2610 / 16384, 2523 / 32, 3424 / 4096, 2413 / 128, 2392 / 128
    power = code ** (1 / m2)
    return 10000 * (np.maximum(power - c1, 0) / (c2 - c3 * power)) ** (1 / m1)


def _light_to_pq(light: np.ndarray) -> np.ndarray:
    m1, m2, c1, c2, c3 = 2610 / 16384, 2523 / 32, 3424 / 4096, 2413 / 128, 2392 / 128
    power = (light / 10000) ** m1
    return ((c1 + c2 * power) / (1 + c3 * power)) ** m2
