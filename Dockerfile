# Postern in a container: built in one stage, run in another without compilers, sources or development packages.
FROM node:22-bookworm-slim AS build
WORKDIR /build
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY src ./src
RUN npm run build && npm prune --omit=dev --no-audit --no-fund

FROM node:22-bookworm-slim
ENV NODE_ENV=production
WORKDIR /opt/postern
COPY --from=build /build/package.json ./
COPY --from=build /build/node_modules ./node_modules
COPY --from=build /build/dist ./dist
COPY config ./config
# The store, the keys and the ledger belong on volumes of their own: a backup of one must not hold the others.
RUN mkdir -p /var/lib/postern/data /var/lib/postern/keys /var/lib/postern/ledger /var/lib/postern/tls && chown -R node:node /var/lib/postern
VOLUME ["/var/lib/postern/data", "/var/lib/postern/keys", "/var/lib/postern/ledger"]
WORKDIR /var/lib/postern
USER node
# The environment wins over a file: whoever mounts a postern.yaml says otherwise with -e POSTERN_SUBMISSION_LISTEN=…
ENV POSTERN_SUBMISSION_LISTEN=0.0.0.0:2525
ENV POSTERN_INBOUND_LISTEN=0.0.0.0:2526
EXPOSE 2525 2526
HEALTHCHECK --interval=30s --timeout=10s --start-period=20s CMD ["node", "/opt/postern/dist/main.js", "doctor", "--live"]
ENTRYPOINT ["node", "/opt/postern/dist/main.js"]
CMD ["serve"]
