"""Select from requirements.lock what the image of a service installs.

    python -m tools.service_lock pyproject.toml requirements.lock FOLDER EXTRA...

Writes FOLDER/EXTRA.txt: the requirements of that extra and all that they require, with hashes. A file changes
only with these packages, so that other changes of the lock and of pyproject.toml rebuild no layer of images.
Standard library only: it runs in an image before anything is installed.
"""

import os
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tools.cpu_lock import entries, name_of

_REQUIRED_BY = re.compile(r"^ +# +(?:via )?([A-Za-z0-9._-]+)(?: |$)", re.MULTILINE)
"""A package that requires the entry: `# via NAME`, or one line `#   NAME` for each of several."""


def normalised(name: str) -> str:
    """Return a package's name as the lock writes it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def direct_requirements(project: dict[str, Any], extra: str) -> Iterator[str]:
    """Yield the names that an extra requires; an extra that it includes counts."""
    for requirement in [*project["dependencies"], *project["optional-dependencies"][extra]]:
        included = re.fullmatch(rf"{project['name']}\[(.*)\]", requirement)
        if included:
            for other in included[1].split(","):
                yield from direct_requirements(project, other)
        else:
            yield normalised(name_of(requirement))


def select(project: dict[str, Any], lock: str, extra: str) -> str:
    """Return the entries of the lock that an extra needs, without comments."""
    # A package has several entries where its version depends on that of Python.
    by_name: dict[str, str] = {}
    for entry in entries(lock):
        by_name[name_of(entry)] = by_name.get(name_of(entry), "") + entry
    required_by = {name: {normalised(n) for n in _REQUIRED_BY.findall(e)} for name, e in by_name.items()}
    selected: set[str] = set()
    added = set(direct_requirements(project, extra)) & by_name.keys()
    while added:
        selected |= added
        added = {name for name, parents in required_by.items() if parents & selected} - selected
    lines = (line for name in sorted(selected) for line in by_name[name].splitlines())
    return "".join(f"{line}\n" for line in lines if not line.lstrip().startswith("#"))


def main(arguments: list[str]) -> None:
    """Write a file for each extra; all have the same time, which would change a layer as well."""
    project = tomllib.loads(Path(arguments[0]).read_text(encoding="utf-8"))["project"]
    lock = Path(arguments[1]).read_text(encoding="utf-8")
    folder = Path(arguments[2])
    folder.mkdir(parents=True, exist_ok=True)
    for extra in arguments[3:]:
        target = folder / f"{extra}.txt"
        target.write_text(select(project, lock, extra), encoding="utf-8")
        os.utime(target, (0, 0))


if __name__ == "__main__":
    main(sys.argv[1:])
