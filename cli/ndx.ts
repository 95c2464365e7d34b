#!/usr/bin/env node
// The command line of NDX. The only place of it that touches the process: reads its arguments, environment and streams, and
// ends it. A reader that goes away (`| head`) ends a command quietly; an exchange that was started goes on without one.
import { dispatch } from './dispatch.ts'
import { createTerminal } from './terminal.ts'

let staysAlive = process.argv[2] === 'start'
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE' && staysAlive) return
    if (error.code === 'EPIPE') process.exit(0)
    if (stream !== process.stderr) process.stderr.write(`ndx: cannot write: ${error.message}\n`)
    process.exit(1)
  })
}
const ending = await dispatch(process.argv.slice(2), createTerminal(process))
staysAlive = ending.staysAlive
if (!staysAlive) process.exit(ending.status)
