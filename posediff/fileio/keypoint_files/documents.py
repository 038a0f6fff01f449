"""Open the sources of keypoints: a file, or a folder with one file per frame."""

from __future__ import annotations

import json
import zipfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

FRAME_FILES = ('.json', '.txt')
_MAGIC = ((b'PK\x03\x04', 'npz'), (b'\x93NUMPY', 'npy'), (b'\x89HDF\r\n', 'h5'))
_SUFFIXES = {'.npz': 'npz', '.npy': 'npy', '.h5': 'h5', '.hdf5': 'h5', '.pose': 'pose', '.csv': 'csv'}


@dataclass(frozen=True)
class Source:
    """A path with its lazily loaded content.

    Attributes:
        path: File or folder.
        kind: ``json``, ``npz``, ``npy``, ``csv``, ``h5``, ``pose``, ``text``; or a folder: ``folder of json``,
            ``folder of text``.
        files: Files of a folder, sorted by name.
    """

    path: Path
    kind: str
    files: tuple[Path, ...] = ()

    @classmethod
    def open(cls, path: str | Path) -> Source:
        """Determine the kind of a path.

        Raises:
            FileNotFoundError: The path does not exist.
            ValueError: The folder has no file that may hold keypoints, or files of several kinds.
        """
        path = Path(path).expanduser()
        if path.is_dir():
            return cls._folder(path)
        if not path.is_file():
            raise FileNotFoundError(f'keypoints file {path} does not exist')
        with path.open('rb') as file:
            begin = file.read(1024)
        kind = next((kind for magic, kind in _MAGIC if begin.startswith(magic)), None)
        if kind is None:
            kind = _SUFFIXES.get(path.suffix.lower())
        if kind is None:
            text = begin.decode('utf-8-sig', errors='replace').lstrip()
            kind = 'json' if path.suffix.lower() in ('.json', '.jsonl') or text[:1] in ('[', '{') else 'text'
        return cls(path, kind)

    @classmethod
    def _folder(cls, folder: Path) -> Source:
        files = sorted(file for file in folder.iterdir() if file.is_file() and not file.name.startswith('.'))
        kinds = {suffix: [file for file in files if file.suffix.lower() == suffix] for suffix in FRAME_FILES}
        if kinds['.json']:  # a readme.txt beside them is no frame
            kinds['.txt'] = [file for file in kinds['.txt'] if any(letter.isdigit() for letter in file.stem)]
        found = {suffix: held for suffix, held in kinds.items() if held}
        if not found and (folder / 'labels').is_dir():  # output folder of Ultralytics' save_txt
            return cls._folder(folder / 'labels')
        if not found:
            raise ValueError(
                f'{folder} is a folder without {" or ".join(FRAME_FILES)} files: a folder of keypoints has one such '
                'file per frame'
            )
        if len(found) > 1:
            raise ValueError(
                f'{folder} has both {" and ".join(found)} files: it is ambiguous which of them are keypoints'
            )
        ((suffix, held),) = found.items()
        if len(held) == 1 and suffix == '.json':
            return cls.open(held[0])
        return cls(folder, 'folder of json' if suffix == '.json' else 'folder of text', tuple(held))

    @cached_property
    def document(self) -> Any:
        """Content of a JSON file; a list of documents for a file with one JSON document per line."""
        return read_json(self.path)

    @cached_property
    def documents(self) -> list[tuple[str, Any]]:
        """Name and content of each file of a folder of JSON."""
        return [(file.name, read_json(file)) for file in self.files]

    @cached_property
    def names(self) -> list[str]:
        """Names of the files of a folder."""
        return [file.name for file in self.files]

    @cached_property
    def arrays(self) -> dict[str, np.ndarray]:
        """Arrays of a ``.npz``; for a ``.npy``, one array named ``array``."""
        try:
            loaded = np.load(self.path, allow_pickle=False)
            if isinstance(loaded, np.ndarray):
                return {'array': loaded}
            with loaded:
                return {name: loaded[name] for name in loaded.files}
        except (ValueError, EOFError, OSError, zipfile.BadZipFile, KeyError) as error:
            if str(error).startswith('Object arrays'):
                raise ValueError(
                    f'{self.path} is not a readable .npz or .npy file: it holds Python objects, as data_2d_*.npz of '
                    'VideoPose3D do; only arrays of numbers are read (keypoints_2d (F, K, 2) px, skeleton)'
                ) from error
            raise ValueError(f'{self.path} is not a readable .npz or .npy file (truncated?): {error}') from error


def read_json(file: Path) -> Any:
    """Read JSON, with or without a byte order mark, or with one JSON document per line.

    Raises:
        ValueError: The file is neither.
    """
    try:
        content = file.read_bytes()
        text = content.decode(json.detect_encoding(content))
        try:
            return json.loads(text)
        except json.JSONDecodeError:
            lines = [line for line in text.splitlines() if line.strip()]
            if len(lines) < 2:
                raise
            try:
                return [json.loads(line) for line in lines]
            except json.JSONDecodeError:
                pass
            raise
    except (ValueError, RecursionError) as error:
        raise ValueError(f'{file} is not readable JSON (truncated?): {error}') from error
