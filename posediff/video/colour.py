"""Decoded frames as RGB: the file's own matrix and range, HDR brought to the range of ordinary screens."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from posediff.video.side_data import side_data

PQ, HLG = 16, 18  # transfer characteristics of ITU-T H.273
UNSPECIFIED, BT2020, P3 = 2, 9, 12  # primaries
WHITE = 203.0  # cd/m², reference white in HDR (ITU-R BT.2408), white in SDR
PEAK = 1000.0  # cd/m², brightest that is shown in full where the file does not say how bright it is
LEVELS = 1 << 16
TO_BT709 = {
    BT2020: [[1.660491, -0.587641, -0.072850], [-0.124550, 1.132900, -0.008349], [-0.018151, -0.100579, 1.118730]],
    P3: [[1.224940, -0.224940, 0.0], [-0.042057, 1.042057, 0.0], [-0.019638, -0.078636, 1.098274]],
}  # linear light, D65 both (ITU-R BT.2087 for BT.2020)
TO_BT709[UNSPECIFIED] = TO_BT709[BT2020]  # BT.2100, where both transfer functions come from, has BT.2020's
LUMA = np.array([0.2627, 0.6780, 0.0593], np.float32)  # of BT.2020


def rgb(frame: Any, width: int) -> np.ndarray:
    """(H, W, 3) uint8, red first, of a decoded frame: sRGB, or BT.709 as it is coded.

    The matrix (BT.601, 709, 2020) and the range are those that the frame states; without a matrix FFmpeg takes BT.601.
    PQ and HLG (ITU-R BT.2100) are tone-mapped: light up to about half of white stays as it is, brighter light is
    compressed so that the brightest is white, by BT.2390's curve for each of red, green and blue.

    Args:
        frame: Of PyAV.
        width: In px, for square pixels.
    """
    if frame.color_trc not in (PQ, HLG):
        return frame.to_ndarray(format='rgb24', width=width, height=frame.height)
    coded = frame.to_ndarray(format='rgb48le', width=width, height=frame.height)
    return tone_mapped(coded, int(frame.color_trc), int(frame.color_primaries), peak_of(frame))


def tone_mapped(coded: np.ndarray, transfer: int, primaries: int, peak: float = PEAK) -> np.ndarray:
    """Bring HDR to sRGB.

    Args:
        coded: (H, W, 3) uint16, full range: red, green and blue, coded with the transfer function.
        transfer: :data:`PQ` or :data:`HLG`.
        primaries: Of ITU-T H.273; without any, BT.2020's; others than these and Display P3's are taken
            to be BT.709's.
        peak: cd/m² of the brightest light; only of PQ, HLG's is 1000.

    Returns:
        (H, W, 3) uint8.
    """
    import cv2  # not at the top: lifting does without

    light = np.take(_decode(transfer, peak), coded)
    if transfer == HLG:  # the picture's light on a screen of 1000 cd/m²: system gamma 1.2
        light *= np.power(light @ LUMA, np.float32(0.2))[..., None]
    if primaries in TO_BT709:
        light = cv2.transform(light, np.array(TO_BT709[primaries], np.float32))
    np.clip(light, 0, 1, out=light)
    light *= LEVELS - 1
    return np.take(_encode(PEAK if transfer == HLG else peak), light.astype(np.uint16))


def peak_of(frame: Any) -> float:
    """cd/m² of the brightest light of a frame, as its content light level says."""
    data = side_data(frame, 'CONTENT_LIGHT_LEVEL')
    most = 0 if data is None else int(np.frombuffer(data, np.uint32)[0])  # MaxCLL, CTA-861.3; 0: not known
    return float(most) if WHITE < most <= 10000 else PEAK


@lru_cache(maxsize=8)
def _decode(transfer: int, peak: float) -> np.ndarray:
    """(65536,) float32: linear light of a code, 1 at the peak."""
    code = np.linspace(0, 1, LEVELS)
    if transfer == PQ:
        return np.minimum(_pq_to_light(code) / peak, 1).astype(np.float32)
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    return np.where(code <= 0.5, code**2 / 3, (np.exp((code - c) / a) + b) / 12).astype(np.float32)


@lru_cache(maxsize=8)
def _encode(peak: float) -> np.ndarray:
    """(65536,) uint8: sRGB of linear light from 0 to the peak, tone-mapped to :data:`WHITE`."""
    light = np.linspace(0, peak, LEVELS)
    relative = _pq_to_light(_compress(_light_to_pq(light), float(_light_to_pq(np.array(peak))))) / WHITE
    relative = relative.clip(0, 1)
    coded = np.where(relative <= 0.0031308, 12.92 * relative, 1.055 * relative ** (1 / 2.4) - 0.055)
    return np.rint(255 * coded).astype(np.uint8)


def _compress(code: np.ndarray, peak: float) -> np.ndarray:
    """BT.2390's electrical-electrical transfer function, without lift of blacks: PQ codes up to ``peak`` to such up to
    white's."""
    white = float(_light_to_pq(np.array(WHITE))) / peak
    knee = 1.5 * white - 0.5
    e = code / peak
    t = ((e - knee) / (1 - knee)).clip(0, 1)
    spline = (2 * t**3 - 3 * t**2 + 1) * knee + (t**3 - 2 * t**2 + t) * (1 - knee) + (3 * t**2 - 2 * t**3) * white
    return peak * np.where(e < knee, e, spline)


def _pq_to_light(code: np.ndarray) -> np.ndarray:
    """cd/m² of a code from 0 to 1 (SMPTE ST 2084)."""
    m1, m2, c1, c2, c3 = 2610 / 16384, 2523 / 32, 3424 / 4096, 2413 / 128, 2392 / 128
    power = code ** (1 / m2)
    return 10000 * (np.maximum(power - c1, 0) / (c2 - c3 * power)) ** (1 / m1)


def _light_to_pq(light: np.ndarray) -> np.ndarray:
    m1, m2, c1, c2, c3 = 2610 / 16384, 2523 / 32, 3424 / 4096, 2413 / 128, 2392 / 128
    power = (light / 10000) ** m1
    return ((c1 + c2 * power) / (1 + c3 * power)) ** m2
