# Madang in a container: two stages, packages by hash, nobody special, one volume.
#
#   docker build -t madang .
#   docker run -p 127.0.0.1:4000:4000 -v madang:/var/lib/madang madang
#
# deploy/README.md says more.

FROM python:3.13-slim-bookworm AS build

ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_NO_INPUT=1
RUN python -m venv /opt/madang
WORKDIR /build

# Apart from the source, so that a change to it downloads nothing again.
COPY requirements/postgres.lock requirements/
RUN /opt/madang/bin/pip install --require-hashes --only-binary :all: -r requirements/postgres.lock

COPY pyproject.toml README.md LICENSE ./
COPY src src
RUN /opt/madang/bin/pip install --no-index --no-deps --no-build-isolation . \
    && /opt/madang/bin/pip uninstall --yes flit-core pip

FROM python:3.13-slim-bookworm

RUN useradd --system --uid 10001 --home-dir /var/lib/madang --create-home madang
COPY --from=build /opt/madang /opt/madang
ENV PATH=/opt/madang/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1

# The database, this server's own secrets and, if there is one, madang.yaml are here.
USER madang
WORKDIR /var/lib/madang
VOLUME /var/lib/madang
EXPOSE 4000

# No proxy from the environment stands between a server and itself.
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
    CMD ["python", "-c", "from urllib import request as r; r.build_opener(r.ProxyHandler({})).open('http://127.0.0.1:4000/livez', timeout=2)"]

# A graceful stop: SIGTERM, and the time that server.shutdown_seconds gives calls under way.
STOPSIGNAL SIGTERM
ENTRYPOINT ["madang"]
CMD ["serve", "--host", "0.0.0.0"]
