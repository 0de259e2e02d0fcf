import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { refusals } from '../../../../node-agent/units/systemd-verify.ts'

const test = suite('what systemd-analyze verify says')

/** As systemd 252 says it, with the folder of the candidates taken out. */
const SAID: readonly (readonly [title: string, said: string, refused: Readonly<Record<string, string>>])[] = [
  ['nothing is fine', '', {}],
  [
    'a file that would not be loaded, with all that is said of it',
    "a.service:3: Unknown key 'Bogus' in section [Service], ignoring.\na.service: Service has more than one ExecStart= setting. Refusing.\nUnit a.service has a bad unit file setting.\n",
    {
      'a.service':
        "Unit a.service has a bad unit file setting. a.service:3: Unknown key 'Bogus' in section [Service], ignoring. a.service: Service has more than one ExecStart= setting. Refusing.",
    },
  ],
  [
    'an unknown key alone is ignored, as systemd does',
    "a.service:3: Unknown key 'Bogus' in section [Service], ignoring.\n",
    {},
  ],
  [
    'a program that is missing now may be there when the unit starts',
    'a.service: Command /no/such is not executable: No such file or directory\n',
    {},
  ],
  [
    'a socket whose service is not there yet',
    'a.socket: service a.service not loaded, socket cannot be started.\n',
    {},
  ],
  [
    'a bad drop-in is told with the file it is in',
    'a.service.d/x.conf:2: Neither a valid executable name nor an absolute path: x/y\nUnit a.service has a bad unit file setting.\n',
    {
      'a.service':
        'Unit a.service has a bad unit file setting. a.service.d/x.conf:2: Neither a valid executable name nor an absolute path: x/y',
    },
  ],
  [
    'another unit that is broken, and one whose name begins alike, are not ours',
    'Unit other.service has a bad unit file setting.\nUnit a.service.d.service has a bad unit file setting.\n',
    {},
  ],
  ['a type that no file can make', 'Unit b.scope not found.\n', { 'b.scope': 'Unit b.scope not found.' }],
]

for (const [title, said, refused] of SAID)
  test(title, () => {
    assert.equal(Object.fromEntries(refusals(said, ['a.service', 'a.socket', 'b.scope'])), refused)
  })

test.run()
