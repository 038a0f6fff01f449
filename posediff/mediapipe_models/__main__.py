"""Fill the cache of weights: ``python -m posediff.mediapipe_models [WHEEL]``."""

from __future__ import annotations

import argparse
from pathlib import Path

from posediff.command_line import one_line_errors
from posediff.mediapipe_models import weights

if __name__ == '__main__':
    parser = argparse.ArgumentParser(
        prog='python -m posediff.mediapipe_models', description="Fetch MediaPipe's networks."
    )
    parser.add_argument('wheel', nargs='?', type=Path, help=f'the wheel of {weights.RELEASE}, instead of a download')
    wheel = parser.parse_args().wheel
    with one_line_errors():
        if wheel is not None:
            weights.extract(wheel)
        for name in weights.FILES:
            print(weights.fetch(name))
