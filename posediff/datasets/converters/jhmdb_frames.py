"""Frames of JHMDB's clips, as numbered PNG files."""

from __future__ import annotations

from pathlib import Path

from posediff.fileio.atomic_files import new_folder


def frame_files(folder: Path) -> list[Path]:
    """Return the frames ``00001.png``, ``00002.png``, … of a clip.

    Raises:
        FileNotFoundError: The folder does not exist, or has no frames.
        ValueError: A number is missing.
    """
    files = sorted(file for file in folder.glob('*.png') if not file.name.startswith('.'))
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
        ModuleNotFoundError: PyAV is not installed.
        ValueError: The video cannot be read, or has no frames.
    """
    try:
        import av
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError("reading frames from videos needs PyAV: pip install 'posediff[pipeline]'") from error

    if not video.is_file():
        raise FileNotFoundError(f'{folder} does not exist, and neither does {video}')
    folder.parent.mkdir(parents=True, exist_ok=True)
    with new_folder(folder) as draft:
        number = 0
        try:
            with av.open(str(video)) as container:
                if not container.streams.video:
                    raise ValueError(f'{video} has no video stream')
                for number, frame in enumerate(container.decode(video=0), start=1):
                    frame.to_image().save(draft / f'{number:05d}.png', compress_level=1)
        except av.FFmpegError as error:
            raise ValueError(f'{video} is not a readable video: {error}') from error
        if not number:
            raise ValueError(f'{video} has no frames')
