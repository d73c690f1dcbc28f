/**
 * Paths written in data: they are not the user's own words, so by default they stay under the image root, by name and
 * after following links.
 */

import { realpathSync } from 'node:fs'
import { isAbsolute, join, resolve, sep } from 'node:path'
import { ColdstartError } from '../errors.js'
import { refusalOf } from './file.js'

const hint = 'allowPaths: true lifts this for data you trust'

/** Turns the image paths of one data set into real, absolute ones. */
export class PathResolver {
  private readonly root: string
  private realRoot: string | undefined

  /** @param root folder that relative paths start from. It need not exist until a path is resolved. */
  constructor(
    root: string,
    private readonly allowPaths: boolean,
  ) {
    this.root = resolve(root)
  }

  /**
   * The real path of an existing file.
   *
   * @throws ColdstartError `E_PATH` for a path that is absolute, contains `..`, leaves the root through a link, or
   * names nothing; `E_URL_BLOCKED` for a URL.
   */
  resolve(path: string): string {
    const shown = JSON.stringify(path.length > 200 ? `${path.slice(0, 200)}…` : path)
    if (path === '' || path.includes('\0')) throw new ColdstartError('E_PATH', `not a path: ${shown}`)
    if (/^[A-Za-z][A-Za-z0-9+.-]+:/.test(path)) {
      throw new ColdstartError('E_URL_BLOCKED', `images are never fetched: ${shown}`, {
        hint: 'download the image and give its path, or give its bytes',
      })
    }
    if (!this.allowPaths) {
      if (isAbsolute(path) || /^[A-Za-z]:/.test(path) || path.startsWith('\\')) {
        throw new ColdstartError('E_PATH', `absolute path in data: ${shown}`, { hint })
      }
      if (path.split(/[\\/]/).includes('..')) throw new ColdstartError('E_PATH', `".." in a path: ${shown}`, { hint })
    }
    const real = this.real(isAbsolute(path) ? path : join(this.root, path), shown)
    this.realRoot ??= this.real(this.root, JSON.stringify(this.root))
    if (!this.allowPaths && !real.startsWith(this.realRoot === sep ? sep : this.realRoot + sep)) {
      throw new ColdstartError('E_PATH', `a link leaves the image root: ${shown}`, { hint })
    }
    return real
  }

  private real(path: string, shown: string): string {
    try {
      return realpathSync.native(path)
    } catch (cause) {
      throw new ColdstartError('E_PATH', `${refusalOf(cause)}: ${shown}`, { cause })
    }
  }
}
