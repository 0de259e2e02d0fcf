/**
 * A unit that writes down, a hundred times a second, that it runs: to a file on its machine's disk, which outlives the
 * machine, and START and STOP to the journal. It does not end on SIGTERM: systemd has to kill it.
 */
import type { LabFaults } from '../../support/lab-faults.ts'
import type { Run, Write } from './runs.ts'

export const UNIT = 'single.service'
const FOLDER = '/var/lib/exclusive-rounds'

export const TICKER = `[Service]
ExecStart=/bin/bash ${FOLDER}/ticker.sh
Restart=always
RestartSec=50ms
`

/** `read` on a pipe that nobody writes to sleeps without a process of its own. */
const SCRIPT = `exec 3<> <(:)
trap 'echo STOP $FLOTILLA_FENCING_TOKEN' TERM
echo START $FLOTILLA_FENCING_TOKEN $INVOCATION_ID
while :; do
  echo "$EPOCHREALTIME $FLOTILLA_FENCING_TOKEN $INVOCATION_ID" >>${FOLDER}/ticks
  read -rt 0.01 -u 3
done
`

type Inside = Pick<LabFaults, 'inside'>

export async function placeTicker({ inside }: Inside, machines: readonly string[]): Promise<void> {
  const script = Buffer.from(SCRIPT).toString('base64')
  const place = `mkdir -p ${FOLDER} && echo ${script} | base64 -d >${FOLDER}/ticker.sh && touch ${FOLDER}/ticks`
  await Promise.all(machines.map((machine) => inside(machine, place)))
}

export async function forgetTicks({ inside }: Inside, machines: readonly string[]): Promise<void> {
  await Promise.all(machines.map((machine) => inside(machine, `: >${FOLDER}/ticks`)))
}

const SUMMARY = `{ if (!($3 in from)) { from[$3] = $1; token[$3] = $2 } to[$3] = $1 }
END { for (run in from) print run, token[run], from[run], to[run] }`

export async function runsOf({ inside }: Inside, machines: readonly string[]): Promise<Run[]> {
  const texts = await Promise.all(machines.map((machine) => inside(machine, `awk '${SUMMARY}' ${FOLDER}/ticks`)))
  return texts.flatMap((text, index) =>
    lines(text).map(([invocation = '', token, from, to]) => ({
      ...{ machine: machines[index] ?? '', invocation, token: Number(token), fromS: Number(from), toS: Number(to) },
    })),
  )
}

export async function writesOf({ inside }: Inside, machines: readonly string[]): Promise<Write[]> {
  const texts = await Promise.all(machines.map((machine) => inside(machine, `cat ${FOLDER}/ticks`)))
  return texts.flatMap((text, index) =>
    lines(text).map(([at, token]) => ({ machine: machines[index] ?? '', token: Number(token), atS: Number(at) })),
  )
}

/** Invocations that the machines' journals tell of. */
export async function journaled({ inside }: Inside, machines: readonly string[]): Promise<Set<string>> {
  const script = `journalctl --no-pager --quiet --output=cat --unit=${UNIT} --grep='^START ' || true`
  const texts = await Promise.all(machines.map((machine) => inside(machine, script)))
  return new Set(texts.flatMap((text) => lines(text).map(([, , invocation = '']) => invocation)))
}

/** A line cut short by a power loss is no line. */
function lines(text: string): string[][] {
  const all = text.split('\n').map((line) => line.split(' '))
  return all.filter((words) => words.length >= 3)
}
