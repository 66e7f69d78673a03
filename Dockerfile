# guildwire in a container: the program, the libraries it needs, and nothing else. deploy/README.md says how to run it.
#
# The bases are named by version. For a build that is the same for ever, name them by digest:
#   docker build --build-arg RUST_IMAGE=rust@sha256:… --build-arg RUNTIME_IMAGE=gcr.io/distroless/cc-debian13@sha256:… .
ARG RUST_IMAGE=rust:1.95.0-slim-trixie
# Debian's C library, without shell and package manager, some 30 MB. A static program on an empty base would be smaller,
# but musl's allocator is slow where threads share it, and tls:// addresses of nats-server take the system's
# certificate authorities (Discord's and PostgreSQL's are compiled in). Of the same Debian as the one that builds.
ARG RUNTIME_IMAGE=gcr.io/distroless/cc-debian13:nonroot

FROM ${RUST_IMAGE} AS build
WORKDIR /build

# The dependencies, in a layer that stays as long as no manifest changes. Cargo wants to see what the manifests name:
# the benches as they are, of the packages something in their place.
COPY Cargo.toml Cargo.lock ./
COPY discord-sim/Cargo.toml discord-sim/
COPY harness/Cargo.toml harness/
COPY benches benches
COPY examples examples
RUN for package in . discord-sim harness; do \
        mkdir "$package/src" \
        && printf '//! In its place.\n' > "$package/src/lib.rs" \
        && printf '//! In its place.\nfn main() {}\n' > "$package/src/main.rs" \
        || exit 1; \
    done
RUN cargo build --release --locked --bin guildwire

COPY config config
COPY migrations migrations
COPY src src
# Newer than what was built in their place, whatever time the files bring.
RUN touch src/lib.rs src/main.rs \
    && cargo build --release --locked --bin guildwire
# Volumes that are new take these folders' owner.
RUN install -d -m 0700 /image/data /image/secrets

FROM ${RUNTIME_IMAGE}
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="guildwire" \
      org.opencontainers.image.description="Tells Discord channels what happens on game servers, from NATS JetStream" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"

COPY LICENSE /usr/share/doc/guildwire/LICENSE
COPY --from=build /build/target/release/guildwire /usr/local/bin/guildwire
COPY --from=build --chown=65532:65532 /image/data /data
COPY --from=build --chown=65532:65532 /image/secrets /secrets

# All that is written: the database with its temporary files, and the key, which belongs on a volume of its own. The
# rest may be read-only. (No secret stands here, but where one will be.)
# hadolint ignore=DL3064
ENV GUILDWIRE__DATABASE__URL=sqlite:///data/guildwire.db \
    GUILDWIRE__SECRETS__KEY_FILE=/secrets/guildwire.key \
    SQLITE_TMPDIR=/data

USER 65532:65532
STOPSIGNAL SIGTERM
# Whether the process lives; whether Discord can be reached is no reason to end it. Without a shell, as the rest.
HEALTHCHECK --interval=30s --timeout=6s --start-period=60s --retries=3 \
    CMD ["/usr/local/bin/guildwire", "health"]
ENTRYPOINT ["/usr/local/bin/guildwire"]
CMD ["run"]
