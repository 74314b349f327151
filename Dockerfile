# kmipd in a container. The first stage has npm and installs; the second has the pinned runtime that `npm ci` brought, the
# code, and nothing else that is not Debian's.
#
#     docker build --tag kmipd .
#     docker run --publish 5696:5696 --volume kmipd-data:/data kmipd
#
# One container per volume: LMDB and the lock of the data directory do not reach across containers or network file systems.
FROM node:22-bookworm-slim AS install
WORKDIR /opt/kmipd
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --no-audit --no-fund

FROM debian:bookworm-slim
WORKDIR /opt/kmipd
# The runtime is linked against libatomic, which Debian's slim image lacks.
RUN apt-get update && apt-get install --yes --no-install-recommends libatomic1 && rm -rf /var/lib/apt/lists/*
RUN groupadd --system --gid 5696 kmipd \
  && useradd --system --uid 5696 --gid kmipd --no-create-home --shell /usr/sbin/nologin kmipd \
  && install --directory --owner=kmipd --group=kmipd --mode=0700 /data
COPY --from=install /opt/kmipd/node_modules ./node_modules
COPY package.json LICENSE README.md ./
COPY src ./src
COPY workers ./workers

USER kmipd
ENV KMIPD_DATA=/data
VOLUME /data
EXPOSE 5696
STOPSIGNAL SIGTERM
ENTRYPOINT ["node_modules/.bin/node", "src/main.ts", "serve"]
