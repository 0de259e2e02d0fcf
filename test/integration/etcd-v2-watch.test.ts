/** Watches beside etcd's: what is told, when, and how it ends. The table of cases is what makes this file long. */
import * as assert from 'uvu/assert'
import { difference } from '../support/etcd-v2/difference.ts'
import { type Pair, PairConnection, startPair } from '../support/etcd-v2/pair.ts'
import { WatchPair } from '../support/etcd-v2/watch-pair.ts'
import { suiteOf } from '../support/requirements.ts'
import { until } from '../support/until.ts'

const test = suiteOf('a watcher of the door is told what one of etcd is told', { needs: ['etcd'] })

let pair: Pair
let connection: PairConnection

test.before(async () => {
  pair = await startPair()
  connection = await PairConnection.open(pair)
})
test.after(async () => {
  connection.close()
  await pair[Symbol.asyncDispose]()
})

const FORM = [['Content-Type', 'application/x-www-form-urlencoded']] as const

/** `METHOD key [form]`; both must answer the same. Returns the index. */
async function ask(line: string): Promise<number> {
  const [method = '', key = '', body] = line.split(' ')
  const target = `/v2/keys${key}`
  const answers = await connection.ask(
    body === undefined ? { method, target } : { method, target, headers: FORM, body },
  )
  assert.is(difference(answers, false), undefined, line)
  return Number(answers.theirs.headers.get('x-etcd-index'))
}

interface Watched {
  readonly promise: string
  readonly before?: readonly string[]
  /** `key?parameters`; `{n}` is the index after `before`, plus n. */
  readonly watch: readonly string[]
  readonly after: readonly string[]
  /** How many events each watch has seen in the end. */
  readonly told: readonly number[]
}

const CASES: readonly Watched[] = [
  { promise: 'a watch of a key sees its set', watch: ['/a'], after: ['PUT /a value=1', 'PUT /a value=2'], told: [1] },
  {
    promise: 'a watch of a key that is not there waits',
    watch: ['/b/c/d'],
    after: ['PUT /b/x value=1', 'PUT /b/c/d value=2'],
    told: [1],
  },
  {
    promise: 'a directory sees its own changes only',
    before: ['PUT /c dir=true'],
    watch: ['/c'],
    after: ['PUT /c/x value=1', 'PUT /c?prevExist=true ttl=100'],
    told: [1],
  },
  {
    promise: 'recursive sees what is below, but not its neighbour',
    watch: ['/d?recursive=true', '/d?recursive=true'],
    after: ['PUT /dd value=1', 'PUT /d/x/y value=1'],
    told: [1, 1],
  },
  {
    promise: 'hidden keys are for those who ask for them',
    watch: ['/e?recursive=true', '/e/_h?recursive=true', '/e/_h/x', '/?recursive=true'],
    after: ['PUT /e/_h/x value=1'],
    told: [0, 1, 1, 0],
  },
  {
    promise: 'a hidden prefix does not hide what is below it',
    watch: ['/_f/g?recursive=true', '/_f?recursive=true'],
    after: ['PUT /_f/g/h value=1'],
    told: [1, 1],
  },
  {
    promise: 'a deleted tree tells those inside',
    before: ['PUT /g/a/b value=1'],
    watch: ['/g/a/b', '/g/a', '/g', '/g/none', '/g/a?recursive=true', '/?recursive=true'],
    after: ['DELETE /g?recursive=true'],
    told: [1, 1, 1, 0, 1, 1],
  },
  {
    promise: 'streams see all',
    before: ['PUT /h/x value=0'],
    watch: ['/h?recursive=true&stream=true', '/h/x?stream=true'],
    after: [
      'PUT /h/x value=1',
      'PUT /h/y value=2',
      'PUT /h/x refresh=true&ttl=100',
      'DELETE /h/x',
      'DELETE /h?recursive=true',
      'PUT /h/x value=3',
    ],
    told: [6, 4],
  },
  {
    promise: 'a refresh wakes nobody',
    before: ['PUT /i value=1'],
    watch: ['/i', '/?recursive=true'],
    after: ['PUT /i refresh=true&ttl=100', 'PUT /other value=1'],
    told: [0, 1],
  },
  {
    promise: 'a create with refresh does',
    watch: ['/j'],
    after: ['PUT /j?prevExist=false refresh=true&ttl=100'],
    told: [1],
  },
  {
    promise: 'the past is told at once',
    before: ['PUT /k value=1', 'PUT /k value=2', 'PUT /l value=3'],
    watch: [
      '/k?waitIndex={-2}',
      '/k?waitIndex={-1}',
      '/k?waitIndex={0}',
      '/?recursive=true&waitIndex={0}',
      '/k?waitIndex={-2}&stream=true',
    ],
    after: ['PUT /k value=4'],
    told: [1, 1, 1, 1, 1],
  },
  {
    promise: 'the past shows hidden keys',
    before: ['PUT /m/_h value=1'],
    watch: ['/m?recursive=true&waitIndex={0}'],
    after: [],
    told: [1],
  },
  {
    promise: 'the past takes a prefix for a directory',
    before: ['PUT /n/x value=1', 'DELETE /n?recursive=true'],
    watch: ['/nn?waitIndex={0}', '/n/never?waitIndex={0}'],
    after: [],
    told: [1, 1],
  },
  {
    promise: 'the past leaves refreshes out',
    before: ['PUT /o value=1', 'PUT /o refresh=true&ttl=100'],
    watch: ['/o?waitIndex={0}'],
    after: ['PUT /o value=2'],
    told: [1],
  },
  {
    promise: 'the future waits for its index',
    watch: ['/p?waitIndex={3}', '/p?waitIndex={2}&stream=true'],
    after: ['PUT /p value=1', 'PUT /p value=2', 'PUT /p value=3', 'PUT /p value=4'],
    told: [1, 3],
  },
  {
    promise: 'waitIndex=0 is now',
    before: ['PUT /q value=1'],
    watch: ['/q?waitIndex=0'],
    after: ['PUT /q value=2'],
    told: [1],
  },
  {
    promise: 'expiry is told, of a directory once',
    before: ['PUT /r dir=true&ttl=1', 'PUT /r/x value=1'],
    watch: ['/r', '/r/x', '/r?recursive=true', '/r/x?stream=true', '/?recursive=true'],
    after: ['EXPIRED /r'],
    told: [1, 1, 1, 1, 1],
  },
  {
    promise: 'swaps and conditional deletes are told',
    before: ['PUT /s value=1'],
    watch: ['/s?stream=true'],
    after: ['PUT /s?prevValue=1 value=2', 'DELETE /s?prevValue=2'],
    told: [3],
  },
  {
    promise: 'a file that becomes a directory is one event',
    before: ['PUT /t value=1'],
    watch: ['/t', '/t?recursive=true'],
    after: ['PUT /t dir=true'],
    told: [1, 1],
  },
]

async function settled(line: string): Promise<void> {
  if (!line.startsWith('EXPIRED ')) return void (await ask(line))
  const target = `/v2/keys${line.split(' ')[1]}`
  const isGone = async () => {
    const { ours, theirs } = await connection.ask({ method: 'GET', target })
    return ours.status === 404 && theirs.status === 404
  }
  await until(isGone, { what: `${target} ended on both sides` })
}

async function openAll(watched: Watched, index: number): Promise<WatchPair[]> {
  const watches: WatchPair[] = []
  for (const each of watched.watch) {
    const url = each.replace(/\{(-?\d+)\}/, (_, offset) => String(index + Number(offset)))
    const [key = '', parameters = ''] = url.split('?')
    const opened = await WatchPair.open(pair, `/v2/keys${key}?wait=true&${parameters}`)
    assert.is(opened.difference, undefined)
    if (opened.watch) watches.push(opened.watch)
  }
  return watches
}

for (const watched of CASES)
  test(watched.promise, async () => {
    let index = 0
    for (const line of watched.before ?? []) index = await ask(line)
    if (index === 0) index = await ask('GET /?recursive=false')
    const watches = await openAll(watched, index)
    for (const line of watched.after) await settled(line)
    for (const [at, watch] of watches.entries()) {
      assert.is(await watch.difference(), undefined)
      assert.is([...watch.events.matchAll(/"action"/g)].length, watched.told[at], watch.target)
      watch.close()
    }
  })

test('the thousandth-last change is the oldest that is told', async () => {
  const put = { method: 'PUT', target: '/v2/keys/window', headers: FORM, body: 'value=1' }
  for (let i = 0; i < 1_005; i += 1) connection.send(put)
  for (let i = 0; i < 1_005; i += 1) await Promise.all([connection.ours.answer('PUT'), connection.theirs.answer('PUT')])
  const index = await ask('PUT /window value=last')
  for (const [since, told] of [
    [index - 999, 1],
    [index - 1_000, 0],
    [1, 0],
  ] as const) {
    const opened = await WatchPair.open(pair, `/v2/keys/window?wait=true&waitIndex=${since}`)
    assert.is(opened.difference, undefined)
    assert.is(opened.watch === undefined ? 0 : 1, told, `waitIndex ${index - since} before the last`)
    assert.is(await opened.watch?.difference(), undefined)
    opened.watch?.close()
  }
})

test('the connection of a watch that has ended serves the next request', async () => {
  const own = await PairConnection.open(pair)
  own.send({ method: 'GET', target: '/v2/keys/again?wait=true' })
  const heads = await Promise.all([own.ours.head(), own.theirs.head()])
  assert.is(heads[0].headers.get('connection') === 'close', false)
  await ask('PUT /again value=1')
  for (const side of [own.ours, own.theirs]) {
    assert.match((await side.chunk()) ?? '', /"value":"1"/)
    assert.is(await side.chunk(), undefined)
  }
  assert.is(difference(await own.ask({ method: 'GET', target: '/v2/keys/again' })), undefined)
  own.close()
})

test.run()
