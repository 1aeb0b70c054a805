"""The entry point of `ketav`: the commands of a client, and those that an installed server adds."""

import sys
from importlib.metadata import entry_points, version

SERVER_COMMANDS = "ketav.commands"
"""Group of the entry points by which the server adds `ketav admin`, and the commands of its first version."""


def main() -> None:
    """Run `ketav …`; the libraries of the client are loaded for its own commands alone."""
    arguments = sys.argv[1:]
    added = entry_points(group=SERVER_COMMANDS)
    if arguments and arguments[0] in added.names:
        added[arguments[0]].load()()
    elif arguments == ["--version"]:
        print(f"ketav {version('ketav-client')}")  # noqa: T201
    else:
        sys.exit(_run_client_command(arguments))


def _run_client_command(arguments: list[str]) -> int:
    """Run a command of the client; return its exit status, 2 if its libraries are missing."""
    try:
        from ketav_command.app import run
    except ModuleNotFoundError as error:
        present = ", ".join(sorted(entry_points(group=SERVER_COMMANDS).names))
        sys.stderr.write(
            f"ketav: The library {error.name} is not installed here. Install ketav-client with its "
            f"libraries. Without them there are {present}.\n"
        )
        return 2
    return run(arguments)


if __name__ == "__main__":
    main()
