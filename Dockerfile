# One image for every process of NDX: gateway, adapters, the steps that run once. Nothing is built: Node strips the types.
# What is copied is listed in .dockerignore. The code belongs to root, the processes are `node`'s: none can change what it runs.
FROM node:24-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund

FROM node:24-slim
# Memory by what is alive, not by what the machine has: without these a busy gateway takes 330 MB, with them 180 at no cost in
# CPU (bench/README.md). The bench runs its processes with the same.
ENV NODE_ENV=production MALLOC_ARENA_MAX=2
ENV NODE_OPTIONS="--max-semi-space-size=16 --max-old-space-size=256"
WORKDIR /app
COPY --from=dependencies /app/node_modules node_modules
COPY . .
USER node
CMD ["node", "gateway/main.ts"]
