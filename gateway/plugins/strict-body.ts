// Bodies: strict JSON and nothing else, within the contract's size where a contract was found, else within the gateway's.
import { type FastifyInstance, type FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { ExchangeError } from '#contracts/errors.ts'
import { parseStrictJson, StrictJsonError } from '#contracts/strict-json.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** The body as it came; kept only beside an Idempotency-Key, whose digest covers it. */
    bodyBytes: Buffer | undefined
  }
}

export const bodyBytesMax = 65_536

export const strictBody = fp(
  async (app: FastifyInstance) => {
    app.decorateRequest('bodyBytes')
    app.removeAllContentTypeParsers()
    app.addContentTypeParser(
      'application/json',
      { parseAs: 'buffer', bodyLimit: bodyBytesMax },
      (request: FastifyRequest, bytes: Buffer, done) => {
        if (!isUtf8Declared(request.headers['content-type']))
          return done(new ExchangeError('NDX_MEDIA_TYPE_UNSUPPORTED', { detail: 'JSON is UTF-8 and nothing else.' }))
        const max = request.service?.contract.limits.requestBytesMax
        if (max !== undefined && bytes.length > max) {
          return done(new ExchangeError('NDX_BODY_TOO_LARGE', { detail: `The contract allows ${max} bytes.` }))
        }
        if (request.headers['idempotency-key'] !== undefined) request.bodyBytes = bytes
        try {
          done(null, parseStrictJson(bytes))
        } catch (error) {
          done(
            error instanceof StrictJsonError
              ? new ExchangeError('NDX_BODY_MALFORMED', { detail: error.message })
              : (error as Error),
          )
        }
      },
    )
  },
  { name: 'strict-body' },
)

/** JSON has no charset parameter (RFC 8259 section 11); one that says utf-8 does no harm, any other is a mistake. */
const isUtf8Declared = (contentType = ''): boolean => {
  const charset = /;\s*charset\s*=\s*"?([^";\s]*)/i.exec(contentType)?.[1]
  return charset === undefined || charset.toLowerCase() === 'utf-8'
}
