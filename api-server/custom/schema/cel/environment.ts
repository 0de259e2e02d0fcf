/** CEL as custom resources have it: the language with optionals, and the libraries that Kubernetes adds. */
import { Environment } from '@marcbachmann/cel-js'
import type { Meter } from '../meter.ts'
import { registerLists } from './functions/lists.ts'
import { registerNet } from './functions/net.ts'
import { registerQuantity } from './functions/quantity.ts'
import { registerText } from './functions/text.ts'

const LIMITS = { maxAstNodes: 5000, maxDepth: 100, maxListElements: 1000, maxMapEntries: 1000, maxCallArguments: 32 }

/** What its functions do is paid for from `meter`. */
export function createEnvironment(meter: Meter): Environment {
  const environment = new Environment({ enableOptionalTypes: true, limits: LIMITS })
  registerText(environment, meter)
  registerLists(environment, meter)
  registerQuantity(environment)
  registerNet(environment)
  return environment
}
