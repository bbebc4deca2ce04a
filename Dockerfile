# One image for gateway, facade, agent, simulated farm, and the one that makes their secrets.
FROM python:3.12-slim AS build
WORKDIR /source
RUN python -m venv /opt/tidegate
COPY setup.cfg pyproject.toml README.md ./
COPY locks/runtime.txt locks/runtime.txt
COPY mosquitto mosquitto
COPY gateway gateway
COPY site_agent site_agent
COPY http_facade http_facade
RUN /opt/tidegate/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r locks/runtime.txt \
    && /opt/tidegate/bin/pip install --no-cache-dir --disable-pip-version-check --no-deps .

FROM python:3.12-slim
RUN useradd --system --uid 10001 --user-group --home-dir /data --shell /usr/sbin/nologin tidegate \
    && install -d -o tidegate -g tidegate -m 700 /data
COPY --from=build /opt/tidegate /opt/tidegate
ENV PATH=/opt/tidegate/bin:$PATH PYTHONUNBUFFERED=1
USER tidegate
ENTRYPOINT ["tidegate"]
CMD ["--help"]
