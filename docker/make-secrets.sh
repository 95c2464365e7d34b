#!/bin/sh
# The `secrets` step of docker-compose.yml: makes what is missing, or does what its arguments say (`npx ndx secrets --help`), then
# hands everybody only what they may see. Runs as root, without a network, because the folders have two owners: the gateway's
# user here, whoever runs `npx ndx` on the host.
#   /data           the gateway's volume: its own secrets
#   /data/clients   the host's <data>/clients: the simulated clients' keys, where `npx ndx token` finds them
#   /gateway        the gateway's volume again, without the host's folder over it: gets the clients' public keys only
#   /gateway/notes  what the gateways note and the broker does not have yet, in a volume of its own
#   /ledger         the ledger's volume: the pseudonyms' keys and the callbacks' secrets
#   /ledger/ledger  the ledger's own: its log's key and its store; /witness the witness's own: they get each other's public key
#   /registers/…    what a register keeps of its own, each in its volume
#   /civil-status   the same of one that asks others: with its key as a client, and nobody else's
#   /host           the host's <data>
#   /checkout       part of the checkout, read-only: tells whose it is
set -eu

node cli/ndx.ts secrets "$@"

mkdir -p /gateway/clients
rm -f /gateway/clients/*
cp /data/clients/*.public.json /gateway/clients/
chown -R node:node /gateway

# Replaced as a whole, so that a key that was destroyed here is gone there too.
rm -rf /ledger/secrets /ledger/clients
mkdir -p /ledger/secrets /ledger/clients
cp -r /data/secrets/pseudonym-keys /ledger/secrets/
cp /data/clients/*.callback-secret /ledger/clients/
node cli/ndx.ts introduce /ledger /witness
# The auditor's two public keys, for whoever is on the host.
mkdir -p /host/ledger /host/witness
cp /ledger/ledger/log-key.pub /host/ledger/
cp /witness/witness-key.pub /host/witness/
mkdir -p /civil-status/clients
[ ! -e /data/clients/civil-status.private.json ] || cp /data/clients/civil-status.private.json /civil-status/clients/
chown -R node:node /ledger /witness /civil-status /registers/*

# Docker makes a missing folder as root: that one is given to the owner of the checkout. A folder that somebody made stays theirs.
[ "$(stat -c %u /host)" != 0 ] || chown "$(stat -c %u:%g /checkout)" /host
chown -R "$(stat -c %u:%g /host)" /data/clients /host/ledger /host/witness
