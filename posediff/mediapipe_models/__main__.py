"""Fill the cache of weights: ``python -m posediff.mediapipe_models [WHEEL]``."""

from __future__ import annotations

from posediff.mediapipe_models.weights import WEIGHTS
from posediff.wheel_files import fetch_all

if __name__ == '__main__':
    fetch_all(WEIGHTS, 'python -m posediff.mediapipe_models')
