"""Print each rejected word and each misspelling as `file:line: word → what to write instead`.

`python -m tools.prose` checks the repository, with files and folders as arguments only these. Exit status 1
when there is a problem.
"""

import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from tools.hygiene import ROOT, tracked
from tools.prose.pieces import pieces
from tools.prose.words import Words

WORDS = ROOT / "tools" / "words.toml"
SUFFIXES = {".py", ".proto", ".md", ".toml", ".yml", ".yaml", ".sql", ".mako", ".Dockerfile"}
NAMES = {"Makefile", ".importlinter"}
GENERATED = (
    "libs/contracts/ketav/",
    "client/ketav_client/generated/",
    "docs/settings.md",
    "tools/words.toml",
)


def prose_files(root: Path) -> list[Path]:
    """List the hand-written files whose language is checked, relative to root."""
    return [
        path
        for path in tracked(root)
        if (path.suffix in SUFFIXES or path.name in NAMES) and not str(path).startswith(GENERATED)
    ]


def selected(paths: Iterable[Path], arguments: list[str]) -> list[Path]:
    """Return the paths that an argument names or contains; without arguments all."""
    if not arguments:
        return list(paths)
    prefixes = [str(Path(name).resolve().relative_to(ROOT)) for name in arguments]
    return [
        path
        for path in paths
        if any(prefix == "." or path == Path(prefix) or Path(prefix) in path.parents for prefix in prefixes)
    ]


def problems(path: Path, words: Words) -> Iterator[str]:
    """Yield the problems of one file, as the command prints them, in the order of their lines."""
    source = (ROOT / path).read_text(encoding="utf-8")
    listed = [problem for piece in pieces(path, source) for problem in words.problems(piece)]
    for problem in sorted(listed, key=lambda problem: problem.line):
        yield f"{path}:{problem.line}: {problem.word} → {problem.advice}"


def misspelled(paths: Iterable[Path]) -> list[str]:
    """Return what codespell reports for the files; an empty list when all words are known."""
    command = [sys.executable, "-m", "codespell_lib", "--ignore-words-list", "ot,te", *map(str, paths)]
    checked = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return checked.stdout.splitlines() + checked.stderr.splitlines()


def main(arguments: list[str]) -> int:
    """Check the repository, or the files and folders that the arguments name."""
    words = Words.load(WORDS)
    paths = selected(prose_files(ROOT), arguments)
    lines = [line for path in paths for line in problems(path, words)]
    lines += misspelled(paths) if paths else []
    print(*lines, sep="\n", end="\n" if lines else "")
    print(f"{len(paths)} files, {len(lines)} problems")
    return bool(lines)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
