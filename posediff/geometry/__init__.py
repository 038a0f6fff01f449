"""Cameras, calibrations, triangulation, rotations, and which way is up."""

from posediff.geometry.cameras import (
    Camera,
    project_points,
    quaternion_to_matrix,
    solve_root_position,
    unproject_points,
)

__all__ = ['Camera', 'project_points', 'quaternion_to_matrix', 'solve_root_position', 'unproject_points']
