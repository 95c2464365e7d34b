// Only what was granted is sent: every example is asked with the fewest fields there can be, and no other may come.
import { type Service } from '#contracts/contract.ts'
import { fault, ok, skipped, type Verdict } from '../report.ts'
import { describeEnding, isReading, silence, type Trial } from '../trial.ts'

export async function checkFields({ client }: Trial, service: Service): Promise<Verdict> {
  if (!isReading(service)) return skipped('an effect is not done for this')
  const { fields, examples } = service.contract
  const always = fields.filter(field => field.always).map(field => field.name)
  const granted = always.length > 0 ? always : fields.slice(0, 1).map(field => field.name)
  for (const example of examples) {
    const ending = await client.ending(await client.ask({ service, example, fields: granted }))
    if (ending.reply === undefined) return silence(`the example “${example.title}”`)
    if (ending.reply.data === undefined)
      return fault(
        `with fewer fields the example “${example.title}” ended ${describeEnding(ending)}`,
        'Leave out what was not granted (ndxfields), and answer with the rest.',
      )
    const others = Object.keys(ending.reply.data).filter(name => !granted.includes(name))
    if (others.length > 0)
      return fault(
        `granted was ${granted.join(', ')}; sent was also ${others.join(', ')}`,
        'Leave out what was not granted (ndxfields): the gateway withholds it and reports an incident.',
      )
  }
  return ok(`asked for ${granted.join(', ')}, and nothing else came`)
}
