import type { CommandDescription } from './describe.ts'

export function fishScript(program: string, commands: readonly CommandDescription[]): string {
  const lines = commands.flatMap(({ name, description, options, choices }) => {
    const seen = `-n ${quote(`__fish_seen_subcommand_from ${name}`)}`
    const words = choices.length > 0 ? choices.join(' ') : `(__${program}_names)`
    return [
      `complete -c ${program} -n __fish_use_subcommand -a ${name} -d ${quote(description)}`,
      ...options.map(({ long, short, description: text, takesValue, isPath }) => {
        const flags = `-l ${long.replace(/^--/, '')}${short ? ` -s ${short.replace(/^-/, '')}` : ''}`
        const value = takesValue ? (isPath ? ' -r -F' : ' -x') : ''
        return `complete -c ${program} ${seen} ${flags}${value} -d ${quote(text)}`
      }),
      `complete -c ${program} ${seen} -a ${quote(words)}`,
    ]
  })
  return `# fish completion for ${program}. Use it now:  ${program} completion fish | source
function __${program}_names
  set -l words (commandline -opc) (commandline -ct)
  ${program} __complete -- $words[2..-1] 2>/dev/null
end
complete -c ${program} -f
${lines.join('\n')}
`
}

function quote(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
}
