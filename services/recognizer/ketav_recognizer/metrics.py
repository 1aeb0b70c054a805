"""Prometheus metrics of the recognizer, besides those of calls and stages."""

from prometheus_client import Counter, Gauge, Histogram

READERS_CONFIGURED = Gauge("ketav_readers_configured", "Reader processes that the recognizer keeps running.")
READERS_ALIVE = Gauge("ketav_readers_alive", "Reader processes that run.")
READERS_BUSY = Gauge("ketav_readers_busy", "Reader processes that read an image.")
READER_STARTS_FAILED = Counter("ketav_reader_failed_starts_total", "Reader processes that did not start.")
READER_DEATHS = Counter("ketav_reader_deaths_total", "Reader processes that ended while they read an image.")
READERS_RENEWED = Counter(
    "ketav_readers_renewed_total",
    "Reader processes that were replaced because they occupied too much memory.",
)
BUDGET_OVERRUNS = Counter(
    "ketav_reading_budget_overruns_total", "Images whose reading ended early because its budget was spent."
)
READINGS_WAITING = Gauge("ketav_readings_waiting", "Images that wait for a reader.")
QUEUE_SLOTS_FREE = Gauge("ketav_reading_queue_slots_free", "Images that are accepted before one is refused.")
QUEUE_DELAY = Histogram(
    "ketav_reading_queue_delay_seconds",
    "Time for which an image waits for a reader.",
    buckets=(0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 180),
)
READINGS = Counter(
    "ketav_readings_total",
    "Images by outcome: read, or refused for the image, the model, its cached file, or a defect.",
    ["outcome"],
)
LINES_READ = Counter("ketav_lines_read_total", "Lines that were read.")
JOB_PAGES = Counter(
    "ketav_job_pages_total",
    "Attempts of this worker at pages of jobs, by outcome: read, failed, or retried.",
    ["outcome"],
)
JOB_PAGES_ACTIVE = Gauge("ketav_job_pages_active", "Pages of jobs that this worker reads now.")
JOB_PAGES_WAITING = Gauge(
    "ketav_job_pages_waiting",
    "Pages of jobs that can be read now, as this worker's latest sweep has counted.",
)
CACHE_LOOKUPS = Counter(
    "ketav_model_cache_lookups_total", "Lookups of a model file on disk, by result: hit or miss.", ["result"]
)
CACHE_BYTES = Gauge("ketav_model_cache_bytes", "Bytes of the model files on disk.")
CACHE_LIMIT_BYTES = Gauge("ketav_model_cache_limit_bytes", "Bytes of model files that are kept on disk.")
