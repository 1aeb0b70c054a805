"""Settings of the recognizer, from the environment."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field

from ketav_common.extensions import KRAKEN, check_engine
from ketav_common.limits import MAX_PAGE_LINES, MIB
from ketav_common.setting_types import Device, GrpcAddress, NpzFile, RedisUrl, WritableDirectory
from ketav_common.settings import BoundSettings, ServiceSettings


class RecognizerSettings(BoundSettings):
    """The recognizer's settings."""

    data_dir: WritableDirectory = Field(default=Path(".ketav"), description="Directory of the cached models.")
    registry_address: GrpcAddress = Field(description="Address of the registry: host:port or unix:path.")
    redis_url: RedisUrl | None = Field(
        default=None,
        description="Broker of Celery, which wakes the workers for a new job; unset: their sweeps start it.",
    )
    engine: Annotated[str, AfterValidator(check_engine)] = Field(
        default=KRAKEN,
        description="`kraken`, or `tiny`: a deterministic engine that only development environments install.",
    )
    language_model: NpzFile | None = Field(
        default=None,
        description="File of the character language model for beam search; without it, best-path decoding.",
    )
    device: Device = Field(
        default="cpu", description="Where networks run: `cpu`, or `cuda` for an NVIDIA GPU (untested)."
    )
    recognizer_workers: int = Field(
        default=1, ge=1, le=64, description="Reader processes; about 1 GB of memory each with Kraken."
    )
    recognizer_queue: int = Field(
        default=16,
        ge=0,
        le=1024,
        description="Images that may wait while all readers are busy; more are refused. One user may have "
        "three quarters of them.",
    )
    recognizer_page_seconds: float = Field(
        default=60, gt=0, description="Seconds a reader may take for one page before it is killed."
    )
    recognizer_line_seconds: float = Field(
        default=10, gt=0, description="Seconds a reader may take for an image of one line."
    )
    recognizer_silence_seconds: float = Field(
        default=5, gt=1, description="Seconds without a heartbeat after which a reader is killed."
    )
    page_lines: int = Field(
        default=100,
        ge=1,
        le=MAX_PAGE_LINES,
        description="Lines that are read on a page of any size; KETAV_PAGE_LINES_PER_MEGAPIXEL adds to them. "
        "Further lines are left out, with a warning.",
    )
    page_lines_per_megapixel: int = Field(
        default=25, ge=0, le=MAX_PAGE_LINES, description="Lines that each megapixel of a page adds."
    )
    page_cpu_seconds: float = Field(
        default=6,
        gt=0,
        description="Seconds of processor time for a page of any size, after which its remaining lines are "
        "not read; KETAV_PAGE_CPU_SECONDS_PER_MEGAPIXEL adds to them, up to 25.",
    )
    page_cpu_seconds_per_megapixel: float = Field(
        default=0.5, ge=0, description="Seconds of processor time that each megapixel of a page adds."
    )
    recognizer_resident_bytes: int = Field(
        default=2 * 1024**3,
        ge=0,
        description="Memory of a reader process above which a new one replaces it, which is started first; "
        "well above the 1.1 GB with which it starts with Kraken; 0 for no limit.",
    )
    recognizer_memory_bytes: int = Field(
        default=12 * 1024**3,
        ge=0,
        description="Address space of a reader process, which reserves more than it uses; 0 for no "
        "limit. With `cuda` there is none.",
    )
    recognizer_models: int = Field(default=4, ge=1, description="Models that a reader keeps loaded.")
    model_check_seconds: float = Field(
        default=60,
        gt=0,
        description="Seconds between two checks for cached models that were retired or deleted.",
    )
    model_cache_bytes: int = Field(
        default=2 * 1024**3, ge=0, description="Bytes of model files kept on disk under KETAV_DATA_DIR."
    )


class JobWorkerSettings(ServiceSettings):
    """Settings of a recognizer-worker, which reads the pages of jobs."""

    data_dir: WritableDirectory = Field(
        default=Path(".ketav"), description="Directory of the documents that are being read."
    )
    registry_address: GrpcAddress = Field(description="Address of the registry: host:port or unix:path.")
    recognizer_address: GrpcAddress = Field(description="Address of the recognizer: host:port or unix:path.")
    redis_url: RedisUrl = Field(description="Broker of Celery: redis://host:port/number.")
    job_pages_at_once: int = Field(
        default=1, ge=1, le=64, description="Pages that a worker has read at once: one for each free reader."
    )
    job_sweep_seconds: float = Field(
        default=15,
        gt=0,
        le=60,
        description="Seconds between two sweeps for waiting and abandoned pages.",
    )
    heartbeat_seconds: float = Field(default=10, gt=0, description="Seconds between two renewals of a lease.")
    recognize_timeout_s: float = Field(
        default=180.0, gt=0, description="Deadline in seconds of reading one page."
    )
    image_timeout_s: float = Field(
        default=20.0, gt=0, description="Maximum number of seconds to decode a page of a document."
    )
    image_memory_bytes: int = Field(
        default=1536 * MIB, gt=0, description="Maximum address space of a decoding process."
    )
