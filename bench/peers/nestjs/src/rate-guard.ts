// How often a client may ask: counted a second in Redis, as most teams begin.
import { type CanActivate, type ExecutionContext, HttpException, HttpStatus, Inject, Injectable } from '@nestjs/common'
import { Redis } from 'ioredis'
import { ratePerSecondMax } from './settings.ts'
import { type VerifiedRequest } from './token-guards.ts'

@Injectable()
export class RateGuard implements CanActivate {
  readonly #redis: Redis

  constructor(@Inject(Redis) redis: Redis) {
    this.#redis = redis
  }

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const { claims } = context.switchToHttp().getRequest<VerifiedRequest>()
    const key = `rate:${claims.client_id}:${Math.floor(Date.now() / 1000)}`
    const count = await this.#redis.incr(key)
    if (count === 1) await this.#redis.expire(key, 2)
    if (count > ratePerSecondMax) throw new HttpException('Too Many Requests', HttpStatus.TOO_MANY_REQUESTS)
    return true
  }
}
