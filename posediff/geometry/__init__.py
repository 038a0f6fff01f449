"""Cameras, calibration, triangulation, rotations and the up direction."""

from posediff.geometry.cameras import Camera, project_points, quaternion_to_matrix, unproject_points
from posediff.geometry.root_position import fit_root_position, solve_root_position

__all__ = [
    'Camera',
    'fit_root_position',
    'project_points',
    'quaternion_to_matrix',
    'solve_root_position',
    'unproject_points',
]
