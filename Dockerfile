FROM node:24-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY tsconfig.json tsconfig.build.json ./
COPY scripts scripts
COPY src src
RUN npm run build

FROM node:24-slim
ENV NODE_ENV=production
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# The optional package is SQLite for Node 20; Node 24 has its own.
RUN npm ci --omit=dev --omit=optional && npm cache clean --force
COPY config.yml schema.sql ./
COPY rules rules
COPY --from=build /app/dist dist

# The embedded store. A volume keeps it when the container is replaced: without it ids would start again.
ENV SEQSVR_SQLITE_FILE=/data/seqsvr.sqlite
RUN mkdir /data && chown node:node /data
VOLUME /data

USER node
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=3s --start-period=10s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:8000/livez').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]

# No shell in between: SIGTERM must reach seqsvr, which drains and exits 0.
ENTRYPOINT ["node", "dist/main.js"]
