"""Files that ship with the package; README.md says where they come from."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent
DEMO_KEYPOINTS = FOLDER / 'demo_walk.npz'

# The lifter that tools/demo.py uses by default; configs/lifting_3d/metafile.yml says how it was trained.
LIFTER_CONFIG = FOLDER / 'lifter.py'
LIFTER_CHECKPOINT = FOLDER / 'lifter.pth'
