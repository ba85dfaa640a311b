# docker build -t sonde .
# docker run --rm -p 9115:9115 --read-only --cap-drop ALL -v "$PWD/my.toml:/etc/sonde/sonde.toml:ro" sonde

FROM debian:bookworm AS build
# The list of packages changes rarely and the sources often: each has a layer of its own.
COPY scripts/dependencies /src/scripts/
RUN /src/scripts/dependencies build
WORKDIR /src
COPY . .
RUN cmake --preset release \
    && cmake --build --preset release --target sonde \
    && DESTDIR=/out cmake --install build/release --prefix /usr --strip \
    # Nobody reads these in a container.
    && rm -r /out/usr/lib/systemd /out/usr/lib/sysusers.d /out/usr/share/man

FROM debian:bookworm-slim
COPY scripts/dependencies /usr/local/bin/sonde-dependencies
RUN sonde-dependencies run && rm -rf /usr/local/bin/sonde-dependencies /var/lib/apt/lists/* /var/cache/* /var/log/*
COPY --from=build /out/ /
LABEL org.opencontainers.image.title="Sonde" \
      org.opencontainers.image.description="Website and endpoint monitor for Prometheus" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.base.name="docker.io/library/debian:bookworm-slim"
# A number, because runAsNonRoot cannot tell whether a name is root. It needs no entry in /etc/passwd.
USER 65532:65532
EXPOSE 9115
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s \
    CMD ["/usr/bin/sonde", "probe", "http://127.0.0.1:9115/-/healthy"]
ENTRYPOINT ["/usr/bin/sonde"]
CMD ["--config.file=/etc/sonde/sonde.toml"]
