"""A server that speaks S3, on loopback, with one empty bucket."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.request import Request, urlopen

import boto3
import s3fs
from moto.server import ThreadedMotoServer

BUCKET = "features"


@contextmanager
def object_store() -> Iterator[str]:
    """Yield `s3://features`; within, this process and those that it starts find the server by their environment."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    address = f"http://{host}:{port}"
    # All such servers of a process share what they keep, also with those that have ended.
    urlopen(Request(f"{address}/moto-api/reset", method="POST")).close()
    own = {
        "AWS_ENDPOINT_URL": address,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    before = {name: os.environ.get(name) for name in own}
    os.environ.update(own)
    s3fs.S3FileSystem.clear_instance_cache()  # those of an earlier server would go on asking it
    try:
        boto3.client("s3").create_bucket(Bucket=BUCKET)
        yield f"s3://{BUCKET}"
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
        server.stop()


def objects(bucket: str = BUCKET) -> dict[str, object]:
    """The keys in the bucket, and when each was written last."""
    found = boto3.client("s3").list_objects_v2(Bucket=bucket).get("Contents", [])
    return {one["Key"]: one["LastModified"] for one in found}
