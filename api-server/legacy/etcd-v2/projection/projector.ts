/**
 * Decides writes on keys that show objects. A decision first brings the key in line with its object, if that has changed,
 * then does what etcd would, then puts the object's own write beside it: all of it goes into one transaction, under the
 * compares of `/v2/index` and of each object that was looked at. So node and object cannot disagree, whoever writes and
 * wherever it ends, and each change is told once by each side.
 */
import type { ApiObject } from '../../../../crds/kind.ts'
import type { Identity } from '../../../auth/identity.ts'
import type { Authorizer } from '../../../auth/rbac/authorizer.ts'
import { storeKey } from '../../../registry/encode.ts'
import { StatusError } from '../../../registry/errors.ts'
import { updatedBy } from '../../../registry/managed-fields/track.ts'
import { type PreparedWrite, prepareDelete, prepareWrite } from '../../../registry/prepared-write.ts'
import type { Place, Registry } from '../../../registry/registry.ts'
import { bytesOfText } from '../bytes.ts'
import type { Draft } from '../draft.ts'
import { type Failure, failure, isFailure } from '../failure.ts'
import type { Node } from '../node.ts'
import { type Done, decide, type Expiry, type Write } from '../operations.ts'
import type { Replica } from '../replica.ts'
import { isBelow } from '../tree.ts'
import { type ObjectVerb, refusalOf } from './access.ts'
import { alignNode } from './align.ts'
import { MAX_KEYS, type ObjectBatch } from './batch.ts'
import type { Claim } from './claims.ts'
import { isNear, locate } from './location.ts'
import type { Projection } from './projection.ts'
import type { Shown } from './shown.ts'

/** Brings a key in line with its object; nobody waits for an answer. */
export interface Alignment {
  readonly do: 'align'
  readonly key: string
}

export type Task = Write | Expiry | Alignment

/** `nothing`: no change was due. `later`: not in this batch. */
export type Verdict = Done | Failure | 'nothing' | 'later'

export interface Turn {
  readonly batch: ObjectBatch
  readonly nowMs: number
  /** Undefined: the server itself. */
  readonly identity: Identity | undefined
}

export interface ProjectorDeps {
  readonly registry: Registry
  readonly authorizer: Authorizer
  readonly replica: Replica
  readonly shown: Shown
}

const OWNERSHIP = updatedBy({ manager: 'etcd-v2' })
const MAX_QUESTIONS = 50
const MAX_NAMES = 10

export class Projector {
  readonly #deps: ProjectorDeps

  constructor(deps: ProjectorDeps) {
    this.#deps = deps
  }

  /** Whether a write on this key is this projector's to decide. */
  concerns(key: string): boolean {
    return isNear(this.#deps.shown.projections, key)
  }

  /**
   * Resolves when the watch cache shows every object that the tree knows of. Decisions must follow in the same turn:
   * a tree that is ahead would take objects it has just made for gone. Rejects where others write without end.
   */
  async upToDate(): Promise<void> {
    const { registry, replica } = this.#deps
    for (let asked = 0; asked < MAX_QUESTIONS; asked++) {
      const before = replica.indexRevision
      await registry.fresh.ensure()
      if (before === replica.indexRevision) return
    }
    throw new Error('other servers write faster than this one can follow')
  }

  decide(draft: Draft, task: Task, turn: Turn): Verdict {
    const { projections } = this.#deps.shown
    const key = task.do === 'create-in-order' ? `${task.key}/${draft.index + 1}` : task.key
    const location = locate(projections, key)
    if (location.is === 'object') return this.#decideObject(draft, task, turn, location.projection)
    if (task.do === 'align') return 'nothing'
    if (location.is === 'above') return this.#decideAbove(draft, task, turn, location.projections)
    const isRemoval = task.do === 'expire' || task.do === 'delete' || task.do === 'delete-if'
    if (location.is === 'refused' && !isRemoval) return inBytes(location.why)
    return decide(draft, task, turn.nowMs) ?? 'nothing'
  }

  #decideObject(draft: Draft, task: Task, turn: Turn, projection: Projection): Verdict {
    const { key } = task
    if (!turn.batch.take([key])) return 'later'
    const hindrance = this.#align(draft, key, turn)
    if (hindrance !== undefined) return hindrance
    if (task.do === 'align') return 'nothing'
    const claim = this.#deps.shown.at(key)
    const refused = this.#refusal(turn, verbOf(task, claim), projection, claim)
    if (refused) return refused
    return this.#together(draft, task, turn, () => this.#objectWrite(projection, claim, key, draft.get(key)))
  }

  #decideAbove(draft: Draft, task: Write | Expiry, turn: Turn, projections: readonly Projection[]): Verdict {
    const { key } = task
    if (task.do !== 'expire' && task.do !== 'delete' && task.do !== 'delete-if') {
      if (task.expires !== undefined) return failure(209, 'a directory of objects cannot have a time to live')
      const makesFile = (task.do === 'set' || task.do === 'create') && !task.dir
      return makesFile && draft.get(key) === undefined
        ? failure(102, key)
        : (decide(draft, task, turn.nowMs) ?? 'nothing')
    }
    const keys = projections.flatMap((each) => [...this.#deps.shown.keysOf(each)]).filter((each) => isBelow(each, key))
    if (keys.length > MAX_KEYS)
      return failure(108, `${key} holds ${keys.length} objects; at most ${MAX_KEYS} go at once`)
    if (turn.batch.isBusyBelow(key) || !turn.batch.take(keys)) return 'later'
    for (const each of keys) this.#align(draft, each, turn)
    const claims = keys.flatMap((each) => this.#deps.shown.at(each) ?? [])
    for (const claim of claims) {
      const refused = this.#refusal(turn, 'delete', claim.projection, claim)
      if (refused) return refused
    }
    return this.#together(draft, task, turn, () => this.#removeAll(claims))
  }

  /** The node's part and the object's, or neither. */
  #together(draft: Draft, task: Write | Expiry, turn: Turn, write: () => PreparedWrite | Failure): Verdict {
    const undo = draft.save()
    const done = decide(draft, task, turn.nowMs)
    if (done === undefined) return 'nothing'
    if (isFailure(done)) return done
    const written = prepared(write)
    if (!isFailure(written) && turn.batch.add(written)) return done
    undo()
    return isFailure(written) ? inBytes(written) : 'later'
  }

  #align(draft: Draft, key: string, { batch, nowMs }: Turn): Failure | undefined {
    const claim = this.#deps.shown.at(key)
    const hindrance = alignNode(draft, key, claim, nowMs)
    if (hindrance === 'aligned') return undefined
    if (claim) batch.add({ compare: [{ key: keyOf(placeOf(claim)), modified: claim.entry.version }], operations: [] })
    return hindrance
  }

  #refusal({ identity }: Turn, verb: ObjectVerb, { kind }: Projection, claim: Claim | undefined): Failure | undefined {
    if (identity === undefined) return undefined
    return refusalOf(this.#deps.authorizer, identity, { verb, kind, name: claim?.entry.name, object: claim?.object })
  }

  #objectWrite(
    projection: Projection,
    claim: Claim | undefined,
    key: string,
    node: Node | undefined,
  ): PreparedWrite | Failure {
    const { registry, shown } = this.#deps
    if (node === undefined) return claim ? prepareDelete(registry, placeOf(claim)) : failure(100, key)
    if (node.value === undefined) return failure(102, key)
    const nameAt = (other: string) => shown.at(other)?.entry.name
    const asText = { key: textOf(key), value: textOf(node.value), expires: node.expires }
    const next = projection.toObject(asText, claim?.object, nameAt)
    if (isFailure(next)) return next
    const place = claim ? placeOf(claim) : this.#freePlace(projection, next)
    if (place === undefined) return failure(105, key)
    const copy = structuredClone(next)
    return prepareWrite(registry, place, { ...copy, metadata: { ...copy.metadata, name: place.name } }, OWNERSHIP)
  }

  /** An object of that name may be there that shows another key, or none. */
  #freePlace({ kind }: Projection, { metadata }: ApiObject): Place | undefined {
    for (let n = 1; n <= MAX_NAMES; n++) {
      const place = { kind, namespace: metadata.namespace, name: n === 1 ? metadata.name : `${metadata.name}-${n}` }
      if (this.#deps.registry.find(place) === undefined) return place
    }
    return undefined
  }

  /** An object may hold several keys. */
  #removeAll(claims: readonly Claim[]): PreparedWrite {
    const places = new Map(claims.map((claim) => [keyOf(placeOf(claim)), placeOf(claim)]))
    const writes = [...places.values()].map((place) => prepareDelete(this.#deps.registry, place))
    return {
      compare: writes.flatMap(({ compare }) => compare),
      operations: writes.flatMap(({ operations }) => operations),
    }
  }
}

function verbOf(task: Write | Expiry, claim: Claim | undefined): ObjectVerb {
  if (task.do === 'expire' || task.do === 'delete' || task.do === 'delete-if') return 'delete'
  return task.do === 'create' || (task.do === 'set' && claim === undefined) ? 'create' : 'update'
}

/** What the registry refuses is an invalid value to an old client. */
function prepared(write: () => PreparedWrite | Failure): PreparedWrite | Failure {
  try {
    return write()
  } catch (error) {
    if (error instanceof StatusError) return failure(209, error.message)
    throw error
  }
}

function placeOf({ projection, entry }: Claim): Place {
  return { kind: projection.kind, namespace: entry.namespace, name: entry.name }
}

function keyOf({ kind, namespace, name }: Place): string {
  return storeKey(kind, namespace, name)
}

function inBytes({ code, cause }: Failure): Failure {
  return failure(code, bytesOfText(cause))
}

function textOf(bytes: string): string {
  return Buffer.from(bytes, 'latin1').toString('utf8')
}
