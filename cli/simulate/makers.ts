// The makers by service. A new register: a line here, or a file beside these, if its questions need more than the ones here say.
import { civilQuestions } from './civil-questions.ts'
import { type Maker } from './maker.ts'
import { populationQuestions } from './population-questions.ts'
import { propertyQuestions } from './property-questions.ts'
import { welfareQuestions } from './welfare-questions.ts'

export const makers: Readonly<Record<string, Maker>> = Object.freeze({
  ...populationQuestions,
  ...civilQuestions,
  ...propertyQuestions,
  ...welfareQuestions,
})
