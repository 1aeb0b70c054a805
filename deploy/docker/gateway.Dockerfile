# The gateway: REST on port 8000.
# The versions are those of requirements.lock, their hashes checked; only this service's extra is installed.
FROM python:3.11-slim-bookworm AS build
RUN pip install --no-cache-dir --disable-pip-version-check uv==0.13.9
WORKDIR /src
COPY pyproject.toml requirements.lock README.md LICENSE ./
COPY libs/ libs/
COPY services/ services/
COPY deploy/local/ deploy/local/
RUN python -m venv /opt/ketav \
 && uv pip install --no-cache --python /opt/ketav/bin/python --constraint requirements.lock ".[gateway]"

FROM python:3.11-slim-bookworm
RUN useradd --create-home --home-dir /srv/ketav --uid 10001 ketav \
 && install --directory --owner=ketav --group=ketav --mode=0700 /srv/ketav/data
COPY --from=build /opt/ketav /opt/ketav
COPY deploy/docker/grpc_health.py /usr/local/bin/grpc_health.py
ENV PATH=/opt/ketav/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 OMP_NUM_THREADS=1 \
    KETAV_HOST=0.0.0.0 KETAV_PORT=8000 KETAV_DATA_DIR=/srv/ketav/data
USER 10001:10001
WORKDIR /srv/ketav
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=5s --timeout=4s --start-period=60s --retries=5 \
  CMD ["python", "-c", "import urllib.request as r; r.urlopen(\"http://127.0.0.1:8000/livez\", timeout=3)"]
CMD ["python", "-m", "ketav_gateway.main"]
