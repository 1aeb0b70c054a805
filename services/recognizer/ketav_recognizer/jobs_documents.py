"""The documents of jobs that a worker reads, kept on disk while their pages are claimed one by one."""

import asyncio
from collections import OrderedDict
from pathlib import Path

from ketav.registry.v1 import jobs_pb2
from ketav_recognizer.jobs_registry import JobClient


class Documents:
    """At most `limit` files of documents in a folder; the one that was used longest ago is deleted first."""

    def __init__(self, folder: Path, client: JobClient, limit: int) -> None:
        """Take the folder, the client that downloads, and the number of files."""
        self._folder = folder
        self._client = client
        self._limit = limit
        self._files: OrderedDict[str, Path] = OrderedDict()
        self._one_at_a_time = asyncio.Lock()

    async def path(self, claimed: jobs_pb2.ClaimedJobPage) -> Path:
        """Return the file of a job's document; raises the registry's errors."""
        async with self._one_at_a_time:
            if claimed.job_id not in self._files:
                while len(self._files) >= self._limit:
                    self._files.popitem(last=False)[1].unlink(missing_ok=True)
                file = self._folder / claimed.job_id
                partial = file.with_suffix(".partial")
                await self._client.download_document(claimed, partial)
                partial.replace(file)
                self._files[claimed.job_id] = file
            self._files.move_to_end(claimed.job_id)
            return self._files[claimed.job_id]

    def drop(self, job_id: str) -> None:
        """Delete the file of a job that has ended."""
        if (file := self._files.pop(job_id, None)) is not None:
            file.unlink(missing_ok=True)
