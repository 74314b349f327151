# kmipd in a container: docs/docker.md says how it is run. The first stage has npm and installs; the second has Debian's
# smallest, the pinned runtime that `npm ci` brought, the packages that the server needs, its code, and a list of them all.
#
#     docker build --tag kmipd .
#     docker run --publish 5696:5696 --volume kmipd-data:/data --read-only --cap-drop all kmipd
#
# One container per volume: LMDB and the lock of the data directory do not reach across containers or network file systems.
FROM node:22-bookworm-slim AS install
WORKDIR /opt/kmipd
COPY package.json package-lock.json ./
# Packages run nothing of theirs here: what is native in them comes built, and the lock file checks it like the rest.
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund \
  && npm pkg delete devDependencies && npm sbom --sbom-format=cyclonedx --sbom-type=application >sbom.cdx.json
# Of the runtime the program and its licence stay, of the packages no types, source maps, tests and pages: nothing reads them.
RUN mv node_modules/node-linux-*/bin/node ./ && mv node_modules/node-linux-*/LICENSE node-LICENSE \
  && rm -rf node_modules/node-linux-* node_modules/.bin \
  && find node_modules -type d \( -name test -o -name tests -o -name benchmark -o -name benchmarks -o -name examples \) -prune \
    -exec rm -rf {} + \
  && find node_modules -type f \( -name '*.map' -o -name '*.d.ts' -o -name '*.d.cts' -o -name '*.d.mts' \) -delete \
  && find node_modules -type f -iname '*.md' ! -iname 'licen*' -delete

FROM debian:bookworm-slim
# The runtime is linked against libatomic, which Debian's slim image lacks. No program makes anybody root.
RUN apt-get update && apt-get install --yes --no-install-recommends libatomic1 \
  && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/cache/debconf/* /var/log/*.log /var/log/apt \
  && find / -xdev -type f -perm /6000 -exec chmod a-s {} +
RUN groupadd --system --gid 5696 kmipd \
  && useradd --uid 5696 --gid kmipd --home-dir /data --no-create-home --shell /usr/sbin/nologin kmipd \
  && install --directory --owner=kmipd --group=kmipd --mode=0700 /data \
  && ln -s /opt/kmipd/node /usr/local/bin/node \
  && ln -s /opt/kmipd/src/kmipctl.ts /usr/local/bin/kmipctl
WORKDIR /opt/kmipd
COPY --from=install /opt/kmipd/node /opt/kmipd/node-LICENSE /opt/kmipd/sbom.cdx.json ./
COPY --from=install /opt/kmipd/node_modules ./node_modules
COPY package.json LICENSE ./
COPY workers ./workers
COPY src ./src
# What is compiled once need not be compiled at each start: half a second. The runtime looks by user; nobody may change it.
ENV NODE_COMPILE_CACHE=/opt/kmipd/compiled
# A server that starts once has compiled what its threads are made of, too.
RUN install --directory --owner=kmipd compiled /tmp/first \
  && setpriv --reuid=5696 --regid=5696 --clear-groups sh -ec 'node src/kmipctl.ts --help >/dev/null; \
    export KMIPD_METRICS_PORT=9464; node src/main.ts serve --data /tmp/first --log-level warn & \
    until node src/health.ts; do sleep 1; done; kill $!; wait $!' \
  && rm -r /tmp/first \
  && chown -R root:root compiled && chmod -R go=rX compiled

USER kmipd
# The port for those who watch: within the container alone, until KMIPD_METRICS_HOST says otherwise.
ENV KMIPD_DATA=/data KMIPCTL_SOCKET=/data/admin.sock KMIPD_METRICS_PORT=9464
VOLUME /data
EXPOSE 5696 9464
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s --retries=3 CMD ["node", "src/health.ts"]
# The flags of src/runtime-flags.ts.
ENTRYPOINT ["node", "--disable-sigusr1", "--external-memory-accounted-in-global-limit", "src/main.ts"]
CMD ["serve"]
