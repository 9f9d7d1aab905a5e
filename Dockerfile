# Node 24 is the LTS line the service is built for; .21 is the release that `node` in package.json pins, so development,
# CI and production run the same Node. Debian 13 (trixie) is the stable release, and glibc is what the prebuilt
# @node-rs/argon2 is made for first. Raise this line and package.json together.
FROM node:24.21-trixie-slim AS base
WORKDIR /app

# No install script runs in either stage: nothing in production needs one, @scarf/scarf's would report to a third party,
# and `node`'s would fetch a second Node.
FROM base AS build
COPY package.json package-lock.json .npmrc ./
RUN --mount=type=cache,target=/root/.npm npm ci --ignore-scripts
COPY .swcrc ./
COPY scripts/build.ts scripts/bundle.ts scripts/
COPY apps apps
COPY libs libs
COPY packages packages
RUN npm run build

FROM base AS dependencies
COPY package.json package-lock.json .npmrc ./
# What no line of ours loads: type declarations, other people's source maps, TypeScript (an optional peer of
# @nestjs/swagger's compiler plugin) and the swagger-ui bundles that /docs does not serve. 143 MB become 73 MB.
RUN --mount=type=cache,target=/root/.npm \
    npm ci --omit=dev --ignore-scripts \
    && rm -rf node_modules/typescript node_modules/.bin/tsc node_modules/.bin/tsserver node_modules/@scarf \
    && find node_modules -type f \( -name '*.map' -o -name '*.d.ts' -o -name '*.d.mts' -o -name '*.d.cts' \) -delete \
    && find node_modules/swagger-ui-dist -type f -name '*.js' ! -name swagger-ui-bundle.js -delete

# Two arenas: with one for each thread glibc keeps hundreds of megabytes that reading large pictures has freed (ADR 10).
FROM base
ENV NODE_ENV=production \
    HOST=0.0.0.0 \
    PORT=3000 \
    DATA_DIR=/data \
    DRAIN_DELAY_SECONDS=5 \
    MALLOC_ARENA_MAX=2
# The only folder that is written to; the rest of the file system may be read-only. 1000 is `node` of the base image,
# as a number because Kubernetes' runAsNonRoot cannot check a name.
RUN install -d -m 0700 -o 1000 -g 1000 /data
COPY --from=dependencies /app/node_modules node_modules
# the brackets make openapi.json optional: a pattern may match nothing
COPY LICENSE NOTICE package.json openapi.jso[n] .env.example ./
COPY --from=build /app/dist dist
USER 1000:1000
VOLUME /data
EXPOSE 3000
STOPSIGNAL SIGTERM
# Ready, not live: who reads this (Compose's depends_on, Swarm's router) asks whether to send requests here.
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 \
    CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/health/ready`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
# `node` is process 1 and gets the signals itself: no npm, no shell. Other commands replace the last word:
# docker run … gatehouse dist/apps/cli/src/main.js --help
ENTRYPOINT ["node", "--max-semi-space-size=16"]
CMD ["dist/apps/api/src/main.js"]
# With DATABASE_URL, production needs MASTER_KEY as well; each secret X also comes as X_FILE.
ARG VERSION=dev
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Gatehouse" \
    org.opencontainers.image.description="Self-hosted users and auth for teams that run several microservices" \
    org.opencontainers.image.licenses="Apache-2.0 AND CC-BY-SA-3.0" \
    org.opencontainers.image.version="${VERSION}" \
    org.opencontainers.image.revision="${REVISION}" \
    org.opencontainers.image.base.name="docker.io/library/node:24.21-trixie-slim"
