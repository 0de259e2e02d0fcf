/**
 * A Swagger 2 document as the protobuf message `openapi.v2.Document` (gnostic's openapiv2/OpenAPIv2.proto, whose
 * field numbers these are). kubectl up to 1.23 accepts no other form: it explains, checks and decides about server-side
 * dry runs from it. Newer ones ask here before they build a patch. Numbers in the tables are the wire contract.
 */
import {
  bool,
  double,
  type Encode,
  entriesOf,
  int64,
  message,
  nested,
  repeated,
  text,
  type Write,
} from './protobuf-writer.ts'

/**
 * The answer's media type. kubectl *asks* for `…spec.v2@v1.0+protobuf` but cannot read that in an answer: Go takes `@`
 * for no part of a media type ("mime: unexpected content after media subtype", every kubectl). With a dot it can.
 */
export const OPENAPI_V2_PROTOBUF = 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf'

/**
 * Encodes a document in Swagger 2's own words: swagger, info, paths, definitions. Keywords which that version does not
 * have are left out. Takes some 10 ms for our kinds, so encode once and keep the bytes. Throws on a parameter that is
 * neither in the body, the query nor the path.
 */
export function encodeOpenApiV2(document: Readonly<Record<string, unknown>>): Buffer {
  return documentMessage(document)
}

/** `Any`: a JSON value travels as text, which YAML, of which JSON is a part, reads back. */
const any = message({ json: text(2) })
const anyValue =
  (field: number): Write =>
  (value) =>
    nested(field, any)({ json: JSON.stringify(value) })

/** The `Named…` messages by which protobuf's OpenAPI spells a map: a name and the value in `encode`'s form. */
const entries =
  (field: number, encode: Encode): Write =>
  (map) =>
    Buffer.concat(entriesOf(map).map(([name, value]) => nested(field, named(encode))({ name, value })))

const named = (encode: Encode): Encode => message({ name: text(1), value: nested(2, encode) })

const map = (field: number, encode: Encode): Write => nested(field, entries(1, encode))

const extension = (field: number): Write => entries(field, (value) => any({ json: JSON.stringify(value) }))

/** Adds the `x-…` properties of an object, which are fields of the same message, to what `encode` writes. */
function withExtensions(field: number, encode: Encode): Encode {
  const write = extension(field)
  return (value) => {
    const extensions = entriesOf(value).filter(([name]) => name.startsWith('x-'))
    return Buffer.concat([encode(value), write(Object.fromEntries(extensions))])
  }
}

/** Schemas nest, so the table below must be able to name its own encoder. */
const schema: Encode = (value) => schemaMessage(published(value))

const additionalProperties = (value: unknown): Buffer =>
  typeof value === 'boolean' ? bool(2)(value) : nested(1, schema)(value)

const schemaMessage = withExtensions(
  31,
  message({
    $ref: text(1),
    format: text(2),
    title: text(3),
    description: text(4),
    default: anyValue(5),
    multipleOf: double(6),
    maximum: double(7),
    exclusiveMaximum: bool(8),
    minimum: double(9),
    exclusiveMinimum: bool(10),
    maxLength: int64(11),
    minLength: int64(12),
    pattern: text(13),
    maxItems: int64(14),
    minItems: int64(15),
    uniqueItems: bool(16),
    maxProperties: int64(17),
    minProperties: int64(18),
    required: repeated(text(19)),
    enum: repeated(anyValue(20)),
    additionalProperties: nested(21, additionalProperties),
    type: nested(22, repeated(text(1))),
    items: nested(23, repeated(nested(1, schema))),
    allOf: repeated(nested(24, schema)),
    properties: map(25, schema),
    readOnly: bool(27),
    example: anyValue(30),
  }),
)

/** Under these, what the schema lists is not the whole truth. (A null needs no such care: kubectl lets it pass.) */
const LOOSE = ['x-kubernetes-preserve-unknown-fields', 'x-kubernetes-int-or-string']
const STRICT = new Set(['type', 'properties', 'additionalProperties', 'items', 'required'])

/** A schema that is looser than Swagger 2 can say loses what would make a reader refuse good objects. */
function published(value: unknown): unknown {
  const keywords = entriesOf(value)
  const isLoose = keywords.some(([name, content]) => content === true && LOOSE.includes(name))
  return isLoose ? Object.fromEntries(keywords.filter(([name]) => !STRICT.has(name))) : value
}

const parameterFields = { required: bool(1), in: text(2), description: text(3), name: text(4) }
const queryParameter = message({ ...parameterFields, type: text(6), format: text(7), uniqueItems: bool(20) })
const pathParameter = message({ ...parameterFields, type: text(5), format: text(6), uniqueItems: bool(19) })
const bodyParameter = message({
  description: text(1),
  name: text(2),
  in: text(3),
  required: bool(4),
  schema: nested(5, schema),
})

/** By the parameter's `in`; the numbers select the members of the nested `oneof`s. */
const PARAMETERS: Readonly<Record<string, Write>> = {
  body: nested(1, bodyParameter),
  query: nested(2, nested(3, queryParameter)),
  path: nested(2, nested(4, pathParameter)),
}

function parameter(value: unknown): Buffer {
  const place = String(Object.fromEntries(entriesOf(value)).in)
  const write = PARAMETERS[place]
  if (!write) throw new Error(`a parameter in ${JSON.stringify(place)} cannot be encoded, only in body, query or path`)
  return nested(1, write)(value)
}

const response = message({ description: text(1), schema: nested(2, nested(1, schema)) })

const operation = withExtensions(
  13,
  message({
    tags: repeated(text(1)),
    summary: text(2),
    description: text(3),
    operationId: text(5),
    produces: repeated(text(6)),
    consumes: repeated(text(7)),
    parameters: repeated(nested(8, parameter)),
    responses: nested(9, entries(1, nested(1, response))),
  }),
)

const pathItem = withExtensions(
  10,
  message({
    get: nested(2, operation),
    put: nested(3, operation),
    post: nested(4, operation),
    delete: nested(5, operation),
    patch: nested(8, operation),
    parameters: repeated(nested(9, parameter)),
  }),
)

const info = message({ title: text(1), version: text(2), description: text(3) })

const documentMessage = withExtensions(
  16,
  message({
    swagger: text(1),
    info: nested(2, info),
    paths: nested(8, entries(2, pathItem)),
    definitions: map(9, schema),
  }),
)
