// Whether one citizen is to another what is claimed: parent, child, spouse, sibling. Siblings share a father or a mother. Unknown
// numbers and a wrong relation get the same answer, so that a refusal teaches nothing.
import { type Person } from '#nation/person.ts'
import { type CreateHandler } from '../adapter.ts'

type Relation = 'parent' | 'child' | 'spouse' | 'sibling'

interface Request {
  personalId: string
  relativeId: string
  /** What the relative is to the person. */
  relation: Relation
}

export const createHandler: CreateHandler =
  ({ nation }) =>
  (request, { fields }) => {
    const { personalId, relativeId, relation } = request as unknown as Request
    const person = nation.findPerson(personalId)
    const relative = nation.findPerson(relativeId)
    const attributes = {
      personalId: person !== undefined,
      relativeId: relative !== undefined,
      relation: person !== undefined && relative !== undefined && is[relation](relative, person),
    }
    return fields.has('attributes') ? { matched: attributes.relation, attributes } : { matched: attributes.relation }
  }

const isParent = (one: Person, other: Person): boolean => [other.fatherId, other.motherId].includes(one.personalId)

/** Whether the first is that to the second. */
const is: Readonly<Record<Relation, (one: Person, other: Person) => boolean>> = {
  parent: isParent,
  child: (one, other) => isParent(other, one),
  spouse: (one, other) => other.spouseId === one.personalId,
  sibling: (one, other) =>
    one.personalId !== other.personalId &&
    ((one.fatherId !== undefined && one.fatherId === other.fatherId) ||
      (one.motherId !== undefined && one.motherId === other.motherId)),
}
