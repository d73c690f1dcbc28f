// What the machine can do at most, measured: products from registers, in the number type and with the threads of the engine.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const dtypes = { F32: 'float32', Bf16: 'bfloat16' }
let measured

/** TFLOP/s by dtype. */
export function peaks() {
  measured ??= measure()
  return measured
}

/** Lines of the products example for the measures named; all of them without names. */
export function products(...names) {
  const command = ['run', '--release', '-q', '-p', 'coldstart-gemm', '--example', 'products', '--', ...names]
  const { status, stdout, stderr } = spawnSync('cargo', command, { cwd: root, encoding: 'utf8' })
  if (status !== 0) throw new Error(`the products example failed:\n${stderr}`)
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
}

function measure() {
  const found = products('peak').filter(({ name }) => name === 'peak')
  return Object.fromEntries(found.map(({ precision, tflops }) => [dtypes[precision], tflops]))
}

/**
 * FLOPs of the matrix products of a training step without recomputation: 6 a weight and row, forward and backward. Attention, a few
 * per cent, is left out on both sides.
 */
export function trainingFlops(config, tokens, patches, targets) {
  const {
    hidden_size: d,
    num_hidden_layers: layers,
    intermediate_size: mlp,
    num_attention_heads: heads,
    num_key_value_heads: kv,
  } = config
  const v = config.vision_config
  const layer = 2 * d * d + 2 * d * ((d / heads) * kv) + 3 * d * mlp
  const block = 4 * v.hidden_size * v.hidden_size + 3 * v.hidden_size * v.intermediate_size
  const merger = (4 * v.hidden_size) ** 2 + 4 * v.hidden_size * v.out_hidden_size
  const tower = v.depth * block + 3 * 2 * 14 * 14 * v.hidden_size
  return 6 * (tokens * layers * layer + patches * tower + (patches / 4) * merger + targets * d * config.vocab_size)
}
