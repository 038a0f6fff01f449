"""Frames of JHMDB's clips, as numbered PNG files."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path


def frame_files(folder: Path) -> list[Path]:
    """Return the frames ``00001.png``, ``00002.png``, … of a clip.

    Raises:
        FileNotFoundError: The folder does not exist, or has no frames.
        ValueError: A number is missing.
    """
    files = sorted(folder.glob('*.png'))
    if not files:
        raise FileNotFoundError(f'{folder}: no such folder, or no .png files in it')
    for number, file in enumerate(files, start=1):
        if file.name != f'{number:05d}.png':
            raise ValueError(f'{folder}: frame {number:05d}.png is missing, found {file.name} in its place')
    return files


def write_frames(video: Path, folder: Path) -> None:
    """Write all frames of a video to a new folder, which appears when all of them are written.

    Raises:
        FileNotFoundError: The video does not exist.
        ValueError: The video cannot be read.
    """
    import av  # belongs to an extra: a user who has the frames does not need it

    if not video.is_file():
        raise FileNotFoundError(f'{folder} does not exist, and neither does {video}')
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f'.{folder.name}-', dir=folder.parent))
    try:
        with av.open(str(video)) as container:
            for number, frame in enumerate(container.decode(video=0), start=1):
                frame.to_image().save(draft / f'{number:05d}.png', compress_level=1)
        draft.chmod(0o755)
        draft.rename(folder)
    except av.FFmpegError as error:
        raise ValueError(f'{video} is not a readable video: {error}') from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
