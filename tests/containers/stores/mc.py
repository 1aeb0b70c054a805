#!/opt/ketav/bin/python
"""Exit with status 0 when the S3 server of this container stores and returns an object."""

import io
import os

from minio import Minio


def main() -> None:
    """Put an object and get it back."""
    client = Minio(
        "127.0.0.1:9000",
        access_key=os.environ["MINIO_ROOT_USER"],
        secret_key=os.environ["MINIO_ROOT_PASSWORD"],
        secure=False,
    )
    if not client.bucket_exists(bucket_name="probe"):
        client.make_bucket(bucket_name="probe")
    client.put_object(bucket_name="probe", object_name="probe", data=io.BytesIO(b"probe"), length=5)
    response = client.get_object(bucket_name="probe", object_name="probe")
    if response.read() != b"probe":
        raise SystemExit(1)


if __name__ == "__main__":
    main()
