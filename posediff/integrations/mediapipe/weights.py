"""Weights of the two networks, extracted from the mediapipe wheel.

``posediff fetch mediapipe`` downloads them in advance; with a wheel as argument it extracts them from
that wheel, for machines without a package index.
"""

from __future__ import annotations

from posediff.fileio.wheel_files import PackedFile, WheelFiles

DETECTION = 'pose_detection.tflite'
LANDMARKS = 'pose_landmark_full.tflite'
WEIGHTS = WheelFiles(
    release='mediapipe==0.10.21',
    sha256='05dc4a9e593655a79558d05d6227d31018c2537a4bd3362b51e230cf22aecfe3',
    # Always the same wheel on every platform, since only data is extracted.
    tags=(
        *('--only-binary', ':all:', '--platform', 'manylinux_2_28_x86_64'),
        *('--python-version', '3.11', '--implementation', 'cp', '--abi', 'cp311'),
    ),
    files={
        'LICENSE': PackedFile(
            'mediapipe-0.10.21.dist-info/LICENSE', '8707eef0533987efc5b155d64761eeb6e20793f50b9bd1a68dad1cf4719d0ed8'
        ),
        DETECTION: PackedFile(
            'mediapipe/modules/pose_detection/pose_detection.tflite',
            '9ba9dd3d42efaaba86b4ff0122b06f29c4122e756b329d89dca1e297fd8f866c',
        ),
        LANDMARKS: PackedFile(
            'mediapipe/modules/pose_landmark/pose_landmark_full.tflite',
            'e9a5c5cb17f736fafd4c2ec1da3b3d331d6edbe8a0d32395855aeb2cdfd64b9f',
        ),
    },
    holds='the weights',
    command='posediff fetch mediapipe WHEEL',
)
"""The wheel has 36 MB, of which 9 MB are kept."""
