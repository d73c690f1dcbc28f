//! Every gradient of the explicit backward against candle's autograd in f64.
//!
//! The twin below is written from the formulas with elementary operations only: candle's fused ones record no backward. It shares
//! nothing with the engine but the weights: no fused storages, no window order (windows are a mask over patches in reading order),
//! no segments (the language model's mask is built from the samples).

mod common;

use candle_core::{D, Device, Tensor, Var};
use coldstart_engine::{Image, Item, Model, ModelConfig, Packed, Precision, Save};
use common::*;
use serde_json::json;
use std::collections::BTreeMap;

const MASKED: f64 = -1e9;

type R = candle_core::Result<Tensor>;

struct Twin {
    config: ModelConfig,
    vars: BTreeMap<String, Var>,
}

impl Twin {
    fn new(model: &Model) -> Self {
        let var = |name: &str| Var::from_tensor(&model.params().hub_value(name).unwrap().copy().unwrap()).unwrap();
        let vars = model.params().parts().map(|part| (part.name.to_string(), var(part.name))).collect();
        Self { config: model.config().clone(), vars }
    }

    fn get(&self, name: &str) -> &Tensor {
        self.vars[name].as_tensor()
    }

    fn linear(&self, x: &Tensor, name: &str, bias: bool) -> R {
        let y = x.matmul(&self.get(&format!("{name}.weight")).t()?)?;
        if bias { y.broadcast_add(self.get(&format!("{name}.bias"))) } else { Ok(y) }
    }

    fn norm(&self, x: &Tensor, name: &str, eps: f64) -> R {
        let mean = x.sqr()?.mean_keepdim(D::Minus1)?;
        x.broadcast_div(&(mean + eps)?.sqrt()?)?.broadcast_mul(self.get(name))
    }

    fn mlp(&self, n: &Tensor, name: &str, bias: bool) -> R {
        let gate = self.linear(n, &format!("{name}.gate_proj"), bias)?;
        // silu(g) = g / (1 + exp(−g))
        let silu = (&gate / (gate.neg()?.exp()? + 1.0)?)?;
        let a = (silu * self.linear(n, &format!("{name}.up_proj"), bias)?)?;
        self.linear(&a, &format!("{name}.down_proj"), bias)
    }

    /// Merged features of all images in reading order.
    fn features(&self, images: &[&Image]) -> R {
        let v = &self.config.vision;
        let mut pixels = Vec::new();
        let mut places = Vec::new(); // image, frame, row, column of each patch
        for (i, image) in images.iter().enumerate() {
            pixels.extend(image.pixel_values.iter().map(|&x| f64::from(x)));
            let [t, h, w] = image.grid;
            for f in 0..t {
                for cell in 0..h / 2 * (w / 2) {
                    let (row, column) = (cell / (w / 2) * 2, cell % (w / 2) * 2);
                    places.extend((0..4).map(|k| [i as u32, f, row + k / 2, column + k % 2]));
                }
            }
        }
        let n = places.len();
        let side = v.window_size as u32 / v.patch_size as u32;
        let same_frame = |a: &[u32; 4], b: &[u32; 4]| a[..2] == b[..2];
        let same_window =
            |a: &[u32; 4], b: &[u32; 4]| same_frame(a, b) && a[2] / side == b[2] / side && a[3] / side == b[3] / side;
        let frames = mask(n, |i, j| same_frame(&places[i], &places[j]))?;
        let windows = mask(n, |i, j| same_window(&places[i], &places[j]))?;
        let quarter = v.head_dim / 4;
        let angle = |i: usize, j: usize| {
            let position = f64::from(if j < quarter { places[i][2] } else { places[i][3] });
            position * 10000f64.powf(-2.0 * (j % quarter) as f64 / (v.head_dim / 2) as f64)
        };
        let rope = Rope::new(n, v.head_dim / 2, angle)?;
        let pixels = Tensor::from_vec(pixels, (n, v.patch_len()), &Device::Cpu)?;
        let patch = self.get("visual.patch_embed.proj.weight").reshape((v.hidden_size, v.patch_len()))?;
        let mut x = pixels.matmul(&patch.t()?)?;
        for layer in 0..v.depth {
            let name = format!("visual.blocks.{layer}");
            let h = self.norm(&x, &format!("{name}.norm1.weight"), 1e-6)?;
            let qkv = self.linear(&h, &format!("{name}.attn.qkv"), true)?;
            let [q, k, value] = [0, 1, 2].map(|i| qkv.narrow(1, i * v.hidden_size, v.hidden_size));
            let mask = if v.fullatt_block_indexes.contains(&layer) { &frames } else { &windows };
            let o = attention(&q?, &k?, &value?, v.num_heads, v.num_heads, &rope, mask)?;
            x = (x + self.linear(&o, &format!("{name}.attn.proj"), true)?)?;
            let h = self.norm(&x, &format!("{name}.norm2.weight"), 1e-6)?;
            x = (x + self.mlp(&h, &format!("{name}.mlp"), true)?)?;
        }
        let joined = self.norm(&x, "visual.merger.ln_q.weight", 1e-6)?.reshape((n / 4, 4 * v.hidden_size))?;
        let pre = self.linear(&joined, "visual.merger.mlp.0", true)?;
        // Not gelu_erf, whose recorded derivative has a constant of six digits.
        let act = (&pre * (((&pre / 2f64.sqrt())?.erf()? + 1.0)? / 2.0)?)?;
        self.linear(&act, "visual.merger.mlp.2", true)
    }

    /// Hidden states after the final norm of one sequence per response, each with the whole prompt before it.
    fn hidden(&self, sequence: &Sequence) -> R {
        let t = &self.config.text;
        let n = sequence.ids.len();
        let mut x = self.get("model.embed_tokens.weight").index_select(&indices(&sequence.ids)?, 0)?;
        if !sequence.images.is_empty() {
            let features = self.features(&sequence.images)?;
            let mut feature = n as u32;
            let rows: Vec<u32> = (0..n)
                .map(|i| {
                    if sequence.ids[i] != IMAGE {
                        return i as u32;
                    }
                    feature += 1;
                    feature - 1
                })
                .collect();
            x = Tensor::cat(&[&x, &features], 0)?.index_select(&indices(&rows)?, 0)?;
        }
        let [time, height, _] = t.mrope_section;
        let half = t.head_dim / 2;
        let angle = |i: usize, j: usize| {
            let axis = if j < time {
                0
            } else if j < time + height {
                1
            } else {
                2
            };
            f64::from(sequence.positions[i][axis]) * t.rope_theta.powf(-2.0 * j as f64 / t.head_dim as f64)
        };
        let rope = Rope::new(n, half, angle)?;
        let causal = mask(n, |i, j| j <= i)?;
        for layer in 0..t.num_hidden_layers {
            let name = format!("model.layers.{layer}");
            let h = self.norm(&x, &format!("{name}.input_layernorm.weight"), t.rms_norm_eps)?;
            let [q, k, v] = ["q", "k", "v"].map(|p| self.linear(&h, &format!("{name}.self_attn.{p}_proj"), true));
            let o = attention(&q?, &k?, &v?, t.num_attention_heads, t.num_key_value_heads, &rope, &causal)?;
            x = (x + self.linear(&o, &format!("{name}.self_attn.o_proj"), false)?)?;
            let h = self.norm(&x, &format!("{name}.post_attention_layernorm.weight"), t.rms_norm_eps)?;
            x = (x + self.mlp(&h, &format!("{name}.mlp"), false)?)?;
        }
        self.norm(&x, "model.norm.weight", t.rms_norm_eps)
    }

    /// `Σ over targets of −w·(logp + 0.1·H)` at the tests' temperature.
    fn loss(&self, sequence: &Sequence, weights: &[f64]) -> R {
        let head = if self.config.text.tie_word_embeddings { "model.embed_tokens.weight" } else { "lm_head.weight" };
        let n = sequence.ids.len();
        let rows = self.hidden(sequence)?.narrow(0, n - 1 - weights.len(), weights.len())?;
        let z = (rows.matmul(&self.get(head).t()?)? / TEMPERATURE)?;
        let largest = z.max_keepdim(D::Minus1)?.detach();
        let sum = z.broadcast_sub(&largest)?.exp()?.sum_keepdim(D::Minus1)?;
        let log_p = z.broadcast_sub(&(sum.log()? + largest)?)?;
        let targets = indices(&sequence.ids[n - weights.len()..])?.unsqueeze(1)?;
        let logp = log_p.gather(&targets, 1)?;
        let entropy = (log_p.exp()? * &log_p)?.sum_keepdim(D::Minus1)?.neg()?;
        let w = Tensor::from_slice(weights, (weights.len(), 1), &Device::Cpu)?;
        ((logp + (entropy * ENTROPY)?)? * w)?.sum_all()?.neg()
    }
}

/// A sample written out: prompt and one response, whose tokens are the targets.
struct Sequence<'a> {
    ids: Vec<u32>,
    positions: Vec<[u32; 3]>,
    images: Vec<&'a Image>,
}

impl<'a> Sequence<'a> {
    fn new(item: &'a Item, response: &[u32]) -> Self {
        let ids = [&item.ids[..], response].concat();
        let images: Vec<&Image> = item.images.iter().map(|image| &**image).collect();
        let (mut positions, mut p, mut next, mut at) = (Vec::new(), 0, images.iter(), 0);
        while at < ids.len() {
            if ids[at] != IMAGE {
                positions.push([p; 3]);
                p += 1;
                at += 1;
                continue;
            }
            let [t, h, w] = next.next().unwrap().grid;
            let (rows, columns) = (h / 2, w / 2);
            for k in 0..t * rows * columns {
                positions.push([p + k / (rows * columns), p + k / columns % rows, p + k % columns]);
            }
            p += rows.max(columns);
            at += (t * rows * columns) as usize;
        }
        Self { ids, positions, images }
    }
}

struct Rope {
    cos: Tensor,
    sin: Tensor,
}

impl Rope {
    fn new(n: usize, half: usize, angle: impl Fn(usize, usize) -> f64) -> candle_core::Result<Self> {
        let table = |f: fn(f64) -> f64| {
            let values: Vec<f64> = (0..n * half).map(|k| f(angle(k / half, k % half))).collect();
            Tensor::from_vec(values, (1, n, half), &Device::Cpu)
        };
        Ok(Self { cos: table(f64::cos)?, sin: table(f64::sin)? })
    }

    /// `x`: `[heads, n, dim]`
    fn apply(&self, x: &Tensor) -> R {
        let half = x.dim(2)? / 2;
        let (a, b) = (x.narrow(2, 0, half)?, x.narrow(2, half, half)?);
        let first = (a.broadcast_mul(&self.cos)? - b.broadcast_mul(&self.sin)?)?;
        let second = (b.broadcast_mul(&self.cos)? + a.broadcast_mul(&self.sin)?)?;
        Tensor::cat(&[first, second], 2)
    }
}

/// `q`: `[n, heads·dim]`; `k`, `v`: `[n, kv·dim]`; additive `mask` `[n, n]`.
fn attention(q: &Tensor, k: &Tensor, v: &Tensor, heads: usize, kv: usize, rope: &Rope, mask: &Tensor) -> R {
    let (n, width) = q.dims2()?;
    let dim = width / heads;
    let split = |x: &Tensor, count: usize| x.reshape((n, count, dim))?.transpose(0, 1)?.contiguous();
    let groups: Vec<u32> = (0..heads).map(|i| (i / (heads / kv)) as u32).collect();
    let spread = |x: &Tensor| split(x, kv)?.index_select(&indices(&groups)?, 0);
    let (q, k, v) = (rope.apply(&split(q, heads)?)?, rope.apply(&spread(k)?)?, spread(v)?);
    let scores = (q.matmul(&k.transpose(1, 2)?.contiguous()?)? * (dim as f64).powf(-0.5))?.broadcast_add(mask)?;
    let weights = scores.broadcast_sub(&scores.max_keepdim(D::Minus1)?.detach())?.exp()?;
    let weights = weights.broadcast_div(&weights.sum_keepdim(D::Minus1)?)?;
    weights.matmul(&v)?.transpose(0, 1)?.contiguous()?.reshape((n, width))
}

fn mask(n: usize, visible: impl Fn(usize, usize) -> bool) -> R {
    let values: Vec<f64> = (0..n * n).map(|k| if visible(k / n, k % n) { 0.0 } else { MASKED }).collect();
    Tensor::from_vec(values, (1, n, n), &Device::Cpu)
}

fn indices(values: &[u32]) -> R {
    Tensor::from_slice(values, values.len(), &Device::Cpu)
}

/// Compares loss and all gradients of `items`, whose branches are the targets.
fn compare(model: &Model, items: &[Item]) {
    let twin = Twin::new(model);
    let mut weights = Vec::new();
    let mut total: Option<Tensor> = None;
    for (i, item) in items.iter().enumerate() {
        for (b, branch) in item.branches.iter().enumerate() {
            let own: Vec<f64> = (0..branch.len()).map(|t| weight_of(i as u32, b as u32, t as u32)).collect();
            let loss = twin.loss(&Sequence::new(item, branch), &own).unwrap();
            total = Some(total.map_or(loss.clone(), |sum| (sum + loss).unwrap()));
            weights.extend(own);
        }
    }
    let total = total.unwrap();
    let store = total.backward().unwrap();
    let expected: BTreeMap<String, Vec<f64>> = twin
        .vars
        .iter()
        .filter(|(name, _)| model.params().find(name).unwrap().trainable)
        .map(|(name, var)| {
            let grad = store.get(var).unwrap_or_else(|| panic!("candle has no gradient for {name}"));
            (name.clone(), flat(grad))
        })
        .collect();
    let loss = accumulate(model, items, Save::All, |i| weights[i]);
    let expected_loss = total.to_scalar::<f64>().unwrap();
    assert!((loss - expected_loss).abs() < 1e-11 * expected_loss.abs(), "{loss} against {expected_loss}");
    assert_close(&gradients(model), &expected, 1e-10);
}

fn shaped(change: impl Fn(&mut serde_json::Value)) -> Model {
    let mut raw = config_json(true);
    change(&mut raw);
    let drawn = Model::init(&ModelConfig::from_json(&raw).unwrap(), 31, Precision::F64).unwrap();
    // Norm weights and biases drawn as in the shared model, so that none is trivially one or zero.
    let key = coldstart_kernels::rng::Key::new(31, coldstart_kernels::rng::Purpose::Sample);
    for (i, part) in drawn.params().parts().enumerate().filter(|(_, part)| part.shape.len() == 1) {
        let base = if part.name.ends_with("bias") { 0.0 } else { 1.0 };
        for row in part.rows.clone() {
            write_value(drawn.params().value(part.id), row, base + 0.2 * key.normal(i as u32, row as u64, 0));
        }
    }
    drawn
}

#[test]
fn a_text_block_equals_autograd() {
    let mut model = shaped(|raw| raw["num_hidden_layers"] = json!(1));
    model.params_mut().freeze(&["visual.*".to_string()]).unwrap();
    compare(&model, &[Item { branches: vec![words(1, 6)], ..prompt(1, &[], 4) }]);
}

#[test]
fn a_window_block_equals_autograd() {
    let model = shaped(|raw| {
        raw["vision_config"]["depth"] = json!(1);
        raw["vision_config"]["fullatt_block_indexes"] = json!([]);
        raw["num_hidden_layers"] = json!(1);
    });
    let image = image(model.config(), 1, [1, 6, 10]);
    compare(&model, &[Item { branches: vec![words(2, 3)], ..prompt(2, &[image], 2) }]);
}

#[test]
fn a_full_attention_block_equals_autograd() {
    let model = shaped(|raw| {
        raw["vision_config"]["depth"] = json!(1);
        raw["vision_config"]["fullatt_block_indexes"] = json!([0]);
        raw["num_hidden_layers"] = json!(1);
    });
    let image = image(model.config(), 2, [2, 4, 6]);
    compare(&model, &[Item { branches: vec![words(3, 3)], ..prompt(3, &[image], 2) }]);
}

#[test]
fn the_whole_model_with_shared_prompts_and_several_images_equals_autograd() {
    for tied in [true, false] {
        let model = model(tied, 32, Precision::F64);
        let (a, b) = (image(model.config(), 3, [1, 6, 10]), image(model.config(), 4, [2, 4, 4]));
        let items = [
            Item { branches: vec![words(4, 4), words(5, 2)], ..prompt(4, &[a.clone(), b], 3) },
            Item { branches: vec![words(6, 5)], ..prompt(5, &[a], 2) },
        ];
        compare(&model, &items);
    }
}

#[test]
fn the_twin_sees_the_engines_positions() {
    let config = config(true);
    let item = prompt(6, &[image(&config, 5, [2, 4, 6]), image(&config, 6, [1, 2, 4])], 3);
    let packed = Packed::new(std::slice::from_ref(&item), &config).unwrap();
    assert_eq!(packed.positions, Sequence::new(&item, &[]).positions);
}
