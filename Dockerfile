# One image for every service; `command` chooses which. Built and run as a plain user with a read-only root in mind.
FROM node:20-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY apps/swarm-node/package.json apps/swarm-node/
COPY apps/channel-service/package.json apps/channel-service/
COPY apps/chain-watcher/package.json apps/chain-watcher/
COPY apps/market-api/package.json apps/market-api/
COPY apps/dashboard/package.json apps/dashboard/
COPY apps/leecher/package.json apps/leecher/
COPY libs libs
COPY tools tools
RUN npm ci
COPY . .
RUN node tools/build.mjs && npm prune --omit=dev

FROM node:20-bookworm-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build --chown=root:root /app /app
USER node
# Services listen on HTTP_PORT and answer /health there.
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
  CMD node -e "fetch('http://127.0.0.1:'+(process.env.HTTP_PORT||8080)+'/health').then(r=>process.exit(r.ok?0:1),()=>process.exit(1))"
CMD ["node", "apps/market-api/dist/main.js"]
