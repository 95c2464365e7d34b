// A process of its own that is a member of a group, takes records and finishes none: to be killed by a test.
// stuck-member.ts BROKERS TOPIC GROUP; writes a line for every record taken.
import { createKafkaBus } from '#bus/kafka-bus/kafka-bus.ts'

const [, , brokers = '', topic = '', group = ''] = process.argv
const bus = createKafkaBus({ brokers: brokers.split(','), clientId: 'stuck' })
const handle = (): Promise<void> => {
  console.log('taken')
  return new Promise(() => {})
}
bus.work({ topic, group, poolSize: 4, heldMax: 10, handle })
