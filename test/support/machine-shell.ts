/** A shell on a machine, held open through `flotilla exec -i`: asking a machine something costs no new process here. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { BUNDLE, type Product } from './product.ts'
import { within } from './within.ts'

export interface MachineShell extends AsyncDisposable {
  /** What the script printed, trimmed; rejects where it exits with anything but 0. One after the other. */
  run(script: string): Promise<string>
}

const RUN_TIMEOUT_MS = 10_000
const CLOSE_TIMEOUT_MS = 5_000

export function openMachineShell({ kubeconfig }: Product, machine: string): MachineShell {
  const env = { ...process.env, KUBECONFIG: kubeconfig }
  const child = spawn(process.execPath, [BUNDLE, 'exec', '-i', machine, '--', 'sh'], { env, stdio: 'pipe' })
  child.stdin.on('error', () => undefined) // EPIPE: the machine is gone, and the next answer will not come
  const answers = answersOf(child)
  let last: Promise<unknown> = Promise.resolve()
  return {
    run: (script) => {
      const mine = last.then(() => within(RUN_TIMEOUT_MS, answers.to(script), `${machine}: ${script}`))
      last = mine.catch(() => undefined)
      return mine
    },
    async [Symbol.asyncDispose]() {
      child.stdin.end()
      const closed =
        child.exitCode ?? within(CLOSE_TIMEOUT_MS, once(child, 'close'), `the shell on ${machine} to close`)
      await Promise.resolve(closed).catch(() => child.kill('SIGKILL'))
    },
  }
}

/** Each script ends with a line that no other script prints, and its exit code. */
function answersOf(child: ChildProcessWithoutNullStreams) {
  let printed = ''
  let asked = 0
  let look = () => {}
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    printed += text
    look()
  })
  child.stderr.resume()
  const to = (script: string): Promise<string> => {
    const end = `end-of-script-${++asked}`
    const pattern = new RegExp(`(?:^|\\n)${end} (\\d+)\\n`)
    return new Promise((resolve, reject) => {
      look = () => {
        const found = pattern.exec(printed)
        if (!found) return
        const text = printed.slice(0, found.index).trim()
        printed = ''
        if (found[1] === '0') resolve(text)
        else reject(new Error(`${script}: exited with ${found[1]}: ${text}`))
      }
      child.stdin.write(`( ${script}\n) 2>&1 < /dev/null; printf '\\n${end} %s\\n' $?\n`)
    })
  }
  return { to }
}
