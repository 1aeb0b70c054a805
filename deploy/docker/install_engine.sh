#!/bin/sh
# Installs torch, Kraken and the other libraries of the recognizer into /opt/ketav.
# The argument is `cpu`, `pruned` or `cuda`, as services.Dockerfile describes them.
set -eu

install() {
  uv pip install --requirements pyproject.toml --extra recognizer --constraint requirements.lock "$@"
}

# The CPU index has files of its own, whose hashes the lock does not know; the versions are those of the lock.
case "$1" in
cpu)
  if install --torch-backend cpu --no-verify-hashes; then
    python /usr/local/bin/prune_libraries.py
  else
    echo "WARNING: torch's CPU index is not reachable; the ordinary build is installed and pruned." >&2
    install
    python /usr/local/bin/prune_libraries.py --gpu-files
  fi
  ;;
pruned)
  install
  python /usr/local/bin/prune_libraries.py --gpu-files
  ;;
cuda)
  install
  python /usr/local/bin/prune_libraries.py
  ;;
*)
  echo "TORCH is '$1'. Set it to cpu, pruned or cuda." >&2
  exit 2
  ;;
esac

# Shows that no file too many was deleted, and writes the bytecode of what is imported.
/opt/ketav/bin/python -c \
  "import kraken.lib.vgsl, kraken.models, torchvision, torch; torch.nn.Conv2d(1, 1, 3)(torch.ones(1, 1, 3, 3))"
