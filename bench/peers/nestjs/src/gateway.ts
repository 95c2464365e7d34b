// The gateway process: HTTP in, ClientKafka.send() to the request topic, its reply out, and a count of what was answered.
import 'reflect-metadata'
import {
  BadRequestException,
  Body,
  Controller,
  GatewayTimeoutException,
  HttpCode,
  Inject,
  Module,
  type OnModuleInit,
  type PipeTransform,
  Post,
  Req,
  UseGuards,
  ValidationPipe,
} from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { JwtModule } from '@nestjs/jwt'
import { type ClientKafka, ClientsModule, Transport } from '@nestjs/microservices'
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify'
import { Ajv } from 'ajv'
import { Redis } from 'ioredis'
import { catchError, firstValueFrom, TimeoutError, throwError, timeout } from 'rxjs'
import { type Answer, Question, questionSchema, type Reply } from './question.ts'
import { RateGuard } from './rate-guard.ts'
import {
  auditKeyOf,
  isTuned,
  kafkaOptions,
  path,
  port,
  readTokenRules,
  redisUrl,
  replyTimeoutMs,
  requestTopic,
} from './settings.ts'
import { CachedTokenGuard, TokenGuard, type VerifiedRequest } from './token-guards.ts'

const adapterName = 'ADAPTER'
const service = path.replace('/v1/services/', '')

@Controller()
class ExchangeController implements OnModuleInit {
  readonly #adapter: ClientKafka
  readonly #redis: Redis

  constructor(@Inject(adapterName) adapter: ClientKafka, @Inject(Redis) redis: Redis) {
    this.#adapter = adapter
    this.#redis = redis
  }

  async onModuleInit(): Promise<void> {
    this.#adapter.subscribeToResponseOf(requestTopic)
    await this.#adapter.connect()
  }

  @Post(path)
  @HttpCode(200)
  @UseGuards(isTuned ? CachedTokenGuard : TokenGuard, RateGuard)
  async exchange(@Body() question: Question, @Req() { claims }: VerifiedRequest): Promise<Answer> {
    const client = claims.client_id
    const replies = this.#adapter.send<Reply>(requestTopic, { key: client, value: question }).pipe(
      timeout(replyTimeoutMs),
      catchError(error => throwError(() => (error instanceof TimeoutError ? new GatewayTimeoutException() : error))),
    )
    const reply = await firstValueFrom(replies)
    await this.#redis.incr(auditKeyOf(client))
    return { service, outcome: 'answered', reply }
  }
}

/** Tuned: a compiled schema in place of a class for every body. */
class SchemaPipe implements PipeTransform {
  readonly #isValid = new Ajv().compile(questionSchema)

  transform(value: unknown, { type }: { type: string }): unknown {
    if (type === 'body' && !this.#isValid(value)) throw new BadRequestException(this.#isValid.errors)
    return value
  }
}

@Module({
  imports: [
    JwtModule.registerAsync({
      useFactory: () => {
        const { publicKey, issuer, audience } = readTokenRules()
        return { publicKey, verifyOptions: { algorithms: ['ES256'], issuer, audience } }
      },
    }),
    ClientsModule.register([
      { name: adapterName, transport: Transport.KAFKA, options: kafkaOptions('gateway', { autoCommit: false }) },
    ]),
  ],
  controllers: [ExchangeController],
  providers: [
    TokenGuard,
    CachedTokenGuard,
    RateGuard,
    { provide: Redis, useFactory: () => new Redis(redisUrl, { enableAutoPipelining: isTuned }) },
  ],
})
class GatewayModule {}

const gateway = await NestFactory.create<NestFastifyApplication>(GatewayModule, new FastifyAdapter(), {
  logger: ['error', 'warn'],
})
gateway.useGlobalPipes(isTuned ? new SchemaPipe() : new ValidationPipe({ whitelist: true, forbidNonWhitelisted: true }))
gateway.enableShutdownHooks()
await gateway.listen(port, '127.0.0.1')
