"""Rendered videos of several people in clutter, with exact annotations in PoseTrack18's form."""
