import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Unit } from '../../../../../crds/unit.ts'
import { needsOf } from '../../../../../node-agent/units/sources/needs.ts'

const test = suite('agent: what units take from elsewhere')

function unit(spec: Partial<Unit['spec']>): Unit {
  const whole = { desiredState: 'launched', failover: 'none', content: '', ...spec } as const
  return { apiVersion: 'flotilla.dev/v1', kind: 'Unit', metadata: { name: 'a.service' }, spec: whole }
}

test('each ConfigMap and each use of a Secret is needed once, however many units name it', () => {
  const login = { name: 'login', secretKeyRef: { name: 's', key: 'k' } }
  const needs = needsOf([
    unit({
      environment: [
        { name: 'A', value: 'literal' },
        { name: 'B', configMapKeyRef: { name: 'm', key: 'x' } },
      ],
    }),
    unit({ environment: [{ name: 'C', configMapKeyRef: { name: 'm', key: 'y' } }], credentials: [login] }),
    unit({ credentials: [login, { ...login, name: 'other' }] }),
    unit({}),
  ])
  assert.equal([...needs.configMaps], ['m'])
  const use = { secret: 's', key: 'k' }
  assert.equal(
    [...needs.secrets],
    [
      [
        's',
        [
          { ...use, credential: 'login' },
          { ...use, credential: 'other' },
        ],
      ],
    ],
  )
})

test.run()
