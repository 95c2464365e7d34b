// `ndx secrets`: makes what is missing, touches nothing that is there. Also the first step of docker compose. With an option,
// what an operator does with the pseudonym keys (list, replace, destroy), and the callback secret that a client is handed.

import { type ClientId } from '#contracts/contract.ts'
import { type Config } from '#runtime/config.ts'
import { monthOf, versionAt } from '#runtime/key-versions.ts'
import {
  destroyPseudonymKey,
  listPseudonymKeys,
  makePseudonymKeys,
  rotatePseudonymKey,
} from '#runtime/pseudonym-keys.ts'
import { makeSecrets, readCallbackSecret } from '#runtime/secrets.ts'
import { CommandError, defineCommand, UsageError } from './command.ts'
import { escapeText } from './safe-text.ts'
import { configOf, registryOf } from './surroundings.ts'
import { formatTable } from './table.ts'
import { type Terminal } from './terminal.ts'

export const command = defineCommand({
  positionals: [],
  about: `Makes the secrets that are missing under NDX_DATA_DIR (default data) and prints the name of each file made: the
issuer's key, the index key, the pseudonym keys of this month and the next, and for every client whose agreement names
no key a key pair and a callback secret; a callback secret also for every client whose agreement names a callback address.
What is there stays as it is. \`start\` does the same by itself.

A pseudonym key is named after the month (UTC+7) in which its use begins: run this once a month. One that replaces it
within the month has a letter more. Processes that run follow within a minute.`,
  options: {
    list: { type: 'boolean', about: 'the pseudonym keys: version and state' },
    rotate: { type: 'boolean', about: 'make a new pseudonym key for now, in place of one that leaked' },
    destroy: {
      type: 'string',
      value: 'version',
      about: 'overwrite and remove a pseudonym key that is not in use, for good',
    },
    yes: { type: 'boolean', about: 'destroy without asking' },
    callback: {
      type: 'string',
      value: 'client',
      about: 'print the secret with which the client verifies callbacks: hand it over once, by a safe way',
    },
  },
  examples: [
    ['secrets', 'safe to run again; nothing printed means nothing was missing'],
    ['secrets --list', 'which pseudonym keys there are, and which is in use'],
    ['secrets --rotate', 'a pseudonym key leaked: use another from now on'],
    ['secrets --callback public-service-portal', 'what the portal needs to verify the signature of its callbacks'],
    ['secrets --destroy 202601 --yes', 'nobody can tell any more whom the pseudonyms 202601.… stand for'],
  ],
  run: async ({ values: { list, rotate, destroy, yes, callback } }, terminal) => {
    if ([list, rotate, destroy !== undefined, callback !== undefined].filter(Boolean).length > 1)
      throw new UsageError('--list, --rotate, --destroy and --callback exclude each other.')
    if (yes && destroy === undefined) throw new UsageError('--yes goes with --destroy.')
    const config = configOf(terminal)
    if (list) return listKeys(config.dataDir, terminal)
    if (rotate) return rotateKey(config.dataDir, terminal)
    if (destroy !== undefined) return destroyKey(config.dataDir, destroy, yes === true, terminal)
    if (callback !== undefined) return showCallbackSecret(config, callback, terminal)
    const made = makeSecrets(config.dataDir, registryOf(config))
    await terminal.write(made.map(name => `${name}\n`).join(''))
    terminal.say(
      made.length === 0 ? `nothing was missing in ${config.dataDir}` : `made ${made.length} files in ${config.dataDir}`,
    )
    return 0
  },
})

/** Made first when it is missing, so that one command is enough for a new client. */
async function showCallbackSecret(config: Config, client: string, terminal: Terminal): Promise<number> {
  const registry = registryOf(config)
  if (!registry.agreements.has(client as ClientId))
    throw new CommandError(`there is no client “${escapeText(client.slice(0, 60))}”; \`npx ndx clients\` lists them.`)
  if (!registry.callbackClients.includes(client as ClientId))
    throw new CommandError(`the agreement of ${client} names no callback address, so it is not called back.`)
  makeSecrets(config.dataDir, registry)
  await terminal.write(`${readCallbackSecret(config.dataDir, client)}\n`)
  terminal.say(`hand it to ${client} by a safe way; whoever has it can sign callbacks in the name of this NDX`)
  return 0
}

async function listKeys(dataDir: string, terminal: Terminal): Promise<number> {
  const nowMs = Date.now()
  const versions = listPseudonymKeys(dataDir)
  const used = versionAt(nowMs, versions)
  const stateOf = (version: string): string => {
    if (version === used) return 'in use'
    return version.slice(0, 6) > monthOf(nowMs) ? 'to come' : 'past'
  }
  await terminal.write(
    formatTable(
      ['VERSION', 'STATE'],
      versions.map(version => [version, stateOf(version)]),
    ),
  )
  return 0
}

async function rotateKey(dataDir: string, terminal: Terminal): Promise<number> {
  const nowMs = Date.now()
  const version = rotatePseudonymKey(dataDir, nowMs)
  makePseudonymKeys(dataDir, nowMs)
  await terminal.write(`${version}\n`)
  terminal.say('processes that run use it within a minute; destroy the one that leaked after that')
  return 0
}

async function destroyKey(dataDir: string, version: string, isSure: boolean, terminal: Terminal): Promise<number> {
  if (!listPseudonymKeys(dataDir).includes(version))
    throw new CommandError(
      `there is no pseudonym key “${version}” in ${dataDir}; \`npx ndx secrets --list\` names them.`,
    )
  if (!isSure)
    throw new UsageError(
      `nobody will be able to tell any more whom pseudonyms ${version}.… stand for, or check commitments made under it. ` +
        'To destroy the key all the same, add --yes.',
    )
  const nowMs = Date.now()
  if (version === versionAt(nowMs, listPseudonymKeys(dataDir)))
    throw new CommandError(`the pseudonym key ${version} is in use; \`npx ndx secrets --rotate\` makes another first.`)
  destroyPseudonymKey(dataDir, version, nowMs)
  await terminal.write(`${version}\n`)
  terminal.say('processes that run forget it within a minute; copies in backups are yours to destroy')
  return 0
}
