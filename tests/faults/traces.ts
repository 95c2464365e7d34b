// The trace of an attempt names the question and the attempt, so that whatever bears it (an acceptance in the log, an execution)
// is known to be that attempt's, even when the connection broke before anything was heard. In letters only: a traceparent
// whose digits could be a personal number is not taken over by a gateway.

const letters = 'abcdef'
const questionLength = 14
const attemptLength = 6
const mark = 'fadedfacade' // 11 letters, then one for the version of this form
const form = new RegExp(`^00-${mark}a([a-f]{${questionLength}})([a-f]{${attemptLength}})-`)

export interface Trace {
  question: number
  attempt: number
}

export const writeTrace = ({ question, attempt }: Trace): string =>
  `00-${mark}a${spell(question, questionLength)}${spell(attempt, attemptLength)}-abcdefabcdefabcd-01`

/** undefined: not one of ours. */
export function readTrace(traceparent: unknown): Trace | undefined {
  const [, question, attempt] = (typeof traceparent === 'string' ? form.exec(traceparent) : undefined) ?? []
  return question === undefined || attempt === undefined
    ? undefined
    : { question: unspell(question), attempt: unspell(attempt) }
}

/** Base 6. */
export function spell(value: number, length: number): string {
  let text = ''
  for (let rest = value; text.length < length; rest = Math.floor(rest / letters.length))
    text = letters[rest % letters.length] + text
  return text
}

const unspell = (text: string): number =>
  [...text].reduce((value, letter) => value * letters.length + letters.indexOf(letter), 0)
