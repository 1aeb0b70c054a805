# The registry: gRPC on port 50051; also the image of `ketav migrate`.
# The versions are those of requirements.lock, their hashes checked; only this service's extra is installed.
FROM python:3.11-slim-bookworm AS build
RUN pip install --no-cache-dir --disable-pip-version-check uv==0.13.9
WORKDIR /src
COPY pyproject.toml requirements.lock README.md LICENSE ./
COPY libs/ libs/
COPY services/ services/
COPY deploy/local/ deploy/local/
RUN python -m venv /opt/ketav \
 && uv pip install --no-cache --python /opt/ketav/bin/python --constraint requirements.lock ".[registry]"

FROM python:3.11-slim-bookworm
RUN useradd --create-home --home-dir /srv/ketav --uid 10001 ketav \
 && install --directory --owner=ketav --group=ketav --mode=0700 /srv/ketav/data
COPY --from=build /opt/ketav /opt/ketav
COPY deploy/docker/grpc_health.py /usr/local/bin/grpc_health.py
# The migrations are found in the directory of the package.
COPY services/registry/ /srv/ketav/registry/
COPY models/ /srv/ketav/models/
ENV PATH=/opt/ketav/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 OMP_NUM_THREADS=1 \
    KETAV_BIND=0.0.0.0:50051 KETAV_DATA_DIR=/srv/ketav/data PYTHONPATH=/srv/ketav/registry
USER 10001:10001
WORKDIR /srv/ketav
EXPOSE 50051
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=5s --timeout=4s --start-period=60s --retries=5 \
  CMD ["python", "/usr/local/bin/grpc_health.py", "127.0.0.1:50051"]
CMD ["python", "-m", "ketav_registry.main"]
