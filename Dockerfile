# One image for every service; docker-compose.yml says which one a container runs.
# The base must be Debian or a relative of it: the sandbox comes by apt.
ARG BASE=node:22-bookworm-slim

FROM ${BASE} AS build
WORKDIR /baton
COPY package.json package-lock.json ./
RUN npm ci
COPY nest-cli.json tsconfig.json tsconfig.build.json ./
COPY apps apps
COPY libs libs
COPY scripts scripts
RUN npm run build && npm prune --omit=dev

FROM ${BASE}
# bubblewrap is the sandbox of the workspace-manager, which needs user namespaces besides: see docs/compose.md.
RUN apt-get update && apt-get install -y --no-install-recommends bubblewrap && rm -rf /var/lib/apt/lists/*
WORKDIR /baton
ENV NODE_ENV=production
COPY --from=build /baton/package.json ./
COPY --from=build /baton/node_modules node_modules
COPY --from=build /baton/dist dist
COPY prices.json ./
# By number: a base image of one's own need not know the user `node`.
RUN install -d -o 1000 -g 1000 /data
USER 1000:1000
CMD ["node", "dist/apps/gateway/src/main.js"]
