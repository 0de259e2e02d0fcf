/** No answer from the server: nobody there, no way to it, or not the one the kubeconfig means. */
export class UnreachableError extends Error {
  constructor(server: string, cause: unknown) {
    super(sentence(server, cause), { cause })
    this.name = 'UnreachableError'
  }
}

function sentence(server: string, cause: unknown): string {
  const { code, message } = innermost(cause)
  if (isAboutCertificates(code))
    return `The server at ${server} is not the one this kubeconfig is for (${code}). Was its data directory made anew? Take the kubeconfig that lies there now.`
  const why = code === 'ECONNREFUSED' ? 'nobody listens there' : message || code || 'no answer'
  return `The API server at ${server} does not answer: ${why}. Is "flotilla up" running?`
}

function isAboutCertificates(code: string): boolean {
  return /CERT|SIGNATURE|ERR_TLS|SELF_SIGNED/.test(code)
}

/** An attempt on several addresses ends in an AggregateError whose own message is empty. */
function innermost(error: unknown): { readonly code: string; readonly message: string } {
  const { code, message, cause, errors } = (error ?? {}) as Record<string, unknown>
  const inner = cause ?? (Array.isArray(errors) ? errors[0] : undefined)
  if (inner !== undefined && typeof code !== 'string') return innermost(inner)
  return { code: typeof code === 'string' ? code : '', message: typeof message === 'string' ? message : '' }
}
