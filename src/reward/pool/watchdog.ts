// A thread beside a reward: ends the process when its memory grows beyond the limit, which a limit of V8's heap alone does not
// see, or when the main process has died while the reward keeps the event loop from noticing.
import { writeSync } from 'node:fs'
import { workerData } from 'node:worker_threads'

const { parent, maxResidentBytes } = workerData as { parent: number; maxResidentBytes: number }

setInterval(() => {
  if (process.ppid !== parent) process.kill(process.pid, 'SIGKILL')
  if (process.memoryUsage.rss() > maxResidentBytes) {
    writeSync(2, `more than ${Math.round(maxResidentBytes / 2 ** 20)} MiB of memory\n`)
    process.kill(process.pid, 'SIGKILL')
  }
}, 100)
