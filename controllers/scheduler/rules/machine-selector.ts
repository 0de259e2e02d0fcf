import { selects, unmet } from '../label-selector.ts'
import type { Rule } from './rule.ts'

/** spec.placement.machineSelector: labels and expressions, of which all must hold. */
export const machineSelector: Rule = {
  name: 'machineSelector',
  fixed: true,
  keeps: true,
  check: ({ selectors }) =>
    selectors.length === 0
      ? undefined
      : {
          refuses: ({ labels }) => !selectors.every((selector) => selects(selector, labels)),
          because: ({ name, labels }) => {
            const missing = selectors.map((selector) => unmet(selector, labels)).find(Boolean) ?? ''
            const isPair = /^[^\s=]+=[^\s=]*$/.test(missing)
            const fix = isPair
              ? `kubectl label --overwrite machine ${name} ${missing}`
              : `change the labels of machine ${name}, or machineSelector: ${missing}`
            return { reason: `lacks label ${missing}`, fix }
          },
        },
}
