"""The repository follows the size budget and the hygiene rules, and the tools report violations of them."""

from pathlib import Path

import pytest

from tools import budget, cpu_lock, hygiene


def test_every_hand_written_module_keeps_the_size_budget() -> None:
    """No function over the limit, no long module, a docstring on every definition."""
    assert budget.main() == 0


def test_the_repository_has_nothing_of_one_machine() -> None:
    """No machine paths, index addresses, unfinished notes or oversized files."""
    assert hygiene.main() == 0


def test_a_long_function_breaks_the_budget_and_its_docstring_does_not_count() -> None:
    """Forty body lines are allowed below a long docstring; forty-one are not."""
    docstring = '    """' + "words\n" * 50 + '    """\n'
    for lines, problems in ((budget.MAX_BODY, 0), (budget.MAX_BODY + 1, 1)):
        source = "def f() -> None:\n" + docstring + "    x = 1\n" * lines
        definitions = list(budget.functions(Path("libs/a.py"), source))
        assert [f.body_lines for f in definitions] == [lines]
        assert len(budget.violations(definitions, {})) == problems


def test_a_definition_without_a_docstring_breaks_the_budget() -> None:
    """Nested functions and methods count; magic methods do not."""
    source = "class A:\n    def __init__(self):\n        self.a = 1\n\n    def f(self):\n        pass\n"
    definitions = list(budget.functions(Path("libs/a.py"), source))
    assert len(budget.violations(definitions, {})) == 1


def test_a_long_module_breaks_the_budget_unless_it_is_a_test() -> None:
    """Tests may be long; nothing else may."""
    too_long = budget.MAX_MODULE + 1
    assert budget.violations([], {Path("libs/a.py"): too_long, Path("tests/a.py"): too_long}) == [
        f"libs/a.py:1 the module has {too_long} lines (at most {budget.MAX_MODULE})"
    ]


@pytest.mark.parametrize(
    "text",
    [
        "cd /@root/x",
        "open('/@work/a')",
        "/@home/me/.venv",
        "https://files.python@hosted.org/x",
        "# TO@DO: later",
    ],
)
def test_a_machine_path_an_index_address_or_an_unfinished_note_is_found(text: str) -> None:
    """Each forbidden pattern is named with its file and line (an @ keeps this file itself clean)."""
    content = f"fine\n{text.replace('@', '')}\n".encode()
    assert next(hygiene.violations(Path("a.py"), content)).startswith("a.py:2 ")


def test_a_lock_with_an_address_or_a_file_over_sixteen_mebibytes_is_found() -> None:
    """The lock travels to machines with other indexes; big files make every clone slow."""
    assert list(hygiene.violations(Path("requirements.lock"), b"a @ https://example.org/a.whl\n"))
    assert list(hygiene.violations(Path("models/a.safetensors"), bytes(hygiene.MAX_FILE_BYTES + 1)))


def test_the_lock_without_torch_keeps_all_other_packages_with_their_hashes() -> None:
    """`make install TORCH=cpu` installs the rest as locked, and torch by its version alone."""
    lock = (
        "# header\na==1 \\\n    --hash=sha256:00\n    # via b\n"
        "nvidia-x==2 ; sys_platform == 'linux' \\\n    --hash=sha256:01\n"
        "torch==3 \\\n    --hash=sha256:02\ntorchmetrics==4 \\\n    --hash=sha256:03\n"
    )
    remaining = "a==1 \\\n    --hash=sha256:00\n    # via b\ntorchmetrics==4 \\\n    --hash=sha256:03\n"
    assert cpu_lock.without_torch(lock) == remaining
    assert cpu_lock.torch_versions(lock) == "torch==3\n"
