"""Text with a byte order mark, and folders with files in them that are no data."""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePath

# The longer marks first: UTF-32's little-endian mark begins with UTF-16's.
_MARKS = (
    (codecs.BOM_UTF8, 'utf-8-sig'),
    (codecs.BOM_UTF32_LE, 'utf-32'),
    (codecs.BOM_UTF32_BE, 'utf-32'),
    (codecs.BOM_UTF16_LE, 'utf-16'),
    (codecs.BOM_UTF16_BE, 'utf-16'),
)
_FOREIGN_FOLDERS = ('__MACOSX',)  # what archives made on a Mac hold beside the data


def read_text(path: str | Path, encoding: str = 'utf-8') -> str:
    """Read a text file, with or without a byte order mark.

    Lines may end in any way; they end in a line feed in what is returned.

    Args:
        path: The file.
        encoding: Of a file without a mark; a mark says which Unicode encoding follows.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The bytes are not text in that encoding; the message names the file.
    """
    content = Path(path).read_bytes()
    encoding = next((marked for mark, marked in _MARKS if content.startswith(mark)), encoding)
    try:
        return content.decode(encoding).replace('\r\n', '\n').replace('\r', '\n')
    except UnicodeDecodeError as error:
        raise ValueError(f'{path}: not text in {encoding.upper()} ({error})') from error


def is_data(path: PurePath, folder: PurePath | None = None) -> bool:
    """Whether a file that was found in a folder is meant as data.

    Hidden files are not: a Mac writes ``._name`` beside every file on a foreign disk, and ``.DS_Store`` into folders.

    Args:
        path: The file.
        folder: Where the search began; folders between the two count as well.
    """
    names = path.parts[-1:] if folder is None else path.relative_to(folder).parts
    return not any(name.startswith('.') or name in _FOREIGN_FOLDERS for name in names)


def data_files(folder: str | Path, suffixes: str | Iterable[str], recursive: bool = False) -> list[Path]:
    """Files of a folder that are meant as data, by name; an empty list where there is no folder.

    Args:
        folder: Where they lie.
        suffixes: One or several, such as ``.json``; the case of the files' does not matter.
        recursive: Also those in folders below.
    """
    wanted = (suffixes,) if isinstance(suffixes, str) else tuple(suffixes)
    return sorted(_matching(Path(folder), wanted, recursive))


def _matching(folder: Path, suffixes: tuple[str, ...], recursive: bool) -> Iterator[Path]:
    if not folder.is_dir():
        return
    for path in folder.rglob('*') if recursive else folder.iterdir():
        if path.suffix.lower() in suffixes and is_data(path, folder) and path.is_file():
            yield path
