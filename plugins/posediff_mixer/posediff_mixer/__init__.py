"""A worked example of a package outside posediff; importing it registers its components."""

from posediff_mixer.denoiser import JointTimeMixer

__all__ = ['JointTimeMixer']
