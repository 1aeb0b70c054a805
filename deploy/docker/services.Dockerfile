# The images of the four services: the targets `gateway`, `registry`, `recognizer` and `trainer`.
# Recognizer and trainer start from the same target `engine`, so that both have the same layers of torch and Kraken.
# Versions and hashes are those of requirements.lock. Each image has the libraries of its own service only, and its
# layers change with these libraries only.

FROM python:3.11-slim-bookworm AS tools
COPY deploy/docker/with_build_secrets.sh deploy/docker/prune_libraries.py /usr/local/bin/
ENV UV_CACHE_DIR=/var/cache/uv UV_LINK_MODE=copy UV_NO_PROGRESS=1 UV_PYTHON=/opt/ketav/bin/python PATH=/opt/tools/bin:$PATH
RUN --mount=type=secret,id=ca_bundle --mount=type=secret,id=index_settings \
    python -m venv /opt/tools \
 && with_build_secrets.sh pip install --quiet --no-cache-dir --disable-pip-version-check uv==0.13.9 \
 && python -m venv --without-pip /opt/ketav
WORKDIR /src

# The code: a change of it leaves the layers of the libraries as they are.
FROM tools AS code
COPY pyproject.toml README.md LICENSE ./
COPY libs/ libs/
COPY services/ services/
COPY deploy/local/ deploy/local/
COPY client/ client/
RUN --mount=type=secret,id=ca_bundle --mount=type=secret,id=index_settings \
    --mount=type=cache,id=ketav-uv,target=/var/cache/uv \
    with_build_secrets.sh uv build --quiet --wheel --out-dir /wheels \
 && with_build_secrets.sh uv build --quiet --wheel --out-dir /wheels/client client

FROM tools AS requirements
COPY pyproject.toml requirements.lock ./
COPY tools/__init__.py tools/cpu_lock.py tools/service_lock.py tools/
RUN python -m tools.service_lock pyproject.toml requirements.lock /requirements gateway registry recognizer trainer

FROM tools AS gateway-libraries
COPY --from=requirements /requirements/gateway.txt ./
RUN --mount=type=secret,id=ca_bundle --mount=type=secret,id=index_settings \
    --mount=type=cache,id=ketav-uv,target=/var/cache/uv \
    with_build_secrets.sh uv pip install --no-deps --require-hashes --requirements gateway.txt \
 && python /usr/local/bin/prune_libraries.py

FROM tools AS registry-libraries
COPY --from=requirements /requirements/registry.txt ./
RUN --mount=type=secret,id=ca_bundle --mount=type=secret,id=index_settings \
    --mount=type=cache,id=ketav-uv,target=/var/cache/uv \
    with_build_secrets.sh uv pip install --no-deps --require-hashes --requirements registry.txt \
 && python /usr/local/bin/prune_libraries.py

FROM python:3.11-slim-bookworm AS runtime
RUN useradd --create-home --home-dir /srv/ketav --uid 10001 ketav \
 && install --directory --owner=ketav --group=ketav --mode=0700 /srv/ketav/data
COPY deploy/docker/check_grpc_health.py /usr/local/bin/
# Each container keeps bytecode in /tmp, so that only its first process compiles.
ENV PATH=/opt/ketav/bin:$PATH PYTHONUNBUFFERED=1 PYTHONPYCACHEPREFIX=/tmp/pycache OMP_NUM_THREADS=1 \
    KETAV_BIND=0.0.0.0:50051 KETAV_DATA_DIR=/srv/ketav/data
USER 10001:10001
WORKDIR /srv/ketav
STOPSIGNAL SIGTERM

# Importing the service shows that no library is missing.
FROM gateway-libraries AS gateway-environment
COPY --from=code /wheels /wheels
RUN uv pip install --offline --no-cache --no-deps /wheels/*.whl \
 && PYTHONDONTWRITEBYTECODE=1 /opt/ketav/bin/python -c "import ketav_gateway.main"

FROM runtime AS gateway
COPY --from=gateway-environment /opt/ketav /opt/ketav
ENV KETAV_HOST=0.0.0.0 KETAV_PORT=8000
EXPOSE 8000
HEALTHCHECK --interval=5s --timeout=4s --start-period=60s --retries=5 \
  CMD ["python", "-P", "-c", "import urllib.request as r; r.urlopen(\"http://127.0.0.1:8000/livez\", timeout=3)"]
CMD ["python", "-m", "ketav_gateway.main"]

# The migrations are found in the folder of the installed packages. The command `ketav` comes with the client; the image
# has those of its commands that the server adds, and not the client.
FROM registry-libraries AS registry-environment
COPY --from=code /wheels /wheels
COPY services/registry/ ./registry/
RUN uv pip install --offline --no-cache --no-deps /wheels/*.whl /wheels/client/*.whl \
 && rm -r /opt/ketav/lib/python3.*/site-packages/ketav_client \
 && cp --recursive registry/alembic.ini registry/migrations /opt/ketav/lib/python3.*/site-packages/ \
 && PYTHONDONTWRITEBYTECODE=1 /opt/ketav/bin/python -c "import ketav_registry.main, ketav_registry.cli, ketav_local.command" \
 && /opt/ketav/bin/ketav --version

FROM runtime AS registry
COPY --from=registry-environment /opt/ketav /opt/ketav
COPY models/hebrew_base.safetensors models/
EXPOSE 50051
HEALTHCHECK --interval=5s --timeout=4s --start-period=60s --retries=5 \
  CMD ["python", "-P", "/usr/local/bin/check_grpc_health.py", "127.0.0.1:50051"]
CMD ["python", "-m", "ketav_registry.main"]

# torch and Kraken. TORCH=cpu takes torch from its CPU index and, where that is not reachable, the ordinary build
# without the files that only a GPU uses; TORCH=pruned takes the latter at once; TORCH=cuda keeps everything.
FROM tools AS engine-libraries
ARG TORCH=cpu
COPY --from=requirements /requirements/recognizer.txt ./
COPY tools/cpu_lock.py deploy/docker/install_engine.sh /usr/local/bin/
RUN --mount=type=secret,id=ca_bundle --mount=type=secret,id=index_settings \
    --mount=type=cache,id=ketav-uv,target=/var/cache/uv \
    with_build_secrets.sh install_engine.sh "$TORCH"

FROM runtime AS engine
COPY --from=engine-libraries /opt/ketav /opt/ketav
COPY models/hebrew_lm.npz models/
# The image has the bytecode: it saves 5 s of processor time at each start, and 98 MB in /tmp.
# Numba keeps the decoder's machine code in /tmp: the first reader of a container compiles it, the others load it.
# Kraken imports Matplotlib, which keeps its list of fonts there.
ENV KETAV_LANGUAGE_MODEL=/srv/ketav/models/hebrew_lm.npz PYTHONPYCACHEPREFIX= \
    NUMBA_CACHE_DIR=/tmp/numba MPLCONFIGDIR=/tmp/matplotlib
EXPOSE 50051
HEALTHCHECK --interval=5s --timeout=4s --start-period=180s --retries=5 \
  CMD ["python", "-P", "/usr/local/bin/check_grpc_health.py", "127.0.0.1:50051"]

FROM engine-libraries AS recognizer-environment
COPY --from=code /wheels /wheels
RUN uv pip install --offline --no-cache --no-deps /wheels/*.whl \
 && /opt/ketav/bin/python -c "import ketav_recognizer.main, ketav_recognizer.worker, ketav_common.image_decoder, pypdfium2, ketav_engine.kraken_engine as k; k.KrakenEngine().warm_up()"

# The same image runs the gRPC server and the worker of jobs. Only the files that the engine does not have are added.
FROM engine AS recognizer
USER 0
RUN --mount=type=bind,from=recognizer-environment,source=/opt/ketav,target=/mnt \
    cp --archive --no-clobber /mnt/. /opt/ketav/
USER 10001:10001
CMD ["python", "-m", "ketav_recognizer.main"]

FROM engine-libraries AS trainer-environment
COPY --from=requirements /requirements/trainer.txt ./
RUN --mount=type=secret,id=ca_bundle --mount=type=secret,id=index_settings \
    --mount=type=cache,id=ketav-uv,target=/var/cache/uv \
    python /usr/local/bin/cpu_lock.py trainer.txt locked.txt torch.txt \
 && with_build_secrets.sh uv pip install --no-deps --require-hashes --requirements locked.txt
COPY --from=code /wheels /wheels
RUN uv pip install --offline --no-cache --no-deps /wheels/*.whl \
 && /opt/ketav/bin/python -c "import ketav_trainer.main, ketav_trainer.worker, ketav_trainer.fit_process, ketav_engine.training.fit"

# The same image runs the gRPC server and the Celery worker.
FROM engine AS trainer
USER 0
RUN --mount=type=bind,from=trainer-environment,source=/opt/ketav,target=/mnt \
    cp --archive --no-clobber /mnt/. /opt/ketav/
COPY models/replay_lines.npz models/general_lines.npz models/
ENV KETAV_REPLAY_LINES=/srv/ketav/models/replay_lines.npz \
    KETAV_GENERAL_LINES=/srv/ketav/models/general_lines.npz
USER 10001:10001
CMD ["python", "-m", "ketav_trainer.main"]
