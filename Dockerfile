# Capstan in a container: built in one stage, run in another that holds the binary, the libraries it is linked with and
# the authorities that vouch for venues. It runs with a read-only root and without capabilities; only /app/data is written.

FROM debian:bookworm-slim AS build
# What the build needs stands in one list, and in a layer of its own that sources don't touch.
COPY scripts/bootstrap /src/scripts/bootstrap
RUN /src/scripts/bootstrap --build && rm -rf /var/lib/apt/lists/*
COPY . /src
ARG CFLAGS="-g -O3"
RUN CAPSTAN_MAKE=capstan /src/scripts/build /build CFLAGS="$CFLAGS" \
    && strip --strip-debug -o /capstan /build/capstan

FROM debian:bookworm-slim
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
        ca-certificates libcjson1 libcurl4 libhttp-parser2.9 libsqlite3-0 libssl3 libwslay1 libxxhash0 libyaml-0-2 \
        libzstd1 zlib1g \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 1000 capstan \
    && useradd --uid 1000 --gid 1000 --home-dir /app --no-create-home --shell /usr/sbin/nologin capstan \
    && install -d -o capstan -g capstan /app /app/config /app/data
COPY --from=build /capstan /app/capstan
COPY --chown=capstan:capstan deploy/config/ /app/config/
USER 1000:1000
WORKDIR /app/data
# A published port leads to the container's own address, not to its loopback.
ENV CAPSTAN_OPS__ADDRESS=0.0.0.0
EXPOSE 8787
HEALTHCHECK --interval=30s --timeout=3s --start-period=5s --retries=3 CMD ["/app/capstan", "health"]
ENTRYPOINT ["/app/capstan"]
CMD ["live", "--config", "/app/config/arbitrage.yaml", "--tape", "/app/data/session.tape"]
