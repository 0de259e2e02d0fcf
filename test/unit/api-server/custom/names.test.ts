import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Definition, Names } from '../../../../api-server/custom/definition.ts'
import { acceptNames, type Verdict } from '../../../../api-server/custom/names.ts'
import { KINDS } from '../../../../crds/index.ts'
import { definition } from './support.ts'

const test = suite('names of users own kinds')

const GROUP = 'example.com'
const CRON: Names = { plural: 'crontabs', singular: 'crontab', kind: 'CronTab', listKind: 'CronTabList' }

/** In the order of their age, each a second younger. */
function judge(...definitions: Definition[]): Verdict[] {
  const verdicts = acceptNames(definitions.toReversed(), KINDS)
  return definitions.map(({ metadata }) => verdicts.get(metadata.name) as Verdict)
}

const named = (names: Partial<Names>, second: number, group = GROUP) =>
  definition({ ...CRON, ...names }, { group, second })

const established = (one: Definition, accepted: Partial<Names> = {}): Definition => ({
  ...one,
  status: {
    acceptedNames: { ...one.spec.names, ...accepted },
    conditions: [{ type: 'Established', status: 'True' }],
  },
})

test('who is alone gets what it asks for', () => {
  const [verdict] = judge(named({ shortNames: ['ct'] }, 0))
  assert.equal(verdict, { accepted: { ...CRON, shortNames: ['ct'] }, conflict: undefined, isEstablished: true })
})

const OTHER: Names = { plural: 'clocks', singular: 'clock', kind: 'Clock', listKind: 'ClockList' }
const CONFLICTS: readonly (readonly [string, Partial<Names>, string])[] = [
  ['a kind', { ...OTHER, kind: 'CronTab' }, 'KindConflict'],
  ['a list kind', { ...OTHER, listKind: 'CronTabList' }, 'ListKindConflict'],
  ['a singular', { ...OTHER, singular: 'crontab' }, 'SingularConflict'],
  ['a short name that is a plural', { ...OTHER, shortNames: ['crontabs'] }, 'ShortNamesConflict'],
]

for (const [what, names, reason] of CONFLICTS)
  test(`${what} that an older definition has is refused as ${reason}`, () => {
    const [first, second] = judge(named({}, 0), named(names, 1))
    assert.is(first?.isEstablished, true)
    assert.equal([second?.isEstablished, second?.conflict?.reason], [false, reason])
    assert.match(second?.conflict?.message ?? '', /already in use by crontabs\.example\.com/)
  })

test('the same names in another group are other names', () => {
  const verdicts = judge(named({}, 0), named({}, 1, 'example.org'))
  assert.equal(
    verdicts.map(({ isEstablished }) => isEstablished),
    [true, true],
  )
})

test('who has a name keeps it, however much older who asks for it', () => {
  const [older, holder] = judge(named({ ...OTHER, kind: 'CronTab' }, 0), established(named({}, 1)))
  assert.equal([older?.isEstablished, holder?.isEstablished], [false, true])
})

test('an established kind that asks for names that others have is served under those it had', () => {
  const wants = named({ ...OTHER, shortNames: ['ct', 'cl'] }, 1)
  const [, verdict] = judge(
    established(named({ shortNames: ['ct'] }, 0)),
    established(wants, { shortNames: ['cl'], singular: 'clock' }),
  )
  assert.equal([verdict?.isEstablished, verdict?.conflict?.reason], [true, 'ShortNamesConflict'])
  assert.equal(verdict?.accepted.shortNames, ['cl'])
})

test('where two were given the same name by two servers, the older keeps it', () => {
  const clock = named({ ...OTHER, kind: 'CronTab' }, 1)
  const [older, younger] = judge(established(named({}, 0)), established(clock))
  assert.equal([older?.isEstablished, younger?.conflict?.reason], [true, 'KindConflict'])
})

test('what is built in cannot be defined', () => {
  const unit = { plural: 'units', singular: 'unit', kind: 'Unit', listKind: 'UnitList' }
  const [verdict] = judge(definition(unit, { group: 'flotilla.dev', second: 0 }))
  assert.equal([verdict?.isEstablished, verdict?.conflict?.reason], [false, 'PluralConflict'])
  assert.match(verdict?.conflict?.message ?? '', /"units" is already in use: it is built into this server/)
})

test.run()
