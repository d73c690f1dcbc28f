// The environment of reward processes: nothing that a stranger's module has no business to know.

/** Variables that programs need to find their files and to speak the user's language. */
const usual =
  /^(PATH|HOME|USER|LOGNAME|SHELL|TMPDIR|TMP|TEMP|TZ|LANG|LANGUAGE|LC_[A-Z]+|SYSTEMROOT|NODE_ENV|NODE_PATH)$/

/** The usual variables and those that are named; keys, tokens and whatever else is set stay behind. */
export function rewardEnvironment(own: NodeJS.ProcessEnv, names: readonly string[]): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(own).filter(([name]) => usual.test(name) || names.includes(name)))
}
