"""Cameras, calibration, triangulation, rotations and the up direction."""

from posediff.geometry.cameras import (
    Camera,
    project_points,
    quaternion_to_matrix,
    solve_root_position,
    unproject_points,
)

__all__ = ['Camera', 'project_points', 'quaternion_to_matrix', 'solve_root_position', 'unproject_points']
