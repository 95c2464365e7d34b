// `ndx topics`: the planned topics on a real broker. Also a step of docker compose: waits for the broker, and says so.
import { createTopics, missingTopics } from '#bus/kafka-bus/topics-admin.ts'
import { planTopics, type TopicPlan } from '#bus/topics.ts'
import { CommandError, defineCommand, UsageError } from './command.ts'
import { configOf, registryOf } from './surroundings.ts'
import { type Terminal } from './terminal.ts'

const actions: readonly string[] = ['create', 'check']
const pauseMs = 500
const tellEveryMs = 2000
const noAnswer = 'no answer'

export const command = defineCommand({
  positionals: ['[create|check]'],
  about: `Creates the topics that the contracts need (create, the default; safe to run again), or tells which are missing (check;
exit status 1 if any). NDX_KAFKA_BROKERS names the brokers. Clients never make a topic by accident, so this comes first.`,
  options: { wait: { type: 'string', value: 'seconds', about: 'how long to wait for a broker; default 60' } },
  examples: [
    ['topics', 'with NDX_KAFKA_BROKERS=127.0.0.1:9092 in front: creates what is missing'],
    ['topics check --wait 5', 'lists what is missing'],
  ],
  run: async ({ values: { wait = '60' }, positionals: [action = 'create'] }, terminal) => {
    if (!actions.includes(action)) throw new UsageError('topics takes create or check.')
    if (!/^[1-9]\d{0,3}$/.test(wait)) throw new UsageError('--wait is a whole number of seconds, from 1 to 9999.')
    const config = configOf(terminal)
    const brokers = config.kafkaBrokers
    if (brokers === undefined)
      throw new CommandError(
        'NDX_KAFKA_BROKERS names no broker, e.g. NDX_KAFKA_BROKERS=127.0.0.1:9092 npx ndx topics\nAn embedded exchange (`npm start`) needs no topics.',
      )
    const plan = planTopics(registryOf(config).providers)
    const patience = { brokers, deadlineMs: Number(wait) * 1000, terminal }
    return action === 'create' ? create(plan, patience) : check(plan, patience)
  },
})

interface Patience {
  brokers: readonly string[]
  deadlineMs: number
  terminal: Terminal
}

async function create(plan: TopicPlan[], patience: Patience): Promise<number> {
  const { created, existing } = await waitFor(() => createTopics(patience.brokers, plan), patience)
  const lines = [...created.map(name => `created ${name}\n`), ...existing.map(name => `exists ${name}\n`)]
  await patience.terminal.write(lines.join(''))
  return 0
}

async function check(plan: TopicPlan[], patience: Patience): Promise<number> {
  const missing = await waitFor(() => missingTopics(patience.brokers, plan), patience)
  await patience.terminal.write(missing.map(name => `missing ${name}\n`).join(''))
  patience.terminal.say(
    missing.length === 0 ? `all ${plan.length} topics are there` : '`npx ndx topics create` makes what is missing',
  )
  return missing.length === 0 ? 0 : 1
}

/** Tries until it succeeds or the deadline has passed; an attempt under way at the deadline is given up. */
async function waitFor<T>(act: () => Promise<T>, { brokers, deadlineMs, terminal }: Patience): Promise<T> {
  const startedMs = performance.now()
  const elapsedMs = (): number => performance.now() - startedMs
  let toldMs = Number.NEGATIVE_INFINITY
  let reason = noAnswer
  for (;;) {
    try {
      return await beforeDeadline(act(), deadlineMs - elapsedMs())
    } catch (cause) {
      const message = cause instanceof Error ? cause.message : String(cause)
      if (message !== noAnswer) reason = message
      if (elapsedMs() + pauseMs >= deadlineMs)
        throw new CommandError(
          `no broker of ${brokers.join(', ')} did it within ${deadlineMs / 1000} s: ${reason}\nIs Kafka running, and is the address right? --wait gives it longer.`,
          { cause },
        )
      if (elapsedMs() - toldMs >= tellEveryMs) {
        toldMs = elapsedMs()
        terminal.say(
          `waiting for Kafka at ${brokers.join(', ')} (${Math.round(toldMs / 1000)} of ${deadlineMs / 1000} s): ${reason}`,
        )
      }
      await new Promise(resolve => setTimeout(resolve, pauseMs))
    }
  }
}

async function beforeDeadline<T>(attempt: Promise<T>, remainingMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(noAnswer)), Math.max(0, remainingMs))
  })
  try {
    return await Promise.race([attempt, late])
  } finally {
    clearTimeout(timer)
  }
}
