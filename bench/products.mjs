// C1: matrix products of the engine, and the same shapes in PyTorch.
import { peaks, products } from './peak.mjs'
import { rounded } from './rounds.mjs'

const dtypes = { F32: 'float32', Bf16: 'bfloat16' }

export const C1 = {
  title: 'matrix products: forward, input gradient and weight gradient, large and small',
  async run({ peer, threads, print }) {
    print(rounded({ id: 'peak', tflops: peaks() }))
    for (const measure of products()) {
      const { name: kind, m, k, n } = measure
      const dtype = dtypes[measure.precision]
      if (!peer || !dtype || !['forward', 'dx', 'dw'].includes(kind)) {
        print(rounded({ id: 'C1', ...measure }))
        continue
      }
      const { seconds } = await peer.ask({ op: 'matmul', m, k, n, kind, dtype, threads })
      const peerTflops = (2 * m * k * n) / seconds / 1e12
      print(rounded({ id: 'C1', ...measure, peerTflops, speedup: measure.tflops / peerTflops }))
    }
  },
}
