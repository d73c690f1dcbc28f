import { expect, it } from 'vitest'
import { checkImages } from '../../scripts/lib/image-goldens.mjs'

it('equals Pillow and the reference processor in sizes, resized pixels and patch values, JPEG included', async () => {
  const checks = await checkImages(new URL('../fixtures/goldens/images', import.meta.url).pathname)
  expect(checks.filter(({ ok }: { ok: boolean }) => !ok)).toEqual([])
  expect(checks.map(({ name }: { name: string }) => name)).toContain('jpeg pixel values')
  expect(checks).toHaveLength(40)
})
