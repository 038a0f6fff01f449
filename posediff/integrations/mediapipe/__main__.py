"""Fill the cache of weights: ``python -m posediff.integrations.mediapipe [WHEEL]``."""

from __future__ import annotations

from posediff.fileio.wheel_files import fetch_all
from posediff.integrations.mediapipe.weights import WEIGHTS

if __name__ == '__main__':
    fetch_all(WEIGHTS, 'python -m posediff.integrations.mediapipe')
