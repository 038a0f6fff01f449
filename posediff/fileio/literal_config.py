"""Read a config that consists of literals without executing it."""

from __future__ import annotations

import ast
import math
from pathlib import Path
from typing import Any


def read_literal_config(path: str | Path) -> dict[str, Any]:
    """Read a Python config in which all statements are ``name = literal``; ``dict(key=literal)`` is also a literal.

    Configs written by ``save_pretrained`` have this form. Reading one executes no code, unlike other configs, which are
    Python programs.

    Raises:
        FileNotFoundError: The file does not exist.
        ValueError: The file is not Python or has other statements; the message names the line.
    """
    file = Path(path)
    if not file.is_file():
        raise FileNotFoundError(f'config {file} does not exist')
    try:
        text = file.read_text(encoding='utf-8')
    except UnicodeDecodeError as error:
        raise ValueError(f'config {file} cannot be read: {error}') from error
    return parse_literal_config(text, f'config {file}')


def parse_literal_config(text: str, origin: str) -> dict[str, Any]:
    """Parse the text of a config, as :func:`read_literal_config` does.

    Args:
        text: The config.
        origin: Where it came from, for messages.

    Raises:
        ValueError: The text is not Python or has other statements; the message names the line.
    """
    if '\0' in text:
        raise ValueError(f'{origin} cannot be read: it contains null bytes')
    try:
        statements = ast.parse(text).body
        return dict(_assignment(statement, origin) for statement in statements if not _is_docstring(statement))
    except (SyntaxError, RecursionError, MemoryError) as error:  # the last two: nested too deeply
        raise ValueError(f'{origin} cannot be read: {error or type(error).__name__}') from error


def _is_docstring(statement: ast.stmt) -> bool:
    match statement:
        case ast.Expr(value=ast.Constant(value=str())):
            return True
    return False


def _assignment(statement: ast.stmt, origin: str) -> tuple[str, Any]:
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            return name, _literal(value, origin)
    raise _refusal(statement, origin)


def _literal(node: ast.expr, origin: str) -> Any:
    match node:
        case ast.Call(func=ast.Name(id='dict'), args=[], keywords=keywords) if all(entry.arg for entry in keywords):
            return {str(entry.arg): _literal(entry.value, origin) for entry in keywords}
        case ast.Dict(keys=keys, values=values) if all(isinstance(key, ast.Constant) for key in keys):
            pairs = zip(keys, values, strict=True)
            return {_literal(key, origin): _literal(value, origin) for key, value in pairs if key}
        case ast.Call(func=ast.Name(id='dict'), args=[ast.Dict() as entries], keywords=[]):
            return _literal(entries, origin)  # how MMEngine writes keys that are not identifiers
        case ast.Name(id='inf' | 'nan' as number):
            return float(number)
        case ast.UnaryOp(op=ast.USub(), operand=ast.Name(id='inf')):
            return -math.inf
        case ast.List(elts=items):
            return [_literal(item, origin) for item in items]
        case ast.Tuple(elts=items):
            return tuple(_literal(item, origin) for item in items)
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError):
        raise _refusal(node, origin) from None


def _refusal(node: ast.stmt | ast.expr, origin: str) -> ValueError:
    return ValueError(
        f'{origin}, line {node.lineno}: {ast.unparse(node)[:60]!r} is not a literal; code in a config that is stored '
        'with weights is not executed'
    )
