// The question of the bench and its answer: the same rules twice, for class-validator (documented) and for ajv (tuned).
import { Type } from 'class-transformer'
import { IsDefined, IsOptional, IsString, Length, Matches, ValidateNested } from 'class-validator'

const numberForm = /^[0-9]{12}$/
const dateForm = /^[0-9]{4}(-[0-9]{2}-[0-9]{2})?$/

export class Identity {
  @Matches(numberForm) personalId: string
  @IsString() @Length(2, 100) fullName: string
  @Matches(dateForm) dateOfBirth: string
}

export class Question {
  @IsString() @Length(1, 100) purpose: string
  @IsOptional() @IsString() @Length(1, 50) procedure?: string
  @IsOptional() @IsString() @Length(1, 50) officer?: string
  @IsDefined() @ValidateNested() @Type(() => Identity) request: Identity
}

export interface Reply {
  matched: boolean
}

export interface Answer {
  service: string
  outcome: 'answered'
  reply: Reply
}

const text = (minLength: number, maxLength: number) => ({ type: 'string', minLength, maxLength })

export const questionSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['purpose', 'request'],
  properties: {
    purpose: text(1, 100),
    procedure: text(1, 50),
    officer: text(1, 50),
    request: {
      type: 'object',
      additionalProperties: false,
      required: ['personalId', 'fullName', 'dateOfBirth'],
      properties: {
        personalId: { type: 'string', pattern: numberForm.source },
        fullName: text(2, 100),
        dateOfBirth: { type: 'string', pattern: dateForm.source },
      },
    },
  },
}
