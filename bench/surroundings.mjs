// C8, C9: what surrounds the training step. Image preprocessing; start-up, memory and installed size.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import sharp from 'sharp'
import { numbers } from './models.mjs'
import { interleave, rounded } from './rounds.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))

export const C8 = {
  title: 'preprocessing of JPEG files, decoding included: 512×512, 1024×768, 2725×2225',
  async run({ peer, rounds, print }) {
    const { Processor } = await import('../dist/processor/processor.js')
    const { config, preprocessor, tokenizer } = await import('../test/support/tiny-model.mjs')
    const limits = { minPixels: 3136, maxPixels: 12_845_056, imageCacheBytes: 0 }
    const processor = await Processor.fromFiles(
      { config, preprocessor, tokenizer: Buffer.from(JSON.stringify(tokenizer)) },
      limits,
    )
    for (const [width, height] of [
      [512, 512],
      [1024, 768],
      [2725, 2225],
    ]) {
      const file = join(mkdtempSync(join(tmpdir(), 'bench-')), 'picture.jpg')
      const random = numbers(4)
      const coarse = Buffer.from(Uint8Array.from({ length: 64 * 48 * 3 }, () => random() * 256))
      await sharp(coarse, { raw: { width: 64, height: 48, channels: 3 } })
        .resize(width, height, { fit: 'fill' })
        .jpeg({ quality: 90 })
        .toFile(file)
      const ours = async () => {
        const began = performance.now()
        await processor.prepareImages([file])
        return (performance.now() - began) / 1000
      }
      const theirs =
        peer && (async () => (await peer.ask({ op: 'preprocess', file, max_pixels: limits.maxPixels })).seconds)
      const result = await interleave(rounds, ours, theirs)
      print(rounded({ id: 'C8', width, height, ...result, imagesPerSecond: 1 / result.seconds }))
    }
    await processor.close()
  },
}

export const C9 = {
  title: 'import to first training step, peak memory of that process, installed size',
  async run({ print }) {
    const child = spawnSync(process.execPath, [join(root, 'bench', 'first-step.mjs')], { cwd: root, encoding: 'utf8' })
    if (child.status !== 0) throw new Error(child.stderr)
    print(rounded({ id: 'C9', ...JSON.parse(child.stdout), ...installedSize() }))
  },
}

/** Bytes of what a user installs: compiled JavaScript, the addon stripped of nothing, and the runtime dependencies. */
function installedSize() {
  const size = (path) => {
    const stat = statSync(path, { throwIfNoEntry: false })
    if (!stat) return 0
    if (!stat.isDirectory()) return stat.size
    return readdirSync(path).reduce((sum, name) => sum + size(join(path, name)), 0)
  }
  const addon = readdirSync(root)
    .filter((name) => name.endsWith('.node'))
    .reduce((sum, name) => sum + size(join(root, name)), 0)
  const dependencies = ['sharp', '@img', 'zod', 'yaml', 'commander', 'picocolors', 'detect-libc', 'semver']
  const modules = dependencies.reduce((sum, name) => sum + size(join(root, 'node_modules', name)), 0)
  return { addonMB: addon / 1e6, distMB: size(join(root, 'dist')) / 1e6, dependenciesMB: modules / 1e6 }
}
