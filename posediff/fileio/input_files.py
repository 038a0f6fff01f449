"""Read text with a byte order mark, and list the data files of a folder."""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePath

# Longer marks first: UTF-32's little-endian mark starts with UTF-16's.
_MARKS = (
    (codecs.BOM_UTF8, 'utf-8-sig'),
    (codecs.BOM_UTF32_LE, 'utf-32'),
    (codecs.BOM_UTF32_BE, 'utf-32'),
    (codecs.BOM_UTF16_LE, 'utf-16'),
    (codecs.BOM_UTF16_BE, 'utf-16'),
)
_FOREIGN_FOLDERS = ('__MACOSX',)  # added by macOS to archives


def read_text(path: str | Path, encoding: str = 'utf-8') -> str:
    """Read a text file, with or without a byte order mark.

    Line ends are converted to line feeds.

    Args:
        path: The file.
        encoding: Encoding of a file without a mark; a mark states the Unicode encoding.

    Raises:
        FileNotFoundError: The file does not exist.
        ValueError: The bytes are not text in that encoding; the message names the file.
    """
    content = Path(path).read_bytes()
    encoding = next((marked for mark, marked in _MARKS if content.startswith(mark)), encoding)
    try:
        return content.decode(encoding).replace('\r\n', '\n').replace('\r', '\n')
    except UnicodeDecodeError as error:
        raise ValueError(f'{path}: not text in {encoding.upper()} ({error})') from error


def is_data(path: PurePath, folder: PurePath | None = None) -> bool:
    """Return whether a file found in a folder is data, as opposed to a file that the operating system added.

    Hidden files are not data: macOS writes ``._name`` beside every file on disks that are not formatted by macOS, and
    ``.DS_Store`` into folders.

    Args:
        path: The file.
        folder: Root of the search; folder names between root and file are checked too.
    """
    names = path.parts[-1:] if folder is None else path.relative_to(folder).parts
    return not any(name.startswith('.') or name in _FOREIGN_FOLDERS for name in names)


def data_files(folder: str | Path, suffixes: str | Iterable[str], recursive: bool = False) -> list[Path]:
    """Return the data files of a folder, sorted by name; an empty list if the folder does not exist.

    Args:
        folder: The folder.
        suffixes: One or several suffixes, such as ``.json``; the case of file suffixes is ignored.
        recursive: Whether to include subfolders.
    """
    wanted = (suffixes,) if isinstance(suffixes, str) else tuple(suffixes)
    return sorted(_matching(Path(folder), wanted, recursive))


def _matching(folder: Path, suffixes: tuple[str, ...], recursive: bool) -> Iterator[Path]:
    if not folder.is_dir():
        return
    for path in folder.rglob('*') if recursive else folder.iterdir():
        if path.suffix.lower() in suffixes and is_data(path, folder) and path.is_file():
            yield path
