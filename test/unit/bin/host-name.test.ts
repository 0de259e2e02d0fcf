import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { machineNameOfHost } from '../../../bin/host-name.ts'

const test = suite('the host as a machine')

test('any host name becomes a legal name of a Machine', () => {
  const names: readonly (readonly [host: string, machine: string])[] = [
    ['web-1.example.org', 'web-1.example.org'],
    ['Web_1', 'web-1'],
    ['-odd-.-', 'odd'],
    ['Мишин box', 'box'],
    ['', 'localhost'],
  ]
  for (const [host, machine] of names) assert.is(machineNameOfHost(host), machine)
})

test.run()
