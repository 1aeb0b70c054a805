#!/bin/sh
# Runs a command that installs packages, with the settings that the build was given as secrets:
# `ca_bundle`, certificates of a proxy with its own authority; `index_settings`, lines NAME=value for pip and uv.
set -eu
if [ -s /run/secrets/ca_bundle ]; then
  export SSL_CERT_FILE=/run/secrets/ca_bundle PIP_CERT=/run/secrets/ca_bundle
fi
if [ -s /run/secrets/index_settings ]; then
  set -a
  . /run/secrets/index_settings
  set +a
fi
exec "$@"
