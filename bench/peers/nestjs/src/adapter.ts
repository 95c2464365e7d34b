// The adapter process: a handler of the request topic, as NestJS documents it, that looks the person up in a map.
import 'reflect-metadata'
import { readFileSync } from 'node:fs'
import { Controller, Module } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { MessagePattern, type MicroserviceOptions, Payload, Transport } from '@nestjs/microservices'
import { type Question, type Reply } from './question.ts'
import { kafkaOptions, peopleFile, requestTopic } from './settings.ts'

interface Person {
  personalId: string
  dateOfBirth: string
  /** The spellings that count as the person's. */
  names: string[]
}

const people = new Map(
  (JSON.parse(readFileSync(peopleFile, 'utf8')) as Person[]).map(person => [person.personalId, person]),
)

@Controller()
class PopulationController {
  @MessagePattern(requestTopic)
  verify(@Payload() { request }: Question): Reply {
    const person = people.get(request.personalId)
    return { matched: person?.dateOfBirth === request.dateOfBirth && person.names.includes(request.fullName) }
  }
}

@Module({ controllers: [PopulationController] })
class AdapterModule {}

const adapter = await NestFactory.createMicroservice<MicroserviceOptions>(AdapterModule, {
  logger: ['error', 'warn'],
  transport: Transport.KAFKA,
  options: kafkaOptions('adapter', { autoCommitInterval: 1_000 }),
})
adapter.enableShutdownHooks()
await adapter.listen()
