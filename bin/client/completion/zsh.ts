import type { CommandDescription } from './describe.ts'

export function zshScript(program: string, commands: readonly CommandDescription[]): string {
  const cases = commands.map(({ name, options, choices }) => {
    const flags = options.flatMap(({ long, short, description }) =>
      [long, ...(short ? [short] : [])].map((flag) => described(flag, description)),
    )
    const valued = (isPath: boolean) =>
      options
        .filter((option) => option.takesValue && option.isPath === isPath)
        .flatMap(({ long, short }) => [long, ...(short ? [short] : [])])
        .join(' ')
    return `    ${name})
      options=(${flags.join(' ')})
      paths=(${valued(true)}); values=(${valued(false)}); choices=(${choices.join(' ')}) ;;`
  })
  return `#compdef ${program}
# zsh completion for ${program}. Use it now:  source <(${program} completion zsh)
_${program}() {
  local -a commands options paths values choices found
  local current="\${words[CURRENT]}" previous="\${words[CURRENT-1]}"
  commands=(${commands.map(({ name, description }) => described(name, description)).join(' ')})
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  case "\${words[2]}" in
${cases.join('\n')}
  esac
  if [[ $current == -* ]]; then
    _describe -o option options
  elif (( \${paths[(Ie)$previous]} )); then
    _files
  elif (( ! \${values[(Ie)$previous]} )); then
    if (( $#choices )); then
      compadd -a choices
    else
      found=(\${(f)"$("\${words[1]}" __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)"})
      local -a open=(\${(M)found:#*/})
      found=(\${found:#*/})
      (( $#open )) && compadd -S '' -a open
      (( $#found )) && compadd -a found
    fi
  fi
}
if [[ $funcstack[1] == _${program} ]]; then _${program} "$@"; else compdef _${program} ${program}; fi
`
}

/** `word:text` for _describe, quoted. */
function described(word: string, text: string): string {
  return quote(`${word.replaceAll(':', '\\:')}:${text}`)
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}
