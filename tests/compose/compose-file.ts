// docker-compose.yml as data, the way Compose would read it with nothing set in the environment.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'

export const root = join(import.meta.dirname, '../..')

export interface Service {
  image: string
  build?: string
  user?: string
  restart?: string
  read_only?: boolean
  cap_drop?: string[]
  cap_add?: string[]
  security_opt?: string[]
  mem_limit?: string
  network_mode?: string
  networks?: string[]
  logging?: { driver: string; options: Record<string, string> }
  command?: string | string[]
  ports?: string[]
  environment?: Record<string, string | number | null>
  healthcheck?: object
  depends_on?: Record<string, { condition: string }>
}

export interface ComposeFile {
  services: Record<string, Service>
  networks: Record<string, { internal?: boolean }>
}

/** @param isResolved false: `${NAME:-default}` stays as it is written */
export function readComposeFile(isResolved = true): ComposeFile {
  const text = readFileSync(join(root, 'docker-compose.yml'), 'utf8')
  return parse(isResolved ? useDefaults(text) : text, { merge: true }) as ComposeFile
}

/** From the inside out, since a default may hold another variable; `$$` is a dollar sign and stays. */
function useDefaults(text: string): string {
  const resolved = text.replaceAll(/(?<!\$)\$\{[A-Z_]+:-([^${}]*)\}/g, '$1')
  return resolved === text ? text : useDefaults(resolved)
}
