#!/bin/sh
# Starts an S3 server on port 9000 with the key of MINIO_ROOT_USER and MINIO_ROOT_PASSWORD.
set -eu
cat > /tmp/s3.json <<KEYS
{"identities": [{"name": "ketav",
  "credentials": [{"accessKey": "$MINIO_ROOT_USER", "secretKey": "$MINIO_ROOT_PASSWORD"}],
  "actions": ["Admin", "Read", "Write", "List", "Tagging"]}]}
KEYS
exec weed mini -dir=/data -ip=127.0.0.1 -ip.bind=0.0.0.0 -s3.port=9000 -s3.config=/tmp/s3.json -webdav=false \
  -admin.ui=false -master.telemetry=false -s3.port.iceberg=0 -s3.port.lance=0
