/**
 * Placement as a table: what is asked for, in [X-Fleet] or in spec.placement, and where systemd is to run it (spec: fleet
 * §2.2 specifiers, §2.3). Longer than other files, for it is a table. Each row is a promise of fleet-placement.test.ts.
 */
import type { Unit } from '../../crds/unit.ts'
import type { Wanted } from '../support/lab-fleet.ts'

type Expression = NonNullable<
  NonNullable<NonNullable<Unit['spec']['placement']>['machineSelector']>['matchExpressions']
>[number]
const x = (...xFleet: readonly string[]): Wanted => ({ xFleet })
const selecting = (...matchExpressions: readonly Expression[]): Wanted => ({
  placement: { machineSelector: { matchExpressions: [...matchExpressions] } },
})

export const LABELS = {
  m1: ['box=m1', 'region=east', 'disk=ssd', 'cpus=4'],
  m2: ['box=m2', 'region=west', 'disk=ssd', 'cpus=8', 'gpu=yes', 'whole=full.service'],
  m3: ['box=m3', 'region=north', 'disk=hdd', 'cpus=16'],
}
const WEST = 'MachineMetadata=region=west'
const EAST = 'MachineMetadata=region=east'

/** There before all others, so that those have something to follow and to avoid. */
export const FIRST: Readonly<Record<string, Wanted>> = {
  'lead-a.service': x(WEST),
  'lead-b.service': x(WEST),
  'lead-c.service': x(EAST),
  'lead-loaded.service': { ...x('MachineMetadata=region=north'), spec: { desiredState: 'loaded' } },
  'lead-global.service': x('Global=true', 'MachineMetadata=disk=hdd'),
  'web@1.service': x(WEST),
  'web@2.service': x(EAST),
  'base.service': x(WEST),
  'grim.service': x(WEST, 'Conflicts=victim*'),
}

/** Whole ID of a machine, known once it has booted. */
type MachineId = (machine: string) => string

/** Machines on which systemd runs it, `*` for any one; or why it waits. */
type Outcome = string | RegExp
export type Row = readonly [
  promise: string,
  unit: string,
  wanted: Wanted | ((id: MachineId) => Wanted),
  outcome: Outcome,
]

export const ROWS: readonly Row[] = [
  ['MachineID pins to a machine by its whole ID', 'id-whole.service', (id) => x(`MachineID=${id('m2')}`), 'm2'],
  ['MachineID: eight characters are enough', 'id-8.service', (id) => x(`MachineID=${id('m3').slice(0, 8)}`), 'm3'],
  ['MachineID: seven are nobody', 'id-7.service', (id) => x(`MachineID=${id('m3').slice(0, 7)}`), /not machine/],
  [
    'MachineID: given twice, the first counts',
    'id-twice.service',
    (id) => x(`MachineID=${id('m1')}`, `MachineID=${id('m2')}`),
    'm1',
  ],
  ['X-ConditionMachineID still counts', 'id-old.service', (id) => x(`X-ConditionMachineID=${id('m3')}`), 'm3'],
  ['X-ConditionMachineBootID too', 'id-boot.service', (id) => x(`X-ConditionMachineBootID=${id('m1')}`), 'm1'],
  [
    'of the old spellings and the new the new one wins',
    'id-both.service',
    (id) => x(`X-ConditionMachineID=${id('m1')}`, `MachineID=${id('m2')}`),
    'm2',
  ],
  ['placement.machineID is MachineID', 'id-field.service', (id) => ({ placement: { machineID: id('m2') } }), 'm2'],
  [
    'placement.machineID: eight characters are enough',
    'id-field-8.service',
    (id) => ({ placement: { machineID: id('m1').slice(0, 8) } }),
    'm1',
  ],
  [
    'MachineID and MachineMetadata both hold',
    'id-meta.service',
    (id) => x(`MachineID=${id('m3')}`, 'MachineMetadata=disk=ssd'),
    /m3: has no metadata disk=ssd/,
  ],
  [
    'a MachineID in the file and another in the field are met by no machine',
    'id-clash.service',
    (id) => ({ ...x(`MachineID=${id('m1')}`), placement: { machineID: id('m2') } }),
    /m1: not machine .*m2: not machine/,
  ],

  ['MachineMetadata finds its machine', 'meta.service', x(WEST), 'm2'],
  [
    'MachineMetadata: values of one key are alternatives, keys all count',
    'meta-or-and.service',
    x('MachineMetadata="region=north" "disk=ssd"', 'MachineMetadata=region=west'),
    'm2',
  ],
  [
    'X-ConditionMachineMetadata adds its values',
    'meta-old.service',
    x('X-ConditionMachineMetadata=region=east', 'MachineMetadata=region=north', 'MachineMetadata=disk=hdd'),
    'm3',
  ],
  [
    'MachineMetadata that no machine has is waited for',
    'meta-none.service',
    x('MachineMetadata=region=south'),
    /m1: has no metadata region=south; m2: .*; m3: /,
  ],
  [
    'MachineMetadata that is no key=value is passed over',
    'meta-loose.service',
    x('MachineMetadata=region=south disk=tape'),
    '*',
  ],
  [
    'placement.machineMetadata is MachineMetadata',
    'meta-field.service',
    { placement: { machineMetadata: ['region=north', 'region=west', 'disk=ssd'] } },
    'm2',
  ],
  [
    'MachineMetadata in the file and in the field both hold',
    'meta-both.service',
    { ...x('MachineMetadata=disk=ssd'), placement: { machineMetadata: ['region=east'] } },
    'm1',
  ],
  [
    'labels with a domain are no metadata',
    'meta-domain.service',
    x('MachineMetadata=kubernetes.io/hostname=m1'),
    /has no metadata kubernetes\.io/,
  ],

  ['MachineOf follows its leader', 'f-one.service', x('MachineOf=lead-a.service'), 'm2'],
  [
    'MachineOf: all of several leaders count',
    'f-all.service',
    x('MachineOf=lead-a.service', 'MachineOf=lead-b.service'),
    'm2',
  ],
  [
    'MachineOf: leaders that are apart have no follower',
    'f-apart.service',
    x('MachineOf=lead-a.service', 'MachineOf=lead-c.service'),
    /lead-[ac]\.service is on m/,
  ],
  ['MachineOf: blanks part no names', 'f-blank.service', x('MachineOf=lead-a.service lead-b.service'), /is not placed/],
  ['MachineOf: a glob is no name', 'f-glob.service', x('MachineOf=lead-*.service'), /lead-\*\.service is not placed/],
  ['MachineOf: a leader that is only loaded is followed', 'f-loaded.service', x('MachineOf=lead-loaded.service'), 'm3'],
  [
    'MachineOf: a Global leader is followed to where it is',
    'f-global.service',
    x('MachineOf=lead-global.service'),
    'm3',
  ],
  ['X-ConditionMachineOf still counts', 'f-old.service', x('X-ConditionMachineOf=lead-c.service'), 'm1'],
  ['MachineOf: a follower may be followed', 'f-chain.service', x('MachineOf=f-one.service'), 'm2'],
  ['MachineOf: its own name means nothing', 'f-self.service', x('MachineOf=f-self.service', EAST), 'm1'],
  ['MachineOf=web@%i pairs side@1 with web@1', 'side@1.service', x('MachineOf=web@%i.service'), 'm2'],
  ['MachineOf=web@%i pairs side@2 with web@2', 'side@2.service', x('MachineOf=web@%i.service'), 'm1'],
  ['placement.machineOf is MachineOf', 'f-field.service', { placement: { machineOf: ['lead-c.service'] } }, 'm1'],
  [
    'a cycle of MachineOf, which fleet left waiting, is placed as one',
    'cycle-a.service',
    x('MachineOf=cycle-b.service'),
    'm3',
  ],
  ['and so is its other half', 'cycle-b.service', x('MachineOf=cycle-a.service', 'MachineMetadata=region=north'), 'm3'],

  [
    'Conflicts keeps away from what it names',
    'c-name.service',
    x(WEST, 'Conflicts=base.service'),
    /m2: conflicts with base\.service/,
  ],
  [
    'Conflicts: one line names two',
    'c-two.service',
    x(WEST, 'Conflicts=other.service base.service'),
    /m2: conflicts with base\.service/,
  ],
  [
    'Conflicts: ? and * are globs',
    'c-glob.service',
    x(WEST, 'Conflicts=b?s*.service'),
    /m2: conflicts with base\.service/,
  ],
  [
    'Conflicts: [a-c] is a glob',
    'c-class.service',
    x(WEST, 'Conflicts=[a-c]ase.service'),
    /m2: conflicts with base\.service/,
  ],
  ['Conflicts: a bad pattern matches nothing', 'c-bad.service', x(WEST, 'Conflicts=base['), 'm2'],
  ['Conflicts never means the unit itself', 'c-own.service', x(WEST, 'Conflicts=c-own*'), 'm2'],
  ['Conflicts holds the other way round as well', 'victim.service', x(WEST), /m2: conflicts with grim\.service/],
  [
    'what has somewhere else to go avoids those whose Conflicts name it',
    'victim2.service',
    x('MachineMetadata=disk=ssd'),
    'm1',
  ],
  [
    'X-Conflicts still counts',
    'c-old.service',
    x(WEST, 'X-Conflicts=base.service'),
    /m2: conflicts with base\.service/,
  ],
  [
    'Conflicts: %p and %i are filled in',
    'c@base.service',
    x(WEST, 'Conflicts=%i.service'),
    /m2: conflicts with base\.service/,
  ],
  [
    'placement.conflicts is Conflicts',
    'c-field.service',
    { ...x(WEST), placement: { conflicts: ['bas?.service'] } },
    /m2: conflicts with base\.service/,
  ],

  ...['true', 'YES', '1', 'On', 't'].map(
    (word): Row => [
      `Global=${word} is on each machine that matches`,
      `g-${word.toLowerCase()}.service`,
      x(`Global=${word}`, 'MachineMetadata=disk=ssd'),
      'm1,m2',
    ],
  ),
  ['Global: its last value counts', 'g-last.service', x('Global=true', 'Global=no', WEST), 'm2'],
  [
    'placement.global is Global',
    'g-field.service',
    { placement: { global: true, machineMetadata: ['disk=ssd'] } },
    'm1,m2',
  ],
  [
    'Global with Conflicts leaves out where those are',
    'g-conflict.service',
    x('Global=true', 'Conflicts=base.service'),
    'm1,m3',
  ],

  ['%i is the instance', 'at@m3.service', x('MachineMetadata=box=%i'), 'm3'],
  ['%p is what stands before the @', 'm1@any.service', x('MachineMetadata=box=%p'), 'm1'],
  ['%N is the name without its type', 'm2.service', x('MachineMetadata=box=%N'), 'm2'],
  ['%n is the whole name', 'full.service', x('MachineMetadata=whole=%n'), 'm2'],
  ['unknown options of [X-Fleet] are passed over', 'bogus.service', x('Bogus=1', EAST), 'm1'],
  [
    'sections and options are told apart by case',
    'case.service',
    {
      spec: {
        content:
          '[Service]\nExecStart=/bin/sleep infinity\n[x-fleet]\nMachineMetadata=region=south\n[X-Fleet]\nmachinemetadata=region=south\nMachineMetadata=region=east\n',
      },
    },
    'm1',
  ],

  [
    'machineSelector: matchLabels',
    's-labels.service',
    { placement: { machineSelector: { matchLabels: { region: 'west' } } } },
    'm2',
  ],
  [
    'machineSelector: In',
    's-in.service',
    selecting({ key: 'region', operator: 'In', values: ['north', 'south'] }),
    'm3',
  ],
  [
    'machineSelector: NotIn',
    's-notin.service',
    selecting({ key: 'region', operator: 'NotIn', values: ['north', 'west'] }),
    'm1',
  ],
  ['machineSelector: Exists', 's-exists.service', selecting({ key: 'gpu', operator: 'Exists' }), 'm2'],
  [
    'machineSelector: all expressions hold, and DoesNotExist is one',
    's-absent.service',
    selecting({ key: 'gpu', operator: 'DoesNotExist' }, { key: 'disk', operator: 'In', values: ['ssd'] }),
    'm1',
  ],
  [
    'machineSelector: Gt compares numbers',
    's-gt.service',
    selecting({ key: 'cpus', operator: 'Gt', values: ['8'] }),
    'm3',
  ],
  [
    'machineSelector: Lt compares numbers',
    's-lt.service',
    selecting({ key: 'cpus', operator: 'Lt', values: ['8'] }),
    'm1',
  ],
  [
    'machineSelector that nothing meets is waited for, and says what is missing',
    's-none.service',
    selecting({ key: 'cpus', operator: 'Gt', values: ['64'] }),
    /m1: lacks label cpus > 64|m1: lacks label .*64/,
  ],
  [
    'preferred: the greater weight beats the lesser, however loaded the machine',
    'p-weight.service',
    {
      placement: {
        preferred: [
          { weight: 10, machineSelector: { matchLabels: { region: 'east' } } },
          { weight: 60, machineSelector: { matchLabels: { region: 'west' } } },
        ],
      },
    },
    'm2',
  ],
  [
    'preferred that cannot be met hinders nothing',
    'p-none.service',
    { ...x(EAST), placement: { preferred: [{ weight: 100, machineSelector: { matchLabels: { region: 'west' } } }] } },
    'm1',
  ],
  [
    'requests beyond any machine are waited for, and say how much is free',
    'r-cpu.service',
    { spec: { resources: { requests: { cpu: '4000' } } } },
    /has not enough cpu for 4k?/,
  ],
]
