import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))
const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))

describe('the published package', () => {
  const packed = (): string[] => {
    const answer = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
      cwd: root,
      encoding: 'utf8',
    })
    const [{ files }] = JSON.parse(answer) as [{ files: { path: string }[] }]
    return files.map((file) => file.path)
  }

  it('holds the compiled code with its types and the loader, and no binary, source or test', () => {
    const files = packed()
    for (const name of [
      'dist/index.js',
      'dist/index.d.ts',
      'dist/cli/main.js',
      'index.js',
      'index.d.ts',
      'package.json',
    ]) {
      expect(files).toContain(name)
    }
    expect(files.filter((name) => /\.node$|^src\/|^test\/|^crates\/|tsbuildinfo/.test(name))).toEqual([])
  })

  it('has every file that its exports and bin name', () => {
    const { exports, bin } = JSON.parse(readFileSync(`${root}/package.json`, 'utf8')) as {
      exports: Record<string, string | Record<string, string>>
      bin: Record<string, string>
    }
    const targets = [...Object.values(exports), bin].flatMap((value) =>
      typeof value === 'string' ? value : Object.values(value),
    )
    for (const target of targets) expect(statSync(`${root}/${target}`).isFile()).toBe(true)
  })

  it('runs nothing when it is installed', () => {
    const { scripts } = JSON.parse(readFileSync(`${root}/package.json`, 'utf8')) as { scripts: Record<string, string> }
    expect(Object.keys(scripts).filter((name) => /^(pre|post)?(install|prepare|pack)$/.test(name))).toEqual([])
  })

  it('brings at most 25 packages', () => {
    const listed = execFileSync('npm', ['ls', '--omit=dev', '--all', '--parseable'], { cwd: root, encoding: 'utf8' })
    expect(listed.trim().split('\n').length - 1).toBeLessThanOrEqual(25)
  })

  it('has a lock that names no registry', () => {
    expect(readFileSync(`${root}/package-lock.json`, 'utf8')).not.toContain('"resolved"')
  })
})

describe('the command line starts fast because it loads little', () => {
  /** Every module that a run loads, told by a hook of Node's own loader. */
  const loadedBy = (flag: string): string[] => {
    const hook = 'export async function load(url, context, next) { process._rawDebug(url); return next(url, context) }'
    const register = `import { register } from 'node:module'; register('data:text/javascript,${encodeURIComponent(hook)}')`
    const importing = `data:text/javascript,${encodeURIComponent(register)}`
    const { stderr } = spawnSync(process.execPath, ['--import', importing, main, flag], { encoding: 'utf8' })
    return stderr.split('\n').filter((url) => url.startsWith('file:'))
  }

  it('--version loads two files', () => {
    expect(loadedBy('--version').map((url) => url.split('/dist/')[1])).toEqual(['cli/main.js', 'version.js'])
  })

  it('--help loads the parser of flags and no other package', () => {
    const loaded = loadedBy('--help')
    expect(loaded.some((url) => url.includes('/commander/'))).toBe(true)
    expect(loaded.filter((url) => url.includes('/node_modules/') && !url.includes('/commander/'))).toEqual([])
    expect(loaded.length).toBeLessThan(20)
  })
})
