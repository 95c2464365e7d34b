# One image for every process of NDX: gateway, adapters, the steps that run once. Nothing is built: Node strips the types.
# What is copied is listed in .dockerignore. The code belongs to root, the processes are `node`'s: none can change what it runs.
FROM node:24-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund

FROM node:24-slim
# Memory by what is alive, not by what the machine has: without a bound for the young a busy gateway takes 330 MB, with it 180. A
# small bound for the old makes V8 mark all the time; so do four helping threads on two cores, where 0 means as many as there are
# cores to spare (bench/README.md). The bench runs its processes with the same.
ENV NODE_ENV=production MALLOC_ARENA_MAX=2
ENV NODE_OPTIONS="--max-semi-space-size=16 --max-old-space-size=512 --v8-pool-size=0"
WORKDIR /app
COPY --from=dependencies /app/node_modules node_modules
COPY . .
USER node
CMD ["node", "gateway/main.ts"]
