/** Whether a member may be taken out, by how the others do. Pure. */

export interface Judged {
  readonly id: string
  readonly name: string
  readonly isLearner: boolean
  readonly answers: boolean
}

/** Why `target` must stay, or undefined where it may go. A majority of those that remain must answer. */
export function removalRefusal(members: readonly Judged[], target: Judged): string | undefined {
  if (target.isLearner) return undefined
  const remaining = members.filter(({ id, isLearner }) => id !== target.id && !isLearner)
  if (remaining.length === 0) return `${target.name} is the only member that votes: without it there is no store`
  const needed = Math.floor(remaining.length / 2) + 1
  const answering = remaining.filter(({ answers }) => answers)
  if (answering.length >= needed) return undefined
  const silent = remaining.filter(({ answers }) => !answers).map(({ name }) => name)
  return `of the ${remaining.length} that would remain ${needed} must answer, and ${silent.join(', ')} ${silent.length === 1 ? 'does' : 'do'} not: nothing could be written any more. Bring ${silent.length === 1 ? 'it' : 'them'} back first, or remove ${silent.length === 1 ? 'it' : 'them'} instead`
}
