ARG PYTHON=python:3.11.14-slim-bookworm

FROM ${PYTHON} AS build
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY engine engine
COPY server server
COPY client client
# The environment that is copied below holds no pip, no tests of other projects and nothing that only type checkers and C compilers read,
# but all bytecode: nothing can be written later.
RUN python -m venv --without-pip /opt/gradwire \
 && python -m pip --python /opt/gradwire/bin/python install --no-cache-dir --no-compile --disable-pip-version-check '.[server]' \
 && find /opt/gradwire -type d -name tests -prune -exec rm -rf {} + \
 && find /opt/gradwire -type f \( -name 'test_*.py' -o -name '*.py[ix]' -o -name '*.pxd' -o -name '*.[ach]' \) -delete \
 && python -m compileall -q -f --invalidation-mode unchecked-hash /opt/gradwire/lib

FROM ${PYTHON}
LABEL org.opencontainers.image.title="gradwire" \
      org.opencontainers.image.description="Automatic differentiation as a service" \
      org.opencontainers.image.licenses="Apache-2.0"
# A number, so that an orchestrator can see that it is not root.
RUN groupadd --gid 10001 gradwire \
 && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /data --shell /usr/sbin/nologin gradwire \
 && install --directory --owner=10001 --group=10001 /data
COPY --from=build /opt/gradwire /opt/gradwire
ENV PATH=/opt/gradwire/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    GRADWIRE_DATA_DIR=/data \
    GRADWIRE_HOST=0.0.0.0 \
    GRADWIRE_PORT=8000
USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen('http://127.0.0.1:' + os.environ['GRADWIRE_PORT'] + '/healthz', timeout=2)"]
# The exec form: gradwire is process 1, receives SIGTERM itself and finishes the requests in flight.
ENTRYPOINT ["gradwire"]
CMD ["serve"]
