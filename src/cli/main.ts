#!/usr/bin/env node
/** The command line's first file. It answers `--version` by itself: everything else is loaded when it is needed. */

import { version } from '../version.js'

const words = process.argv.slice(2)
if (words.length === 1 && (words[0] === '--version' || words[0] === '-V')) {
  process.stdout.write(`${version}\n`)
} else {
  void import('./run.js')
    .then(({ run }) => run(words))
    .then((code) => {
      // A pipe takes long output piece by piece: an exit before its reader has all of it would cut it off.
      process.stdout.write('', () => process.stderr.write('', () => process.exit(code)))
    })
}
