import { hostname } from 'node:os'

/** This host's name as the name of a Machine (an RFC 1123 subdomain), whatever its administrator typed. */
export function machineNameOfHost(name: string = hostname()): string {
  const labels = name
    .toLowerCase()
    .replaceAll(/[^a-z0-9.]+/g, '-')
    .split('.')
    .map((label) => label.replaceAll(/^-+|-+$/g, ''))
  return labels.filter(Boolean).join('.') || 'localhost'
}
