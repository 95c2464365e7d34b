# One image for every process of NDX: gateway, adapters, the steps that run once. Nothing is built: Node strips the types.
# What is copied is listed in .dockerignore. The code belongs to root, the processes are `node`'s: none can change what it runs.
FROM node:24-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund

FROM node:24-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=dependencies /app/node_modules node_modules
COPY . .
USER node
CMD ["node", "gateway/main.ts"]
