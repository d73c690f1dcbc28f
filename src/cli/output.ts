/**
 * Where words go. Results are on stdout and everything about them on stderr; with `--json`, stdout has one JSON object a
 * line and nothing else.
 */

/** The part of a stream that is needed here. */
export interface Sink {
  readonly isTTY?: boolean
  readonly columns?: number
  write(text: string, taken?: () => void): unknown
}

/** How to speak, and where. */
export interface OutputOptions {
  json: boolean
  quiet: boolean
  /** Whether stdout has an object for each row and no other: how the command ended is on stderr alone. */
  rowsOnly?: boolean
  stdout: Sink
  stderr: Sink
}

/** Repainting more often than this only costs time. */
const repaintMs = 100

/** The voice of one command. */
export class Output {
  readonly json: boolean
  /** True where the status line can repaint itself; elsewhere progress is lines. */
  readonly isLive: boolean
  private status = ''
  private paintedAt = Number.NEGATIVE_INFINITY

  constructor(private readonly options: OutputOptions) {
    this.json = options.json
    this.isLive = options.stderr.isTTY === true && !options.quiet
  }

  /** A fact for programs, with `--json`. */
  event(event: object): void {
    if (this.json) this.options.stdout.write(`${JSON.stringify(event)}\n`)
  }

  /** A fact about progress, for programs; `--quiet` drops it as it drops the line for people. */
  step(event: object): void {
    if (!this.options.quiet) this.event(event)
  }

  /** How the command ended, for programs, with `--json`. */
  ending(event: object): void {
    if (this.options.rowsOnly !== true) this.event(event)
  }

  /** What the command was asked for, for people. */
  result(text: string): void {
    if (this.json) return
    this.erase()
    this.options.stdout.write(text)
  }

  /** Resolves when the reader of stdout has taken what was said: for those who have more to say than memory holds. */
  taken(): Promise<void> {
    return new Promise((done) => this.options.stdout.write('', done))
  }

  /** A line about the work; `--quiet` drops it. */
  say(line: string): void {
    if (!this.options.quiet) this.line(line)
  }

  /** A line about a fault. */
  fail(line: string): void {
    this.line(`coldstart: ${line}`)
  }

  /** Progress that the next one replaces; on a terminal only. */
  progress(text: string): void {
    if (!this.isLive) return
    const now = performance.now()
    if (now - this.paintedAt < repaintMs) return
    this.paintedAt = now
    this.status = text
    // A pseudo-terminal that nobody sized has 0 columns.
    const width = (this.options.stderr.columns || 80) - 1
    this.options.stderr.write(`\r\x1b[2K${text.slice(0, width)}`)
  }

  /** Leaves the terminal clean. */
  close(): void {
    this.erase()
  }

  private line(text: string): void {
    this.erase()
    this.options.stderr.write(`${text}\n`)
  }

  private erase(): void {
    if (this.status === '') return
    this.options.stderr.write('\r\x1b[2K')
    this.status = ''
  }
}
