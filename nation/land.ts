// Who owns which parcel, by arithmetic and both ways. A home's parcel and field lie in the ward where its head lives; map sheet
// and parcel number are the head's permuted position without its first digits, so a parcel names the few heads it can belong
// to, and the first of them who lives in its ward and owns land has it. An enterprise's site lies in the ward of its address.
import { type EnterpriseCode } from '#contracts/enterprise-code.ts'
import { type PersonalId } from '#contracts/personal-id.ts'
import { birthYearOfCell, cellOfSeat, lastBirthYear, male, population, type Seat, sexOfCell } from '#nation/cells.ts'
import { createChance, createLottery, type Lottery, mix, within } from '#nation/chance.ts'
import { type Enterprise, type Enterprises, enterpriseCount } from '#nation/enterprise.ts'
import { createPermutation } from '#nation/permutation.ts'
import { adultAge, homeOf, type Lineage } from '#nation/person.ts'
import { findPlace, isUrban, type Place } from '#nation/places.ts'

export type OwnerKind = 'person' | 'couple' | 'enterprise'

export interface LandUse {
  /** As on the certificate, e.g. `ODT`. Circular 08/2024/TT-BTNMT. */
  readonly code: string
  readonly name: string
}

export interface Parcel {
  /** Ward, map sheet and parcel number, e.g. `92952.12.345`: one parcel of the nation has it. */
  readonly parcelCode: string
  readonly place: Place
  readonly mapSheet: number
  readonly parcelNumber: number
  readonly areaM2: number
  readonly use: LandUse
  /** Two letters and eight digits, each parcel its own; no real one opens with Z, which the alphabet does not have. */
  readonly certificateNumber: string
  readonly ownerKind: OwnerKind
  /** One person, or husband and wife; nobody when an enterprise owns it. */
  readonly ownerIds: readonly PersonalId[]
  readonly enterpriseCode?: EnterpriseCode
}

export interface Land {
  findParcel(parcelCode: string): Parcel | undefined
  /** What a person owns, alone or with the spouse: a home, a field, both or nothing. */
  parcelsOf(seat: Seat): Parcel[]
  /** Where an enterprise of its own ground works; most rent. */
  siteOf(enterprise: Enterprise): Parcel | undefined
}

/** What a sheet shows. The order is that of the sheets in every ward. */
const tracts = ['home', 'field', 'site'] as const
type Tract = (typeof tracts)[number]
type HomeTract = Exclude<Tract, 'site'>

const numbersPerSheet = 5000
/** Sheets 1–400 of a ward show homes, 401–800 fields, from 801 the sites of enterprises, of which each has a place of its own. */
const sheetsPerTract = 400
const slotsPerTract = sheetsPerTract * numbersPerSheet
/** Heads of the whole nation that share a sheet and number; in one ward there are hardly ever two of them. */
const sharers = population / slotsPerTract
const parcelForm = /^(\d{5})\.([1-9]\d{0,2})\.([1-9]\d{0,3})$/

/** Of 100 homes, how many own it: of couples, of who lives alone from 30 on, and younger. */
const homeShares = { couple: 78, single: 34, young: 4 }
/** Of 100 homes in communes, how many have a field. */
const fieldShares = { couple: 58, single: 22, young: 1 }
const singleAge = 30
const urbanFieldPercent = 5
/** Of 100 enterprises that are not dissolved. */
const sitePercent = 30
const drawCoupleOwners = createLottery<'both' | 'husband' | 'wife'>([
  ['both', 80],
  ['husband', 12],
  ['wife', 8],
])

const use = (code: string, name: string): LandUse => Object.freeze({ code, name })
const urbanHome = use('ODT', 'Đất ở tại đô thị')
const ruralHome = use('ONT', 'Đất ở tại nông thôn')
const drawFieldUse: Lottery<LandUse> = createLottery([
  [use('LUC', 'Đất chuyên trồng lúa'), 50],
  [use('HNK', 'Đất trồng cây hàng năm khác'), 18],
  [use('CLN', 'Đất trồng cây lâu năm'), 25],
  [use('NTS', 'Đất nuôi trồng thủy sản'), 7],
])
const drawSiteUse: Lottery<LandUse> = createLottery([
  [use('TMD', 'Đất thương mại, dịch vụ'), 45],
  [use('SKC', 'Đất cơ sở sản xuất phi nông nghiệp'), 55],
])
/** Least and most square metres. */
const areas = { urban: [40, 180], rural: [90, 500], field: [200, 5000], site: [300, 30_000] } as const
const topics = {
  owns: { home: 280, field: 281, site: 282 },
  owners: { home: 283, field: 284 },
  area: { home: 285, field: 286, site: 287 },
  use: { home: 288, field: 288, site: 289 },
} as const

export function createLand(seed: number, lineage: Lineage, enterprises: Enterprises): Land {
  const { marriages, personalIdOf } = lineage
  const homesteads = createHomesteads(seed, lineage)
  const sites = createSites(seed, enterprises)

  return {
    findParcel: parcelCode => {
      const [, wardCode = '', sheet, number] = parcelForm.exec(parcelCode) ?? []
      const place = findPlace(wardCode)
      if (place === undefined || Number(number) > numbersPerSheet) return undefined
      const slot = (Number(sheet) - 1) * numbersPerSheet + Number(number) - 1
      const tract = tracts[Math.floor(slot / slotsPerTract)]
      if (tract === undefined) return undefined
      return tract === 'site'
        ? sites.parcelAt(slot % slotsPerTract, place)
        : homesteads.parcelAt(tract, slot % slotsPerTract, place)
    },
    parcelsOf: seat => {
      const spouse = marriages.spouseOf(seat)
      const head = spouse !== undefined && sexOfCell(cellOfSeat(spouse)) === male ? spouse : seat
      const parcels = [homesteads.parcelOf('home', head), homesteads.parcelOf('field', head)]
      return parcels
        .filter(parcel => parcel !== undefined)
        .filter(({ ownerIds }) => ownerIds.includes(personalIdOf(seat)))
    },
    siteOf: sites.siteOf,
  }
}

interface Homesteads {
  parcelAt(tract: HomeTract, slot: number, place: Place): Parcel | undefined
  parcelOf(tract: HomeTract, head: Seat): Parcel | undefined
}

function createHomesteads(seed: number, lineage: Lineage): Homesteads {
  const { cells } = lineage
  const heads = createPermutation(mix(seed, 280), population)

  /** In a ward a slot belongs to the first of its sharers who owns land there; another has none. */
  function headAt(tract: HomeTract, slot: number, place: Place): Seat | undefined {
    for (let turn = 0; turn < sharers; turn++) {
      const head = cells.seatAt(heads.backward(turn * slotsPerTract + slot, tracts.indexOf(tract)))
      if (homeOf(head, lineage) === place && isLanded(tract, head, place, lineage)) return head
    }
    return undefined
  }

  function describe(tract: HomeTract, slot: number, place: Place, head: Seat): Parcel {
    const serial = heads.forward(cells.positionOf(head), tracts.length + tracts.indexOf(tract))
    const owners = ownersOf(tract, head, lineage)
    return Object.freeze({
      ...locate(tract, slot, place),
      ...soilOf(tract, head, place, lineage),
      certificateNumber: numberCertificate(tract, serial),
      ownerKind: owners.length === 2 ? 'couple' : 'person',
      ownerIds: Object.freeze(owners.map(lineage.personalIdOf)),
    })
  }

  return {
    parcelAt: (tract, slot, place) => {
      const head = headAt(tract, slot, place)
      return head === undefined ? undefined : describe(tract, slot, place, head)
    },
    parcelOf: (tract, head) => {
      const place = homeOf(head, lineage)
      if (!isLanded(tract, head, place, lineage)) return undefined
      const slot = heads.forward(cells.positionOf(head), tracts.indexOf(tract)) % slotsPerTract
      return headAt(tract, slot, place) === head ? describe(tract, slot, place, head) : undefined
    },
  }
}

/** Whether the seat is a head of a home (a husband, or an adult alone) that owns such a tract. */
function isLanded(tract: HomeTract, head: Seat, place: Place, { cells, chance, marriages }: Lineage): boolean {
  const age = lastBirthYear - birthYearOfCell(cellOfSeat(head))
  const isMarried = marriages.spouseOf(head) !== undefined
  if (age < adultAge || (isMarried && sexOfCell(cellOfSeat(head)) !== male)) return false
  const kind = isMarried ? 'couple' : age < singleAge ? 'young' : 'single'
  const share = tract === 'home' ? homeShares[kind] : fieldShares[kind]
  const percent = tract === 'field' && isUrban(place) ? Math.min(share, urbanFieldPercent) : share
  return within(chance.draw(cells.positionOf(head), topics.owns[tract]), 100) < percent
}

function ownersOf(tract: HomeTract, head: Seat, { cells, chance, marriages }: Lineage): Seat[] {
  const wife = marriages.spouseOf(head)
  if (wife === undefined) return [head]
  const owners = drawCoupleOwners(chance.draw(cells.positionOf(head), topics.owners[tract]))
  return { both: [head, wife], husband: [head], wife: [wife] }[owners]
}

function soilOf(
  tract: HomeTract,
  head: Seat,
  place: Place,
  { cells, chance }: Lineage,
): Pick<Parcel, 'areaM2' | 'use'> {
  const position = cells.positionOf(head)
  const areaDraw = chance.draw(position, topics.area[tract])
  if (tract === 'field')
    return { areaM2: drawArea(areas.field, areaDraw), use: drawFieldUse(chance.draw(position, topics.use.field)) }
  return isUrban(place)
    ? { areaM2: drawArea(areas.urban, areaDraw), use: urbanHome }
    : { areaM2: drawArea(areas.rural, areaDraw), use: ruralHome }
}

interface Sites {
  parcelAt(slot: number, place: Place): Parcel | undefined
  siteOf(enterprise: Enterprise): Parcel | undefined
}

function createSites(seed: number, enterprises: Enterprises): Sites {
  const slots = createPermutation(mix(seed, 281), enterpriseCount)
  const chance = createChance(mix(seed, 282))

  function siteOf({ index, status, address, enterpriseCode }: Enterprise): Parcel | undefined {
    const owns = within(chance.draw(index, topics.owns.site), 100) < sitePercent
    if (status === 'dissolved' || !owns) return undefined
    return Object.freeze({
      ...locate('site', slots.forward(index), address),
      areaM2: drawArea(areas.site, chance.draw(index, topics.area.site)),
      use: drawSiteUse(chance.draw(index, topics.use.site)),
      certificateNumber: numberCertificate('site', slots.forward(index, 1)),
      ownerKind: 'enterprise',
      ownerIds: [],
      enterpriseCode,
    })
  }

  return {
    parcelAt: (slot, place) => {
      if (slot >= enterpriseCount) return undefined
      const site = siteOf(enterprises.enterprise(slots.backward(slot)))
      return site?.place === place ? site : undefined
    },
    siteOf,
  }
}

function locate(
  tract: Tract,
  slot: number,
  place: Place,
): Pick<Parcel, 'parcelCode' | 'place' | 'mapSheet' | 'parcelNumber'> {
  const mapSheet = tracts.indexOf(tract) * sheetsPerTract + Math.floor(slot / numbersPerSheet) + 1
  const parcelNumber = (slot % numbersPerSheet) + 1
  return { parcelCode: `${place.ward.code}.${mapSheet}.${parcelNumber}`, place, mapSheet, parcelNumber }
}

const numberCertificate = (tract: Tract, serial: number): string =>
  `Z${'ABC'[tracts.indexOf(tract)]} ${String(serial).padStart(8, '0')}`

const drawArea = ([least, most]: readonly [number, number], draw: number): number =>
  least + within(draw, most - least + 1)
