// The key of an endpoint, and keeping it out of everything that is shown or stored.
import { redactText } from '../../config/redact.js'
import { ColdstartError } from '../../errors.js'

/** Shorter keys are placeholders of servers that want none (`EMPTY`); replacing them would only change ordinary words. */
const SHORTEST_SECRET = 8
const LONGEST_QUOTE = 200

/** Where a key comes from: the variable of that name, or the defaults of {@link OpenAiJudgeOptions.apiKeyEnv}. */
export function secretOf(url: URL, apiKeyEnv: string | undefined): Secret {
  const names = apiKeyEnv !== undefined ? [apiKeyEnv] : ['COLDSTART_JUDGE_API_KEY']
  // The key of one company is for its own host: another endpoint gets it only when told so by name.
  if (apiKeyEnv === undefined && url.origin === 'https://api.openai.com') names.push('OPENAI_API_KEY')
  for (const name of names) {
    const key = process.env[name]?.trim()
    if (!key) continue
    if (!/^[\x21-\x7e]+$/.test(key)) {
      throw new ColdstartError('E_CONFIG', `the judge's key in ${name} has characters that no HTTP header can carry`)
    }
    return new Secret(name, key)
  }
  if (apiKeyEnv !== undefined) throw notSet(apiKeyEnv)
  return new Secret(names.join(' or '), undefined)
}

/** What does not look like a variable's name may be the key itself, put in the wrong place: it is not repeated. */
function notSet(name: string): ColdstartError {
  if (/^[A-Z_][A-Z0-9_]*$/.test(name)) {
    return new ColdstartError('E_CONFIG', `the environment variable ${name} is not set`)
  }
  return new ColdstartError('E_CONFIG', "the judge's apiKeyEnv names no environment variable that is set", {
    hint: 'give the name of the variable that holds the key, as MY_JUDGE_KEY, and never the key itself',
  })
}

/** A key that shows itself to nothing but a header. */
export class Secret {
  /** Variable that it is in, or those that it could be in. */
  readonly variable: string
  readonly #key: string | undefined

  constructor(variable: string, key: string | undefined) {
    this.variable = variable
    this.#key = key
  }

  get present(): boolean {
    return this.#key !== undefined
  }

  headers(): Record<string, string> {
    return this.#key === undefined ? {} : { authorization: `Bearer ${this.#key}` }
  }

  /** A text of the server without the key, should the server repeat it. */
  removedFrom(text: string): string {
    return this.#key === undefined || this.#key.length < SHORTEST_SECRET ? text : text.replaceAll(this.#key, '[key]')
  }

  /** A text of the server as part of a message: one short line without control characters or anything that looks like a key. */
  quoted(text: string): string {
    const line = redactText(this.removedFrom(text))
      .replace(/[\p{C}\s]+/gu, ' ')
      .trim()
    return line.length > LONGEST_QUOTE ? `${line.slice(0, LONGEST_QUOTE)}…` : line
  }
}
