// What peers are given instead of NDX's own parts: the people they are asked about, and the issuer's public key.
import { createPublicKey } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ownIssuerKeys } from '#gateway/tokens/issuer-keys.ts'
import { createNation } from '#nation/nation.ts'
import { readSecrets } from '#runtime/secrets.ts'
import { inCapitals, poolPeople } from './questions.ts'
import { type World } from './world.ts'

export interface PeerInputs {
  peopleFile: string
  publicKeyFile: string
  keySetFile: string
}

export function writePeerInputs(world: World): PeerInputs {
  const folder = world.folder('peers')
  const write = (name: string, text: string): string => {
    const file = join(folder, name)
    writeFileSync(file, text)
    return file
  }
  const people = poolPeople(createNation({ seed: 1 })).map(({ personalId, dateOfBirth, fullName }) => ({
    personalId,
    dateOfBirth,
    names: [fullName, inCapitals(fullName)],
  }))
  const secrets = readSecrets(world.dataDir)
  return {
    peopleFile: write('people.json', JSON.stringify(people)),
    publicKeyFile: write(
      'issuer.pem',
      createPublicKey(secrets.issuerKey).export({ type: 'spki', format: 'pem' }).toString(),
    ),
    keySetFile: write('issuer.jwks.json', JSON.stringify(ownIssuerKeys(secrets).published)),
  }
}
