/** What the door answers, by path: one handler a verb. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { checkUnitName } from '../../crds/unit-name.ts'
import type { UnitDriver } from '../units/driver.ts'
import { type ActionNews, type ActionSubject, answerAction, parseAction, whyNotHere } from './action.ts'
import { parseLog, sendLog } from './log.ts'
import { sendStatus } from './reply.ts'
import { statusText } from './status-text.ts'

export type { ActionNews } from './action.ts'

export interface Call {
  readonly driver: UnitDriver
  readonly onAction: (news: ActionNews) => void
  readonly request: IncomingMessage
  readonly response: ServerResponse
  /** Fires when the client has left. */
  readonly signal: AbortSignal
}
type Handler = (call: Call) => Promise<void>

interface Refusal {
  readonly code: number
  readonly message: string
}

const METHODS: Readonly<Record<string, string>> = { log: 'GET', status: 'GET', action: 'POST' }
const PATH = /^(?:\/units\/([^/]+))?\/(log|status|action)$/

export function handlerOf(method: string | undefined, { pathname, searchParams }: URL): Handler | Refusal {
  const [, name, verb = ''] = PATH.exec(pathname) ?? []
  if (METHODS[verb] === undefined || (name === undefined && verb !== 'log'))
    return { code: 404, message: `nothing is served at ${pathname}` }
  if (METHODS[verb] !== method) return { code: 405, message: `${verb} is asked for with ${METHODS[verb]}` }
  const unitName = name === undefined ? undefined : decodeURIComponent(name)
  const wrongName = unitName === undefined ? undefined : checkUnitName(unitName)
  if (wrongName !== undefined) return { code: 400, message: wrongName }
  if (verb === 'log') return logHandler(unitName, searchParams)
  return verb === 'status' ? statusHandler(unitName ?? '') : actionHandler(unitName ?? '', searchParams)
}

function logHandler(unitName: string | undefined, query: URLSearchParams): Handler | Refusal {
  const which = parseLog(query)
  if (typeof which === 'string') return { code: 400, message: which }
  if (unitName === undefined && which.format !== 'json')
    return { code: 400, message: "a machine's whole log is given with output=json" }
  return ({ driver, response, signal }) => sendLog(driver, unitName, which, response, signal)
}

function statusHandler(unitName: string): Handler {
  return async ({ driver, response, signal }) => {
    const text = await statusText(driver, unitName, signal)
    response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8' }).end(text)
  }
}

function actionHandler(unitName: string, query: URLSearchParams): Handler | Refusal {
  const action = parseAction(query)
  if (typeof action === 'string') return { code: 400, message: action }
  return async ({ driver, onAction, request, response, signal }) => {
    const refused = await whyNotHere(driver, unitName)
    if (refused !== undefined) return sendStatus(response, 409, refused)
    await answerAction(driver, subjectOf(request, unitName), action, onAction, response, signal)
  }
}

/** Said by the API server, the only one who gets in. */
function subjectOf({ headers }: IncomingMessage, unitName: string): ActionSubject {
  const header = (name: string): string => decodeURIComponent(String(headers[name] ?? ''))
  return {
    unitName,
    name: header('flotilla-unit') || unitName,
    uid: header('flotilla-unit-uid'),
    actor: header('flotilla-user') || 'somebody',
  }
}
