"""Fetch the clip of the demo: ``python -m posediff.assets [WHEEL]``."""

from __future__ import annotations

from posediff.assets import DEMO_VIDEO
from posediff.fileio.wheel_files import fetch_all

if __name__ == '__main__':
    fetch_all(DEMO_VIDEO, 'python -m posediff.assets')
