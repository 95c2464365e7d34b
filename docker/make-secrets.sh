#!/bin/sh
# The `secrets` step of docker-compose.yml: makes what is missing, then hands everybody only what they may see. Runs as root,
# without a network, because the folders have two owners: the gateway's user here, whoever runs `npx ndx` on the host.
#   /data           the gateway's volume: its own secrets
#   /data/clients   the host's <data>/clients: the simulated clients' keys, where `npx ndx token` finds them
#   /gateway        the gateway's volume again, without the host's folder over it: gets the clients' public keys only
#   /host           the host's <data>
#   /checkout       part of the checkout, read-only: tells whose it is
set -eu

node cli/ndx.ts secrets

mkdir -p /gateway/clients
rm -f /gateway/clients/*
cp /data/clients/*.public.json /gateway/clients/
chown -R node:node /gateway

# Docker makes a missing folder as root: that one is given to the owner of the checkout. A folder that somebody made stays theirs.
[ "$(stat -c %u /host)" != 0 ] || chown "$(stat -c %u:%g /checkout)" /host
chown -R "$(stat -c %u:%g /host)" /data/clients
