/**
 * The part of etcd's v3 protocol that is called, as data: the command runs from one bundle without files beside it, so
 * there is no .proto to read. Field numbers are those of etcd's rpc.proto and kv.proto (api/etcdserverpb, api/mvccpb),
 * the same from 3.4 to 3.6; fields that nobody here sets or reads are left out, which protobuf allows.
 */
import { fromJSON, type MethodDefinition } from '@grpc/proto-loader'

interface Field {
  type: string
  id: number
  rule?: 'repeated'
}

type Fields = Record<string, Field>

const field = (type: string) => (id: number) => ({ type, id })
const [bytes, text, flag] = [field('bytes'), field('string'), field('bool')]
const [int64, uint64, number] = [field('int64'), field('uint64'), field('int32')]
const of = (type: string, id: number): Field => ({ type, id })
const many = (type: string, id: number): Field => ({ type, id, rule: 'repeated' })
const message = (fields: Fields) => ({ fields })
const choice = (name: string, fields: Fields) => ({ fields, oneofs: { [name]: { oneof: Object.keys(fields) } } })
const HEADER = { header: of('ResponseHeader', 1) }

const VALUES = {
  ResponseHeader: message({ cluster_id: uint64(1), member_id: uint64(2), revision: int64(3), raft_term: uint64(4) }),
  KeyValue: message({
    key: bytes(1),
    create_revision: int64(2),
    mod_revision: int64(3),
    version: int64(4),
    value: bytes(5),
  }),
  Event: message({ type: number(1), kv: of('KeyValue', 2), prev_kv: of('KeyValue', 3) }),
}

const KEYS = {
  RangeRequest: message({
    key: bytes(1),
    range_end: bytes(2),
    limit: int64(3),
    revision: int64(4),
    keys_only: flag(8),
    count_only: flag(9),
  }),
  RangeResponse: message({ ...HEADER, kvs: many('KeyValue', 2), more: flag(3), count: int64(4) }),
  PutRequest: message({ key: bytes(1), value: bytes(2) }),
  PutResponse: message(HEADER),
  DeleteRangeRequest: message({ key: bytes(1), range_end: bytes(2) }),
  DeleteRangeResponse: message({ ...HEADER, deleted: int64(2) }),
  RequestOp: choice('request', {
    request_range: of('RangeRequest', 1),
    request_put: of('PutRequest', 2),
    request_delete_range: of('DeleteRangeRequest', 3),
  }),
  ResponseOp: choice('response', {
    response_range: of('RangeResponse', 1),
    response_put: of('PutResponse', 2),
    response_delete_range: of('DeleteRangeResponse', 3),
  }),
  Compare: {
    fields: {
      result: number(1),
      target: number(2),
      key: bytes(3),
      version: int64(4),
      create_revision: int64(5),
      mod_revision: int64(6),
    },
    oneofs: { target_union: { oneof: ['version', 'create_revision', 'mod_revision'] } },
  },
  TxnRequest: message({ compare: many('Compare', 1), success: many('RequestOp', 2), failure: many('RequestOp', 3) }),
  TxnResponse: message({ ...HEADER, succeeded: flag(2), responses: many('ResponseOp', 3) }),
  CompactionRequest: message({ revision: int64(1) }),
  CompactionResponse: message(HEADER),
}

const WATCHES = {
  WatchCreateRequest: message({
    key: bytes(1),
    range_end: bytes(2),
    start_revision: int64(3),
    prev_kv: flag(6),
    fragment: flag(8),
  }),
  WatchRequest: choice('request_union', { create_request: of('WatchCreateRequest', 1) }),
  WatchResponse: message({
    ...HEADER,
    created: flag(3),
    canceled: flag(4),
    compact_revision: int64(5),
    cancel_reason: text(6),
    fragment: flag(7),
    events: many('Event', 11),
  }),
}

const MEMBERS = {
  Member: message({
    ID: uint64(1),
    name: text(2),
    peerURLs: many('string', 3),
    clientURLs: many('string', 4),
    isLearner: flag(5),
  }),
  MemberAddRequest: message({ peerURLs: many('string', 1), isLearner: flag(2) }),
  MemberAddResponse: message({ ...HEADER, member: of('Member', 2), members: many('Member', 3) }),
  MemberRemoveRequest: message({ ID: uint64(1) }),
  MemberRemoveResponse: message({ ...HEADER, members: many('Member', 2) }),
  MemberListRequest: message({}),
  MemberListResponse: message({ ...HEADER, members: many('Member', 2) }),
  MemberPromoteRequest: message({ ID: uint64(1) }),
  MemberPromoteResponse: message({ ...HEADER, members: many('Member', 2) }),
}

const CARE = {
  AlarmRequest: message({ action: number(1), memberID: uint64(2), alarm: number(3) }),
  AlarmMember: message({ memberID: uint64(1), alarm: number(2) }),
  AlarmResponse: message({ ...HEADER, alarms: many('AlarmMember', 2) }),
  StatusRequest: message({}),
  StatusResponse: message({
    ...HEADER,
    version: text(2),
    dbSize: int64(3),
    leader: uint64(4),
    raftIndex: uint64(5),
    raftTerm: uint64(6),
    raftAppliedIndex: uint64(7),
    errors: many('string', 8),
    dbSizeInUse: int64(9),
    isLearner: flag(10),
  }),
  DefragmentRequest: message({}),
  DefragmentResponse: message(HEADER),
}

interface Method {
  readonly requestType: string
  readonly responseType: string
  /** protobufjs asks for one. */
  readonly comment: string
}

function service(...names: string[]) {
  return { methods: Object.fromEntries(names.map((name) => [name, method(MESSAGE_OF[name] ?? name)])) }
}

function method(messages: string): Method {
  return { requestType: `${messages}Request`, responseType: `${messages}Response`, comment: '' }
}

/** Methods whose messages are not called like themselves. */
const MESSAGE_OF: Readonly<Record<string, string>> = { Compact: 'Compaction' }

const WATCH = { ...method('Watch'), requestStream: true, responseStream: true }

const SERVICES = {
  KV: service('Range', 'Txn', 'Compact'),
  Watch: { methods: { Watch: WATCH } },
  Cluster: service('MemberAdd', 'MemberRemove', 'MemberList', 'MemberPromote'),
  Maintenance: service('Alarm', 'Status', 'Defragment'),
}

/** Longs as text: revisions become bigint, and the ids of members and clusters use all 64 bits. */
const FORMS = { keepCase: true, longs: String, defaults: true }

const DEFINITIONS = fromJSON(
  { nested: { etcdserverpb: { nested: { ...VALUES, ...KEYS, ...WATCHES, ...MEMBERS, ...CARE, ...SERVICES } } } },
  FORMS,
)

/** `KV.Txn`: how to call it. Throws where the protocol above has no such method: a mistake of ours. */
export function methodOf(name: `${keyof typeof SERVICES}.${string}`): MethodDefinition<object, object> {
  const [service = '', method = ''] = name.split('.')
  const found = (DEFINITIONS[`etcdserverpb.${service}`] as Record<string, MethodDefinition<object, object>>)[method]
  if (found === undefined) throw new Error(`no method ${name}`)
  return found
}
