// Who asks: a verified token, in both variants; what it says is put on the request.
import { type CanActivate, type ExecutionContext, Inject, Injectable, UnauthorizedException } from '@nestjs/common'
import { JwtService } from '@nestjs/jwt'
import { createVerifier } from 'fast-jwt'
import { readTokenRules } from './settings.ts'

export interface Claims {
  client_id: string
}

export interface VerifiedRequest {
  headers: { authorization?: string }
  claims: Claims
}

/** Documented: @nestjs/jwt, which verifies the signature of every request. */
@Injectable()
export class TokenGuard implements CanActivate {
  readonly #tokens: JwtService

  constructor(@Inject(JwtService) tokens: JwtService) {
    this.#tokens = tokens
  }

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<VerifiedRequest>()
    request.claims = await this.#tokens.verifyAsync<Claims>(tokenOf(request)).catch(refuse)
    return true
  }
}

/** Tuned: fast-jwt, which remembers the tokens it has verified. */
@Injectable()
export class CachedTokenGuard implements CanActivate {
  readonly #verify: (token: string) => Claims

  constructor() {
    const { publicKey, issuer, audience } = readTokenRules()
    this.#verify = createVerifier({
      key: publicKey,
      algorithms: ['ES256'],
      allowedIss: issuer,
      allowedAud: audience,
      cache: 1_000,
    }) as (token: string) => Claims
  }

  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<VerifiedRequest>()
    const token = tokenOf(request)
    try {
      request.claims = this.#verify(token)
    } catch {
      refuse()
    }
    return true
  }
}

function tokenOf({ headers }: VerifiedRequest): string {
  const [scheme, token] = headers.authorization?.split(' ') ?? []
  return scheme === 'Bearer' && token !== undefined ? token : refuse()
}

function refuse(): never {
  throw new UnauthorizedException()
}
