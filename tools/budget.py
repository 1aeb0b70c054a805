"""Check the size budget: short functions, short modules, a docstring and annotations on every definition."""

import ast
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TREES = (
    "libs",
    "services",
    "deploy",
    "client",
    "contrib",
    "basemodel",
    "tools",
    "bench",
    "examples",
    "tests",
)
GENERATED = {Path("libs/contracts/ketav"), Path("client/ketav_client/generated")}
MAX_BODY = 40
MAX_MODULE = 300
P90_BODY = 25

Definition = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Function:
    """One definition with its location and the number of its body lines, docstring excluded."""

    path: Path
    line: int
    name: str
    body_lines: int
    documented: bool


def body_lines(node: Definition) -> int:
    """Return the number of source lines of a function's body, docstring excluded."""
    statements = node.body[1:] if ast.get_docstring(node, clean=False) is not None else node.body
    if not statements:
        return 0
    return (statements[-1].end_lineno or statements[-1].lineno) - statements[0].lineno + 1


def functions(path: Path, source: str) -> Iterator[Function]:
    """Yield every `def` of a module, nested ones and methods included; magic methods need no docstring."""
    for node in ast.walk(ast.parse(source, str(path))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            magic = node.name.startswith("__") and node.name.endswith("__")
            documented = magic or bool(ast.get_docstring(node))
            yield Function(path, node.lineno, node.name, body_lines(node), documented)


def sources(root: Path) -> Iterator[Path]:
    """Yield the hand-written Python files of the repository, relative to its root."""
    for path in sorted(chain.from_iterable((root / tree).rglob("*.py") for tree in TREES)):
        relative = path.relative_to(root)
        if GENERATED.isdisjoint(relative.parents):
            yield relative


def violations(definitions: Sequence[Function], modules: dict[Path, int]) -> list[str]:
    """Return every violation as `path:line text`; modules under tests/ have no limit of lines."""
    problems = [
        f"{f.path}:{f.line} {f.name} has {f.body_lines} body lines (at most {MAX_BODY})"
        for f in definitions
        if f.body_lines > MAX_BODY
    ]
    problems += [f"{f.path}:{f.line} {f.name} has no docstring" for f in definitions if not f.documented]
    problems += [
        f"{path}:1 the module has {lines} lines (at most {MAX_MODULE})"
        for path, lines in modules.items()
        if lines > MAX_MODULE and path.parts[0] != "tests"
    ]
    return problems


def p90(definitions: Sequence[Function]) -> int:
    """Return the body length that nine of ten functions do not exceed."""
    lengths = sorted(f.body_lines for f in definitions)
    return lengths[int(0.9 * (len(lengths) - 1))] if lengths else 0


def main() -> int:
    """Print the budget's figures and every violation; exit status 1 when there is one."""
    texts = {path: (ROOT / path).read_text() for path in sources(ROOT)}
    definitions = [f for path, text in texts.items() for f in functions(path, text)]
    problems = violations(definitions, {path: text.count("\n") for path, text in texts.items()})
    if p90(definitions) > P90_BODY:
        problems.append(f"p90 of function lengths is {p90(definitions)} lines (at most {P90_BODY})")
    longest = max((f.body_lines for f in definitions), default=0)
    print(
        f"{len(texts)} modules, {len(definitions)} functions, longest {longest} lines, p90 {p90(definitions)}"
    )
    print(*problems, sep="\n", end="\n" if problems else "")
    return bool(problems)


if __name__ == "__main__":
    sys.exit(main())
