"""Check the sentences that users see: `python -m tools.voice` prints `file:line: sentence: what is wrong`.

A detail of an error has whole sentences, at least two of them: what is wrong and where, then what to do.
A reason, a verdict and the result of a function whose docstring promises a sentence have at least one.
With files and folders as arguments it checks only these. Exit status 1 when there is a problem.
"""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tools.budget import ROOT, sources

LISTS = ROOT / "tools" / "voice.toml"
TREES = ("libs/common/", "libs/engine/", "services/", "deploy/local/", "client/ketav_c")
ERROR_ROOTS = {"KetavError"}
"""Classes whose subclasses carry a detail as their first argument or as `detail=`."""
REASON_KEYWORDS = {"reason", "verdict", "sentence", "words"}
"""Keyword arguments that carry one or more sentences for the user."""
SENTENCE_VARIABLES = {"sentence", "detail"}
"""Variables that are built before they are passed on."""
VALUE = "…"
"""Replaces in a template what is known only when the program runs."""
_END = re.compile(r"(?<=[.?!])\s+(?=[A-Z\"'`…])")
_BEGIN = re.compile(r"[A-Z\d\"'`…/א-ת]")
_ABBREVIATION = re.compile(r"\b(?:e\.g|i\.e|etc|vs)\.\s")


@dataclass(frozen=True)
class Sentence:
    """A text that a user may see, at its line of a file, with the number of sentences that it needs."""

    path: Path
    line: int
    text: str
    minimum: int

    def problem(self) -> str:
        """Return what is wrong with the text; empty when it is made of enough whole sentences."""
        if not _BEGIN.match(self.text):
            return "begins with no capital letter"
        if not self.text.endswith((".", "?", VALUE)):
            return "ends without a full stop"
        count = len(_END.split(_ABBREVIATION.sub("", self.text)))
        if count < self.minimum and VALUE not in self.text[-1:]:
            return f"has {count} sentence; say what is wrong and where, then what to do"
        return ""


@dataclass
class Sources:
    """The parsed modules with the string constants, error classes and classes' bases that they define."""

    trees: dict[Path, ast.Module]
    constants: dict[str, str] = field(default_factory=dict)
    errors: set[str] = field(default_factory=lambda: set(ERROR_ROOTS))

    def __post_init__(self) -> None:
        """Collect constants and error classes of all modules; a class may precede its base."""
        for tree in self.trees.values():
            for node in tree.body:
                if isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(
                    node.value, ast.Constant | ast.BinOp
                ):
                    target = node.targets[0] if isinstance(node, ast.Assign) else node.target
                    texts = list(self.templates(node.value))
                    if isinstance(target, ast.Name) and texts:
                        self.constants[target.id] = texts[0]
        classes = [
            node for tree in self.trees.values() for node in ast.walk(tree) if isinstance(node, ast.ClassDef)
        ]
        size = 0
        while size != len(self.errors):
            size = len(self.errors)
            self.errors |= {
                node.name for node in classes if {name_of(base) for base in node.bases} & self.errors
            }

    def templates(self, node: ast.expr) -> Iterator[str]:
        """Yield the texts that an expression may have, with VALUE for variable parts; nothing if unknown."""
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        elif isinstance(node, ast.JoinedStr):
            yield "".join(str(p.value) if isinstance(p, ast.Constant) else VALUE for p in node.values)
        elif isinstance(node, ast.IfExp):
            yield from self.templates(node.body)
            yield from self.templates(node.orelse)
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            yield from (
                left + right
                for left in list(self.templates(node.left)) or [VALUE]
                for right in list(self.templates(node.right)) or [VALUE]
            )
        elif name_of(node) in self.constants:
            yield self.constants[name_of(node)]


def name_of(node: ast.expr) -> str:
    """Return the last part of a dotted name; empty for any other expression."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def sentences(parsed: Sources, path: Path, positions: dict[str, int]) -> Iterator[Sentence]:
    """Yield the texts of one module that users may see.

    `positions` has further classes and functions that take such a text, with the index of that argument.
    """
    for node in ast.walk(parsed.trees[path]):
        if isinstance(node, ast.Call):
            yield from _of_call(parsed, path, node, positions)
        elif isinstance(node, ast.Assign) and name_of(node.targets[0]) in SENTENCE_VARIABLES:
            yield from (Sentence(path, node.lineno, text, 1) for text in parsed.templates(node.value))
        elif isinstance(node, ast.ClassDef) and node.name in parsed.errors - ERROR_ROOTS:
            yield Sentence(path, node.lineno, (ast.get_docstring(node) or "").partition("\n")[0], 2)
        elif (
            isinstance(node, ast.FunctionDef)
            and "sentence" in (ast.get_docstring(node) or "").partition("\n")[0]
        ):
            returned = [
                part for part in ast.walk(node) if isinstance(part, ast.Return) and part.value is not None
            ]
            for statement in returned:
                for text in parsed.templates(statement.value):  # type: ignore[arg-type]  # not None, see above
                    yield Sentence(path, statement.lineno, text, 1)


def _of_call(parsed: Sources, path: Path, call: ast.Call, positions: dict[str, int]) -> Iterator[Sentence]:
    """Yield the detail of an error that the call builds, and the reasons that it passes by keyword."""
    name = name_of(call.func)
    is_error = name in parsed.errors or name in positions
    index = positions.get(name, 0)
    if is_error and len(call.args) > index:
        for text in parsed.templates(call.args[index]):
            yield Sentence(path, call.args[index].lineno, text, 2)
    for keyword in call.keywords:
        if keyword.arg == "detail" or (is_error and keyword.arg == "reason"):
            yield from (
                Sentence(path, keyword.value.lineno, text, 2) for text in parsed.templates(keyword.value)
            )
        elif keyword.arg in REASON_KEYWORDS:
            yield from (
                Sentence(path, keyword.value.lineno, text, 1) for text in parsed.templates(keyword.value)
            )


def problems(root: Path, only: Sequence[str] = ()) -> list[str]:
    """Return the problems of the modules below root, or of the given paths, as the command prints them."""
    lists = tomllib.loads(LISTS.read_text(encoding="utf-8"))
    paths = [path for path in sources(root) if str(path).startswith(TREES)]
    parsed = Sources({path: ast.parse((root / path).read_text(encoding="utf-8")) for path in paths})
    lines = []
    for path in paths:
        if only and not str(path).startswith(tuple(only)):
            continue
        for sentence in sentences(parsed, path, lists["classes"]):
            problem = sentence.problem()
            if problem and sentence.text not in lists["exceptions"]:
                lines.append(f'{path}:{sentence.line}: "{sentence.text}" {problem}')
    return lines


def main(arguments: list[str]) -> int:
    """Print the problems of the repository or of the given paths."""
    lines = problems(ROOT, [str(Path(name).resolve().relative_to(ROOT)) for name in arguments])
    print(*lines, sep="\n", end="\n" if lines else "")
    print(f"{len(lines)} problems")
    return bool(lines)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
