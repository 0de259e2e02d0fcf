/** Awkward on purpose: characters that Go escapes, keys that look like numbers, a value that YAML 1.1 reads as a number. */
export function manifest(name: string, { app = 'web', script = 'true' } = {}): string {
  return `apiVersion: flotilla.dev/v1
kind: Unit
metadata:
  name: ${name}
  labels: {app: ${app}, "2": two, "10": ten}
  annotations: {note: "<b> & 'ü' \\u2028"}
spec:
  content: |
    [Service]
    ExecStart=/bin/sh -c "${script} && echo <done>"
`
}
