/** What a server with an etcd of its own decides without etcd: its next step, who may go, what people are told. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { conditionsOf, type MemberReport } from '../../../../api-server/own-etcd/administration.ts'
import { CLIENT_NAME, PEER_USER } from '../../../../api-server/own-etcd/certificates.ts'
import { type EtcdCommand, etcdArguments } from '../../../../api-server/own-etcd/command-line.ts'
import { etcdLogLine } from '../../../../api-server/own-etcd/log-line.ts'
import { answering } from '../../../../api-server/own-etcd/members-watch.ts'
import { type ListedMember, nextStep } from '../../../../api-server/own-etcd/next-step.ts'
import { removalRefusal } from '../../../../api-server/own-etcd/removal.ts'
import { slicesOf } from '../../../../api-server/server-slices.ts'

const test = suite('own etcd: decisions')

const OURS = 'https://10.0.0.2:2380'
const first: ListedMember = { id: '1', name: 'a', peerUrls: ['https://10.0.0.1:2380'], isLearner: false }
const own = (facts: Partial<ListedMember>): ListedMember => ({
  id: '2',
  name: 'b',
  peerUrls: [OURS],
  isLearner: true,
  ...facts,
})

type Row = readonly [own: ListedMember | undefined, hasData: boolean, runs: boolean, step: string]

const STEPS: Readonly<Record<string, Row>> = {
  'nobody has our address, nothing is here': [undefined, false, false, 'add'],
  'taken out while we were away, or never added': [undefined, true, false, 'add'],
  'killed after it was added, before etcd began': [own({ name: '' }), false, false, 'start'],
  'killed while etcd began': [own({ name: '' }), true, false, 'remove'],
  'killed as a learner': [own({}), true, false, 'start'],
  'a learner that lost its data': [own({}), false, false, 'remove'],
  'killed between the promotion and its note': [own({ isLearner: false }), true, false, 'start'],
  'a voter that lost its data': [own({ isLearner: false }), false, false, 'remove'],
  'runs, and its name is not known yet': [own({ name: '' }), true, true, 'promote'],
  'runs as a learner': [own({}), true, true, 'promote'],
  'runs and votes': [own({ isLearner: false }), true, true, 'done'],
}

for (const [what, [member, hasData, runs, step]] of Object.entries(STEPS))
  test(`joining: ${what} → ${step}`, () => {
    const members = member === undefined ? [first] : [first, member]
    assert.is(nextStep({ members, peerUrl: OURS, hasData, runs }).do, step)
  })

const judged = (name: string, answers: boolean, isLearner = false) => ({ id: name, name, answers, isLearner })

const REMOVALS: Readonly<Record<string, readonly [states: string, refused: RegExp | undefined]>> = {
  'the only one': ['x', /only member that votes/],
  'one of two': ['x+', undefined],
  'the living one of two': ['x-', /of the 1 that would remain 1 must answer/],
  'one of three': ['x++', undefined],
  'a living one beside a dead one': ['x+-', /of the 2 that would remain 2 must answer, and m2 does not/],
  'one of five, one dead': ['x+++-', undefined],
  'one of five, two dead': ['x++--', /of the 4 that would remain 3 must answer, and m3, m4 do not/],
}

for (const [what, [states, refused]] of Object.entries(REMOVALS))
  test(`removing ${what} is ${refused ? 'refused' : 'allowed'}`, () => {
    const members = [...states].map((state, i) => judged(`m${i}`, state !== '-'))
    const refusal = removalRefusal(members, members[0] ?? judged('', false))
    if (refused) assert.match(refusal ?? '', refused)
    else assert.is(refusal, undefined)
  })

test('a learner may always go', () => {
  const learner = judged('l', false, true)
  assert.is(removalRefusal([judged('a', false), learner], learner), undefined)
})

const reports = (states: string): MemberReport[] =>
  [...states].map((state, i) => ({
    id: String(i),
    name: `m${i}`,
    role: state === 'l' ? 'learner' : 'member',
    answers: state !== '-',
    clientUrls: [],
    peerUrls: [],
    alarms: state === 'f' ? ['NOSPACE'] : [],
  }))

const CONDITIONS: Readonly<Record<string, readonly [available: string, tolerant: string, space: string]>> = {
  '+': ['True', 'False', 'True'],
  '++': ['True', 'False', 'True'],
  '+++': ['True', 'True', 'True'],
  '++-': ['True', 'False', 'True'],
  '+--': ['False', 'False', 'True'],
  '++l': ['True', 'False', 'True'],
  '++f': ['True', 'True', 'False'],
  '++++-': ['True', 'True', 'True'],
}

for (const [states, expected] of Object.entries(CONDITIONS))
  test(`members ${states} are available, fault tolerant, with space: ${expected.join(', ')}`, () => {
    assert.equal(
      conditionsOf(reports(states)).map(({ status }) => status),
      expected,
    )
  })

test('whoever is full is named with what to do', () => {
  const { message } = conditionsOf(reports('+f+')).find(({ type }) => type === 'SpaceLeft') ?? { message: '' }
  assert.match(message, /^m1 ran out of space.*flotilla cluster disarm/)
})

test('servers ask the member beside them first, and learners never', () => {
  const members = [
    { clientURLs: ['https://c'], isLearner: false },
    { clientURLs: ['https://l'], isLearner: true },
    { clientURLs: ['https://b'], isLearner: false },
    { clientURLs: ['https://a'], isLearner: false },
  ]
  assert.equal(answering(members, 'https://b'), ['https://b', 'https://a', 'https://c'])
})

const COMMAND: Omit<EtcdCommand, 'bootstrap'> = {
  member: {
    name: 'b',
    phase: 'joining',
    clientListen: '0.0.0.0:2379',
    peerListen: '0.0.0.0:2380',
    clientUrl: 'https://10.0.0.2:2379',
    peerUrl: OURS,
    endpoints: [],
  },
  dataFolder: '/d/etcd',
  files: { ca: 'ca', server: { certificate: 's', key: 'sk' }, peer: { certificate: 'p', key: 'pk' } },
}

test('etcd opens no plain port, and lets in nobody for being signed by the authority alone', () => {
  const peers = [
    { name: 'a', url: 'https://10.0.0.1:2380' },
    { name: 'b', url: OURS },
  ]
  const words = etcdArguments({ ...COMMAND, bootstrap: { state: 'existing', peers } })
  assert.not.ok(words.some((word) => word.includes('http://')))
  for (const word of [
    '--client-cert-auth=true',
    '--peer-client-cert-auth=true',
    `--client-cert-allowed-hostname=${CLIENT_NAME}`,
    `--peer-cert-allowed-cn=${PEER_USER}`,
    `--initial-cluster=a=https://10.0.0.1:2380,b=${OURS}`,
    '--initial-cluster-state=existing',
  ])
    assert.ok(words.includes(word), word)
  assert.not.ok(words.some((word) => word.startsWith('--quota-backend-bytes')))
})

test('a discovery URL takes the place of the list of members', () => {
  const words = etcdArguments({ ...COMMAND, bootstrap: { state: 'discovery', url: 'http://d/1' }, quotaBytes: 7 })
  assert.ok(words.includes('--discovery=http://d/1') && words.includes('--quota-backend-bytes=7'))
  assert.not.ok(words.some((word) => word.startsWith('--initial-cluster')))
})

const LINES: Readonly<Record<string, readonly [level: string, text: string]>> = {
  '{"level":"info","ts":"t","caller":"c","msg":"raft"}': ['debug', 'raft'],
  '{"level":"warn","msg":"slow"}': ['info', 'slow'],
  '{"level":"fatal","msg":"listen"}': ['error', 'listen'],
  'panic: no': ['info', 'panic: no'],
  '7': ['info', '7'],
}

for (const [line, [level, text]] of Object.entries(LINES))
  test(`etcd's line ${line} is ours at ${level}`, () => {
    const said = etcdLogLine(line)
    assert.equal([said.level, said.text], [level, text])
  })

test('servers are in one slice by port and sort of address, most of them in "flotilla"', () => {
  const slices = slicesOf([
    { host: '10.0.0.3', port: 6443 },
    { host: '10.0.0.1', port: 7443 },
    { host: 'fd00::1', port: 6443 },
    { host: '10.0.0.2', port: 6443 },
    { host: '10.0.0.2', port: 6443 },
  ])
  const shown = [...slices].map(([name, { addressType, endpoints, ports }]) => [
    name,
    addressType,
    ports[0]?.port,
    endpoints.flatMap(({ addresses }) => addresses),
  ])
  assert.equal(shown, [
    ['flotilla', 'IPv4', 6443, ['10.0.0.2', '10.0.0.3']],
    ['flotilla-ipv4-7443', 'IPv4', 7443, ['10.0.0.1']],
    ['flotilla-ipv6-6443', 'IPv6', 6443, ['fd00::1']],
  ])
  assert.is(slicesOf([]).size, 0)
})

test.run()
