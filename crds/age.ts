/** How long ago, as kubectl prints it (client-go's duration.HumanDuration): `43s`, `5m51s`, `22m`, `3h4m`, `2d3h`, `40d`, `2y`. */
export function age(timestamp: string | null | undefined, now: Date): string {
  const then = Date.parse(timestamp ?? '')
  return Number.isNaN(then) ? '<unknown>' : humanDuration(now.getTime() - then)
}

export function humanDuration(durationMs: number): string {
  const seconds = Math.floor(durationMs / 1000)
  if (seconds < -1) return '<invalid>'
  if (seconds < 0) return '0s'
  if (seconds < 120) return `${seconds}s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 10) return join(minutes, 'm', seconds % 60, 's')
  if (minutes < 180) return `${minutes}m`
  const hours = Math.floor(minutes / 60)
  if (hours < 8) return join(hours, 'h', minutes % 60, 'm')
  if (hours < 48) return `${hours}h`
  const days = Math.floor(hours / 24)
  if (hours < 24 * 8) return join(days, 'd', hours % 24, 'h')
  if (hours < 24 * 365 * 2) return `${days}d`
  const years = Math.floor(days / 365)
  return hours < 24 * 365 * 8 ? join(years, 'y', days % 365, 'd') : `${years}y`
}

function join(big: number, bigUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${big}${bigUnit}` : `${big}${bigUnit}${small}${smallUnit}`
}
