/** Who wants to hear of units that may have changed: whatever changes one tells all of them its name. */
export function hintBoard() {
  const listeners = new Set<(name: string) => void>()
  return {
    tell(name: string) {
      for (const listener of listeners) listener(name)
    },
    listen(listener: (name: string) => void) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  }
}
