"""What can be set of the gateway, from the environment."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from ketav_common.limits import MAX_IMAGE_BYTES, MIB
from ketav_common.settings import ServiceSettings


class GatewaySettings(ServiceSettings):
    """Everything the gateway takes from the environment, prefix KETAV_."""

    model_config = SettingsConfigDict(env_prefix="KETAV_", frozen=True, extra="ignore")

    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8000, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    registry_address: str = Field("127.0.0.1:50051", description="gRPC target of the registry.")
    recognizer_address: str = Field("127.0.0.1:50052", description="gRPC target of the recognizer.")
    trainer_address: str = Field("127.0.0.1:50053", description="gRPC target of the trainer.")
    forwarded_allow_ips: str = Field(
        "", description="Proxies whose X-Forwarded-For is believed; empty: none."
    )
    spool_dir: Path | None = Field(None, description="Folder for uploads under way; the system's when unset.")

    call_timeout_s: float = Field(10.0, gt=0, description="Deadline of a short call to a service.")
    store_timeout_s: float = Field(60.0, gt=0, description="Deadline of storing or fetching an image.")
    recognize_timeout_s: float = Field(180.0, gt=0, description="Deadline of reading one image.")
    watch_timeout_s: float = Field(3600.0, gt=0, description="Longest stream of a training run's events.")
    health_timeout_s: float = Field(2.0, gt=0, description="Deadline of a health check of a service.")

    max_upload_bytes: int = Field(MAX_IMAGE_BYTES, gt=0, description="Largest file of an upload.")
    max_json_bytes: int = Field(2 * MIB, gt=0, description="Largest JSON body.")
    max_uploads: int = Field(16, gt=0, description="Uploads taken in at once; more are answered 503.")
    max_uploads_each: int = Field(6, gt=0, description="Uploads of one user taken in at once; more are 429.")
    max_import_bytes: int = Field(256 * MIB, gt=0, description="Largest archive of ground truth.")
    max_import_entries: int = Field(5000, gt=0, description="Most files in an archive of ground truth.")
    max_import_inflated_bytes: int = Field(
        1024 * MIB, gt=0, description="Most bytes that an archive of ground truth holds once inflated."
    )
    import_timeout_s: float = Field(
        300.0, gt=0, description="Longest import; what is left of the archive is reported."
    )
    max_imports: int = Field(2, gt=0, description="Imports at once; more are answered 503.")
    max_imports_each: int = Field(1, gt=0, description="Imports of one user at once; more are 429.")
    max_requests: int = Field(256, gt=0, description="Requests served at once; more are answered 503.")
    header_timeout_s: float = Field(10.0, gt=0, description="Longest wait for a request's headers.")
    chunk_timeout_s: float = Field(15.0, gt=0, description="Longest pause within a request's body.")
    body_timeout_s: float = Field(180.0, gt=0, description="Longest time for a whole request body.")
    image_workers: int = Field(2, gt=0, description="Processes that decode uploads.")
    image_timeout_s: float = Field(20.0, gt=0, description="Longest decoding of an upload.")
    image_memory_bytes: int = Field(1536 * MIB, gt=0, description="Address space of a decoding process.")

    key_cache_s: float = Field(30.0, ge=0, le=30, description="How long a resolved API key is believed.")
    key_cache_size: int = Field(4096, gt=0, description="Resolved API keys kept at most.")
    rate_limit: str = Field("600/minute", description="Requests of one user, in this process.")
    ocr_rate_limit: str = Field(
        "60/minute", description="Readings and trainings of one user, in this process."
    )
    failed_key_rate_limit: str = Field("60/minute", description="Unknown API keys from one address.")
    max_background_readings: int = Field(32, gt=0, description="Readings that run after a 202 at once.")
