"""Convert a public model to checked safetensors: `python -m ketav_engine.models.convert SOURCE TARGET`."""

import sys
from pathlib import Path

from ketav_common.errors import KetavError
from ketav_common.limits import MAX_MODEL_BYTES
from ketav_engine.models.importing import convert


def main(source: Path, target: Path) -> int:
    """Write the converted model to `target`; return 1 and say why on stderr when the file is refused."""
    try:
        with source.open("rb") as file:
            converted = convert(file.read(MAX_MODEL_BYTES + 1))
    except KetavError as error:
        print(error.detail, file=sys.stderr)  # noqa: T201  # what the caller shows the operator
        return 1
    target.write_bytes(converted)
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
