"""Video input and output: upright frames at a constant rate, with their times."""

from posediff.structures.video_frame import VideoFrame
from posediff.video.live import LiveVideo
from posediff.video.reading import VideoSource, open_video
from posediff.video.writing import VideoWriter

__all__ = ['LiveVideo', 'VideoFrame', 'VideoSource', 'VideoWriter', 'open_video']
