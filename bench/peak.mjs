// What the machine can do at most, measured: products from registers, in the number type and with the threads of the engine, and reading
// memory. And what a piece of work needs of either.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const dtypes = { F32: 'float32', Bf16: 'bfloat16' }
let measured
let read

/** Bytes per second that memory gives. */
export function bandwidth() {
  read ??= products('bandwidth').find(({ name }) => name === 'bandwidth').gb_per_s * 1e9
  return read
}

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
  return 6 * visits(config, tokens, patches, targets)
}

/** FLOPs of the products of a forward alone: 2 a weight and row. */
export function forwardFlops(config, tokens, patches, targets) {
  return 2 * visits(config, tokens, patches, targets)
}

/** Bytes that one step of decoding reads: each weight once for all rows, and keys and values of `context` tokens a row. */
export function decodeBytes(config, dtype, rows, context) {
  const { hidden_size: d, num_hidden_layers: layers, num_attention_heads: heads, num_key_value_heads: kv } = config
  const size = dtype === 'bfloat16' ? 2 : 4
  return size * (visits(config, 1, 0, 1) + rows * context * layers * 2 * kv * (d / heads))
}

/** Each weight times the rows it meets. */
function visits(config, tokens, patches, targets) {
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
  return tokens * layers * layer + patches * tower + (patches / 4) * merger + targets * d * config.vocab_size
}
