/** The order in which Kubernetes prefers versions of a group: v2 before v1, v1 before v1beta2, v1beta1 before v1alpha1. */

const VERSION = /^v([1-9]\d*)(?:(alpha|beta)([1-9]\d*))?$/
const STAGES = ['alpha', 'beta', undefined]

/** Negative where `a` is preferred. What has no such form comes last, by name. */
export function compareVersions(a: string, b: string): number {
  const [one, other] = [VERSION.exec(a), VERSION.exec(b)]
  if (one === null || other === null) return one ? -1 : other ? 1 : a < b ? -1 : a > b ? 1 : 0
  const [first, second] = [rankOf(one), rankOf(other)]
  const at = first.findIndex((rank, i) => rank !== second[i])
  return at < 0 ? 0 : (second[at] ?? 0) - (first[at] ?? 0)
}

/** Stable ones first, then by the number that the stage is about. */
function rankOf([, major, stage, minor]: RegExpExecArray): readonly number[] {
  return [STAGES.indexOf(stage), Number(major), Number(minor ?? 0)]
}
