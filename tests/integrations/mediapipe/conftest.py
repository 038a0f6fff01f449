"""The real networks, where they can be had."""

from types import SimpleNamespace

import pytest

from posediff.integrations.mediapipe import PoseDetectionNetwork, PoseLandmarkNetwork, weights


@pytest.fixture(scope='session')
def networks():
    """``detector`` and ``estimator`` with MediaPipe's weights."""
    pytest.importorskip('ai_edge_litert', reason='ai-edge-litert is not installed: pip install posediff[mediapipe]')
    try:
        for name in weights.WEIGHTS.files:
            weights.WEIGHTS.fetch(name)
    except RuntimeError as error:
        pytest.skip(f"MediaPipe's weights are neither in {weights.WEIGHTS.cache_folder} nor to be had: {error}")
    return SimpleNamespace(detector=PoseDetectionNetwork(), estimator=PoseLandmarkNetwork())
