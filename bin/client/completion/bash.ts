import type { CommandDescription } from './describe.ts'

/**
 * No help of the bash-completion package is needed. Names such as `web@1.service` hold characters at which readline cuts
 * words, so words are taken from the line itself and the part before the last cut is left out of the answers.
 */
export function bashScript(program: string, commands: readonly CommandDescription[]): string {
  const options = commands.map(({ name, options }) => {
    const words = options.flatMap(({ long, short }) => (short ? [long, short] : [long]))
    return `    ${name}) echo '${words.join(' ')}' ;;`
  })
  const valued = commands.map(({ name, options }) => valueCase(name, options))
  const fixed = commands.flatMap(({ name, choices }) =>
    choices.length > 0 ? [`    ${name}) echo '${choices.join(' ')}' ;;`] : [],
  )
  return `# bash completion for ${program}. Use it now:  source <(${program} completion bash)
_${program}_options() {
  case $1 in
${options.join('\n')}
  esac
}
# path: files fit; any: some value; nothing: the option takes none
_${program}_value_of() {
  case "$1 $2" in
${valued.flat().join('\n')}
  esac
}
_${program}_choices() {
  case $1 in
${fixed.join('\n')}
  esac
}
_${program}() {
  local line="\${COMP_LINE:0:COMP_POINT}" cur previous value cut='' breaks='' mark found=()
  local -a words
  read -ra words <<<"$line"
  [[ $line == *[[:space:]] ]] && words+=('')
  cur="\${words[-1]}"
  previous="\${words[-2]:-}"
  for mark in @ : =; do [[ $COMP_WORDBREAKS == *"$mark"* ]] && breaks+="$mark"; done
  [[ -n $breaks ]] && cut="\${cur%"\${cur##*["$breaks"]}"}"
  if (( \${#words[@]} == 2 )); then
    mapfile -t found < <(compgen -W '${commands.map(({ name }) => name).join(' ')}' -- "$cur")
  elif [[ $cur == -* ]]; then
    mapfile -t found < <(compgen -W "$(_${program}_options "\${words[1]}")" -- "$cur")
  else
    value="$(_${program}_value_of "\${words[1]}" "$previous")"
    if [[ $value == path ]]; then
      compopt -o filenames 2>/dev/null
      mapfile -t found < <(compgen -f -- "$cur")
    elif [[ -z $value ]]; then
      local choices="$(_${program}_choices "\${words[1]}")"
      if [[ -n $choices ]]; then mapfile -t found < <(compgen -W "$choices" -- "$cur")
      else mapfile -t found < <("\${words[0]}" __complete -- "\${words[@]:1}" 2>/dev/null); fi
    fi
  fi
  COMPREPLY=("\${found[@]#"$cut"}")
  # After KIND/ comes a name, not a new word.
  [[ \${#COMPREPLY[@]} == 1 && \${COMPREPLY[0]} == */ ]] && compopt -o nospace 2>/dev/null
  return 0
}
complete -F _${program} ${program}
`
}

function valueCase(name: string, options: CommandDescription['options']): string[] {
  return options.flatMap(({ long, short, takesValue, isPath }) => {
    if (!takesValue) return []
    const patterns = [long, ...(short ? [short] : [])].map((flag) => `'${name} ${flag}'`)
    return [`    ${patterns.join('|')}) echo ${isPath ? 'path' : 'any'} ;;`]
  })
}
