/**
 * Reads JSON as Go's encoding/json does for flanneld: names in any case, null as absent, unknown fields passed over. What
 * has the wrong type is refused by its path.
 */
export class WrongField extends Error {}

type Fields = Readonly<Record<string, unknown>>

export class JsonFields {
  readonly #fields: Fields
  readonly #path: string

  private constructor(fields: Fields, path: string) {
    this.#fields = fields
    this.#path = path
  }

  /** Throws WrongField where `text` is not a JSON object. */
  static parse(text: string): JsonFields {
    let parsed: unknown
    try {
      parsed = JSON.parse(text)
    } catch {
      throw new WrongField('the value is not JSON')
    }
    if (!isFields(parsed)) throw new WrongField('the value must be a JSON object')
    return new JsonFields(parsed, '')
  }

  text(name: string): string | undefined {
    return this.#read(name, 'a string', (value): value is string => typeof value === 'string')
  }

  flag(name: string): boolean | undefined {
    return this.#read(name, 'true or false', (value): value is boolean => typeof value === 'boolean')
  }

  integer(name: string, min: number, max: number): number | undefined {
    const isFit = (value: unknown): value is number => Number.isInteger(value) && within(Number(value), min, max)
    return this.#read(name, `an integer from ${min} to ${max}`, isFit)
  }

  fields(name: string): JsonFields | undefined {
    const value = this.#read(name, 'an object', isFields)
    return value && new JsonFields(value, `${this.#path}${name}.`)
  }

  /** Throws for this field. */
  refuse(name: string, why: string): never {
    throw new WrongField(`${this.#path}${name}: ${why}`)
  }

  #read<T>(name: string, what: string, isFit: (value: unknown) => value is T): T | undefined {
    const value = this.#find(name)
    if (value === undefined || value === null) return undefined
    if (isFit(value)) return value
    return this.refuse(name, `must be ${what}`)
  }

  #find(name: string): unknown {
    if (Object.hasOwn(this.#fields, name)) return this.#fields[name]
    const key = Object.keys(this.#fields).find((each) => each.toLowerCase() === name.toLowerCase())
    return key === undefined ? undefined : this.#fields[key]
  }
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function within(value: number, min: number, max: number): boolean {
  return value >= min && value <= max
}
