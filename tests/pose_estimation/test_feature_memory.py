"""Feature maps are kept for the pictures in use, up to a size."""

from __future__ import annotations

import numpy as np
import torch

from posediff.pose_estimation.feature_memory import FeatureMemory

BOX, OTHER = np.float32([0, 0, 4, 4]), np.float32([1, 0, 5, 4])


def maps(value: float) -> torch.Tensor:
    return torch.full((1, 2, 2), float(value))  # 16 bytes


def test_maps_belong_to_a_picture_and_a_crop():
    memory = FeatureMemory(1000)
    picture = np.zeros((4, 4, 3), np.uint8)
    same_content = picture.copy()
    memory.add(picture, BOX, maps(1))
    assert memory.get(picture, BOX).unique().tolist() == [1]
    assert memory.get(picture, OTHER) is None
    assert memory.get(same_content, BOX) is None


def test_maps_go_with_their_picture():
    memory = FeatureMemory(1000)
    for value in range(50):  # the next picture often gets the id of the one before
        picture = np.full((4, 4, 3), value, np.uint8)
        assert memory.get(picture, BOX) is None
        memory.add(picture, BOX, maps(value))
        assert memory.size <= 32
        del picture
    assert len(memory) <= 2


def test_the_pictures_used_least_recently_are_dropped_first():
    memory = FeatureMemory(48)
    pictures = [np.zeros((4, 4, 3), np.uint8) for _ in range(4)]
    for value, picture in enumerate(pictures[:3]):
        memory.add(picture, BOX, maps(value))
    assert memory.get(pictures[0], BOX) is not None
    memory.add(pictures[3], BOX, maps(3))
    assert memory.size == 48
    assert [memory.get(picture, BOX) is not None for picture in pictures] == [True, False, True, True]


def test_nothing_is_kept_without_memory():
    memory = FeatureMemory(0)
    picture = np.zeros((4, 4, 3), np.uint8)
    memory.add(picture, BOX, maps(1))
    assert memory.get(picture, BOX) is None
    assert memory.size == len(memory) == 0
