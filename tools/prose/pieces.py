"""Split files into pieces of text and identifiers, each with its line number."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

_CODE = re.compile(r"``?[^`\n]+``?|\bhttps?://\S+")
_MIN_BLANKS = 2
"""Blanks that make a string literal a text; shorter ones are keys, formats and names."""

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


class Role(Enum):
    """Type of a piece; it decides which lists of words apply."""

    TEXT = "text"
    DOCSTRING = "docstring"
    NAME = "name"


@dataclass(frozen=True)
class Piece:
    """A text or an identifier that begins on a line, counted from 1."""

    line: int
    text: str
    role: Role


def pieces(path: Path, source: str) -> Iterator[Piece]:
    """Yield the texts and identifiers of a file by its suffix; an unknown suffix is all text."""
    if path.suffix == ".py":
        yield from _python(path, source)
    elif path.suffix == ".proto":
        yield from _comments(source, "//")
    elif path.suffix == ".md":
        yield Piece(1, _CODE.sub(lambda code: "\n" * code[0].count("\n"), source), Role.TEXT)
    else:
        yield from _comments(source, "#")


def _comments(source: str, marker: str) -> Iterator[Piece]:
    """Yield each block of comment lines as one piece, so that a phrase is found across its line breaks."""
    block: list[str] = []
    start = 0
    for number, line in enumerate([*source.splitlines(), ""], start=1):
        before, separator, comment = line.partition(marker)
        if block and (not separator or before.strip()):
            yield Piece(start, "\n".join(block), Role.TEXT)
            block = []
        if separator:
            start = start if block else number
            block.append(_CODE.sub("", comment.lstrip(marker)))


def _python(path: Path, source: str) -> Iterator[Piece]:
    """Yield a module's docstrings, comments, longer string literals and the names that it defines."""
    tree = ast.parse(source)
    yield from _python_comments(source)
    yield from _names(path, tree)
    documented: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | Definition) and ast.get_docstring(node) is not None:
            constant = node.body[0].value  # type: ignore[attr-defined]  # a docstring is an expression
            documented.add(id(constant))
            role = Role.TEXT if getattr(node, "name", "").startswith("test_") else Role.DOCSTRING
            yield Piece(constant.lineno, _CODE.sub("", constant.value), role)
    yield from _strings(tree, documented)


def _python_comments(source: str) -> Iterator[Piece]:
    """Yield the comments of a module, those on successive lines as one piece."""
    block: list[str] = []
    start = previous = 0
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type != tokenize.COMMENT:
            continue
        number = token.start[0]
        if block and number != previous + 1:
            yield Piece(start, "\n".join(block), Role.TEXT)
            block = []
        start = start if block else number
        previous = number
        block.append(_CODE.sub("", token.string.lstrip("#")))
    if block:
        yield Piece(start, "\n".join(block), Role.TEXT)


def _strings(tree: ast.Module, documented: set[int]) -> Iterator[Piece]:
    """Yield string literals that are texts; of a formatted string, its constant parts as one text."""
    inner: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            inner |= {id(part) for part in ast.walk(node) if isinstance(part, ast.Constant)}
            text = "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            if id(node) in documented | inner:
                continue
            text = node.value
        else:
            continue
        if text.count(" ") >= _MIN_BLANKS:
            yield Piece(node.lineno, _CODE.sub("", text), Role.TEXT)


def _names(path: Path, tree: ast.Module) -> Iterator[Piece]:
    """Yield the module's name and the names of its functions, classes, parameters and variables."""
    yield Piece(1, path.stem, Role.NAME)
    for node in ast.walk(tree):
        if isinstance(node, Definition):
            yield Piece(node.lineno, node.name, Role.NAME)
        elif isinstance(node, ast.arg):
            yield Piece(node.lineno, node.arg, Role.NAME)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield Piece(node.lineno, node.id, Role.NAME)
