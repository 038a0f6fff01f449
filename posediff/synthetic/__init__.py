"""Rendered videos of several persons with clutter and exact annotations in PoseTrack18's format."""
