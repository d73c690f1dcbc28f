// The first file of a reward process: loads the module of a reward and answers batch after batch until its socket closes.
import { Socket } from 'node:net'
import { pathToFileURL } from 'node:url'
import { deserialize } from 'node:v8'
import { Worker } from 'node:worker_threads'
import { ColdstartError } from '../../errors.js'
import { failure, judge } from '../call.js'
import type { Judgement, RewardBatch, RewardFunc } from '../types.js'
import { channelFd, frameReader, type Reply, type RunnerOptions } from './protocol.js'

const options = JSON.parse(process.argv[2] ?? '{}') as RunnerOptions
new Worker(new URL('./watchdog.js', import.meta.url), {
  workerData: { parent: process.ppid, maxResidentBytes: options.maxResidentBytes },
}).unref()

const channel = new Socket({ fd: channelFd, readable: true, writable: true })
// The main process has gone, or has no more use for this one.
channel.on('close', () => process.exit(0)).on('error', () => process.exit(0))

const reward = await load()
if (reward)
  channel.on(
    'data',
    frameReader((bytes) => void answer(reward, deserialize(bytes) as RewardBatch)),
  )

function reply(message: Reply): void {
  channel.write(`${JSON.stringify(message)}\n`)
}

async function load(): Promise<RewardFunc | undefined> {
  try {
    const found = functionOf(await imported(options.path), options.path, options.name)
    reply({ ready: { name: found.name } })
    return found
  } catch (error) {
    const { code, message, hint } = error as ColdstartError
    reply({ refused: { code: code as 'E_CONFIG' | 'E_REWARD', message, ...(hint === undefined ? {} : { hint }) } })
    return undefined
  }
}

async function answer(reward: RewardFunc, batch: Omit<RewardBatch, 'signal'>): Promise<void> {
  const deadline = new AbortController()
  const timer = setTimeout(
    () => deadline.abort(new ColdstartError('E_REWARD_TIMEOUT', `no answer within ${options.softMs} ms`)),
    options.softMs,
  )
  let judgement: Judgement
  try {
    judgement = await judge(reward, { ...batch, signal: deadline.signal })
  } catch (error) {
    const message = error instanceof Error ? error.message : typeof error
    judgement = failure(batch.completions.length, deadline.signal.aborted, message.slice(0, 1000))
  }
  clearTimeout(timer)
  reply({ judgement })
}

async function imported(path: string): Promise<Record<string, unknown>> {
  try {
    return (await import(pathToFileURL(path).href)) as Record<string, unknown>
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : typeof cause
    throw new ColdstartError('E_REWARD', `${path} cannot be loaded: ${message}`)
  }
}

function functionOf(module: Record<string, unknown>, path: string, name: string | undefined): RewardFunc {
  const functions = Object.entries(module).filter(([, value]) => typeof value === 'function')
  const only = functions.length === 1 ? functions[0]?.[1] : undefined
  const found = name === undefined ? (module.default ?? only) : module[name]
  if (typeof found === 'function') return found as RewardFunc
  const exports = functions.map(([key]) => key).join(', ') || 'none'
  const wanted = name ?? 'as its default export'
  throw new ColdstartError('E_CONFIG', `${path} has no function ${wanted} (functions: ${exports})`, {
    hint: `write ${path}#name for a named export`,
  })
}
