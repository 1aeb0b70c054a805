"""Apply a recipe of docs/howto to a copy of the repository: `python -m tools.recipes RECIPE FOLDER`.

A recipe is a document. A line "New file `PATH`:" and a block of code create a file. A line "In `PATH`:" or
"In `PATH`, in `SCOPE`:" and a block of type diff insert lines: those with a plus after those without one.
The lines without a plus are searched from the first line that contains the scope; "…" at their end matches
any rest. A diff of inserted lines alone goes to the end of the file. Readers and the test use the same text.
"""

import re
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tools.check import environment
from tools.hygiene import ROOT, tracked

_EDIT = re.compile(
    r"^ *(?P<how>In|New file) `(?P<path>[^`\n]+)`(?:, in `(?P<scope>[^`\n]+)`)?:\n\n"
    r"(?P<block> *```\w+\n.*?\n *```)$",
    re.DOTALL | re.MULTILINE,
)
_REST = "…"


@dataclass(frozen=True)
class Edit:
    """A change of one file: lines inserted after other lines, or the content of a new file."""

    path: Path
    lines: list[str]
    scope: str = ""
    new: bool = False

    def apply(self, folder: Path) -> None:
        """Change the file below a folder; raises ValueError when its scope or context is not there."""
        target = folder / self.path
        if self.new:
            before = max(
                (path.name for path in target.parent.glob("*.py") if path.name[0].isdigit()), default=""
            )
            content = "\n".join(self.lines) + "\n"
            target.write_text(content.replace('"NEWEST"', f'"{before.split("_")[0]}"'), encoding="utf-8")
            return
        lines = target.read_text(encoding="utf-8").splitlines()
        context = [line[1:] for line in self.lines if not line.startswith("+")]
        inserted = [line[1:] for line in self.lines if line.startswith("+")]
        position = self._end_of(context, lines) if context else len(lines)
        lines[position:position] = inserted
        target.write_text("\n".join(lines) + "\n", encoding="utf-8")

    def _end_of(self, context: list[str], lines: list[str]) -> int:
        """Return the number of lines up to the end of the context."""
        in_scope = False
        for start, line in enumerate(lines):
            in_scope = in_scope or self.scope in line
            part = lines[start : start + len(context)]
            if in_scope and len(part) == len(context) and all(map(_matches, context, part)):
                return start + len(context)
        raise ValueError(
            f"{self.path} has no lines {context} after {self.scope!r}. Bring the recipe up to date."
        )


def _matches(pattern: str, line: str) -> bool:
    """Return whether a line of a recipe is a line of a file."""
    return line.startswith(pattern.removesuffix(_REST)) if pattern.endswith(_REST) else line == pattern


def edits(recipe: str) -> Iterator[Edit]:
    """Yield the edits of a recipe in their order."""
    for match in _EDIT.finditer(recipe):
        block = textwrap.dedent(match["block"]).splitlines()[1:-1]
        yield Edit(Path(match["path"]), block, match["scope"] or "", match["how"] == "New file")


def copy_repository(folder: Path) -> None:
    """Copy what git tracks into an empty folder, the folder of the weights without its files."""
    (folder / "models").mkdir()
    for path in tracked(ROOT):
        if path.parts[0] != "models":
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes((ROOT / path).read_bytes())


def apply(recipe: Path, folder: Path) -> list[Path]:
    """Apply a recipe to a copy of the repository, generate the stubs and return the edited paths."""
    listed = list(edits(recipe.read_text(encoding="utf-8")))
    for edit in listed:
        edit.apply(folder)
    if any(edit.path.suffix == ".proto" for edit in listed):
        subprocess.run(
            [sys.executable, "-m", "tools.generate_stubs"], cwd=folder, env=environment(), check=True
        )
    return sorted({edit.path for edit in listed})


def main(arguments: list[str]) -> None:
    """Copy the repository to a folder and apply a recipe there; print the paths that it edits."""
    recipe, folder = map(Path, arguments)
    folder.mkdir(parents=True, exist_ok=True)
    copy_repository(folder)
    print(*apply(recipe, folder), sep="\n")


if __name__ == "__main__":
    main(sys.argv[1:])
