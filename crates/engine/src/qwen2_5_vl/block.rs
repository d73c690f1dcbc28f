//! One transformer block, forward and backward. The vision tower and the language model use the same one; they differ in biases,
//! angles and who attends to whom.

use super::buffers::Buffers;
use crate::Result;
use crate::params::{BlockIds, LinearIds, ParamId, Params};
use candle_core::Tensor;
use coldstart_kernels::attention::{self, Heads, Plan};
use coldstart_kernels::rope::{self, Angles};
use coldstart_kernels::{linear, rms_norm, swiglu};

/// Attention as the block sees it: the training one below, or one that also keeps keys and values for generation.
pub trait Attend {
    /// Attention of block `layer` over `qkv` `[rows, (q + 2·kv heads)·dim]`, whose queries and keys are already rotated. The output may
    /// be a tensor of `buffers`.
    fn attend(&mut self, layer: usize, qkv: &Tensor, heads: &Heads, buffers: &mut Buffers) -> Result<Attended>;
}

/// Output of attention.
pub struct Attended {
    /// `[rows, q heads · dim]`.
    pub o: Tensor,
    /// Row log-sum-exp `[q heads, rows]`, which only a backward needs.
    pub lse: Option<Tensor>,
}

/// `dim^(−1/2)`, the scale of the scores.
pub fn attention_scale(heads: &Heads) -> f64 {
    (heads.dim as f64).powf(-0.5)
}

/// A residual stream whose last sublayer is not added yet: the next norm adds it on the way.
pub(crate) struct Stream {
    pub x: Tensor,
    pub delta: Option<Tensor>,
}

impl Stream {
    /// Its tensors, once the next norm has added them. Without a delta the sum is `x` itself and stays.
    pub(crate) fn give_to(self, buffers: &mut Buffers) {
        if let Some(delta) = self.delta {
            buffers.give([self.x, delta]);
        }
    }
}

/// What a block needs besides its input.
pub(crate) struct Context<'a> {
    pub params: &'a Params,
    pub angles: &'a Angles,
    pub heads: &'a Heads,
    pub eps: f64,
}

/// What a block's backward needs.
pub(crate) enum Saved {
    /// The block's input; the forward is repeated.
    Input(Tensor),
    /// Every intermediate.
    All(Box<Intermediates>),
}

impl Saved {
    pub(crate) fn input(&self) -> &Tensor {
        match self {
            Saved::Input(x) => x,
            Saved::All(kept) => &kept.h1,
        }
    }
}

pub(crate) struct Intermediates {
    h1: Tensor,
    n1: Tensor,
    inv1: Tensor,
    qkv: Tensor,
    o: Tensor,
    lse: Tensor,
    h2: Tensor,
    n2: Tensor,
    inv2: Tensor,
    gu: Tensor,
    a: Tensor,
}

/// `x + delta`, the norm `w ∘ (x + delta)/rms` and the inverse root mean square.
pub(crate) fn norm(
    params: &Params,
    stream: &Stream,
    weight: ParamId,
    eps: f64,
    buffers: &mut Buffers,
) -> Result<(Tensor, Tensor, Tensor)> {
    let (w, x) = (params.value(weight), &stream.x);
    let (y, inv) = (buffers.take(x.dims()), buffers.take(&x.dims()[..1]));
    match &stream.delta {
        Some(delta) => {
            let h = buffers.take(x.dims());
            Ok(rms_norm::forward_residual_into(x, delta, w, eps, [h, y, inv])?)
        }
        None => {
            let (y, inv) = rms_norm::forward_into(x, w, eps, [y, inv])?;
            Ok((x.clone(), y, inv))
        }
    }
}

pub(crate) fn linear_forward(params: &Params, x: &Tensor, ids: LinearIds, buffers: &mut Buffers) -> Result<Tensor> {
    let weight = params.weight(ids.weight);
    let old = buffers.take(&[x.dims()[0], weight.out_features()]);
    Ok(linear::forward_into(x, weight, ids.bias.map(|b| params.value(b)), old)?)
}

/// Adds the gradients of a linear layer's parameters that are trained.
pub(crate) fn linear_grads(params: &Params, dy: &Tensor, x: &Tensor, ids: LinearIds) -> Result<()> {
    if let Some(acc) = params.acc(ids.weight) {
        linear::backward_weight(dy, x, acc, params.precision())?;
    }
    if let Some(acc) = ids.bias.and_then(|b| params.acc(b)) {
        linear::backward_bias(dy, acc)?;
    }
    Ok(())
}

pub(crate) fn linear_trains(params: &Params, ids: LinearIds) -> bool {
    params.is_trainable(ids.weight) || ids.bias.is_some_and(|b| params.is_trainable(b))
}

/// Whether any parameter of the block is trained.
pub(crate) fn block_trains(params: &Params, ids: &BlockIds) -> bool {
    [ids.norm1, ids.norm2].iter().any(|&id| params.is_trainable(id))
        || [ids.qkv, ids.out, ids.gate_up, ids.down].iter().any(|&id| linear_trains(params, id))
}

/// Runs block `layer`. The intermediates come back when the attention gave a log-sum-exp; without one there is no backward, and what
/// only this block needed goes to `buffers`.
///
/// ```text
/// h₁ = x + delta;  h₂ = h₁ + attention(rotate(norm(h₁)·Wqkvᵀ + b))·Woᵀ + b;  y = h₂ + swiglu(norm(h₂)·Wguᵀ + b)·Wdᵀ + b
/// ```
pub(crate) fn forward(
    cx: &Context,
    ids: &BlockIds,
    layer: usize,
    stream: Stream,
    attend: &mut dyn Attend,
    buffers: &mut Buffers,
) -> Result<(Stream, Option<Box<Intermediates>>)> {
    let (h1, n1, inv1) = norm(cx.params, &stream, ids.norm1, cx.eps, buffers)?;
    let qkv = linear_forward(cx.params, &n1, ids.qkv, buffers)?;
    rope::apply(&qkv, cx.heads.q + cx.heads.kv, cx.heads.dim, cx.angles, false)?;
    let Attended { o, lse } = attend.attend(layer, &qkv, cx.heads, buffers)?;
    let middle = Stream { delta: Some(linear_forward(cx.params, &o, ids.out, buffers)?), x: h1 };
    let (h2, n2, inv2) = norm(cx.params, &middle, ids.norm2, cx.eps, buffers)?;
    let gu = linear_forward(cx.params, &n2, ids.gate_up, buffers)?;
    let a = swiglu::forward_into(&gu, buffers.take(&[gu.dims()[0], gu.dims()[1] / 2]))?;
    let delta = linear_forward(cx.params, &a, ids.down, buffers)?;
    let Some(lse) = lse else {
        stream.give_to(buffers);
        // Without a delta the input was `h1` itself, and its other handle is gone now.
        middle.give_to(buffers);
        buffers.give([n1, inv1, qkv, o, n2, inv2, gu, a]);
        return Ok((Stream { x: h2, delta: Some(delta) }, None));
    };
    let kept = Box::new(Intermediates { h1: middle.x, n1, inv1, qkv, o, lse, h2: h2.clone(), n2, inv2, gu, a });
    Ok((Stream { x: h2, delta: Some(delta) }, Some(kept)))
}

impl Intermediates {
    pub(crate) fn into_input(self) -> Tensor {
        self.h1
    }
}

/// Gradient of the block's input from that of its output `dy`, adding the parameters' gradients on the way.
///
/// Goes only as far down as something is trained: `None` when neither a parameter further down nor the caller (`need_dx`) wants more.
pub(crate) fn backward(
    cx: &Context,
    ids: &BlockIds,
    dy: &Tensor,
    saved: &Intermediates,
    plan: &Plan,
    need_dx: bool,
) -> Result<Option<Tensor>> {
    let p = cx.params;
    let need_norm1 = need_dx || p.is_trainable(ids.norm1);
    let need_qkv = need_norm1 || linear_trains(p, ids.qkv);
    let need_out = need_qkv || linear_trains(p, ids.out);
    let need_norm2 = need_out || p.is_trainable(ids.norm2);
    let need_gate_up = need_norm2 || linear_trains(p, ids.gate_up);

    linear_grads(p, dy, &saved.a, ids.down)?;
    if !need_gate_up {
        return Ok(None);
    }
    let da = linear::backward_input(dy, p.weight(ids.down.weight))?;
    let dgu = swiglu::backward(&da, &saved.gu)?;
    linear_grads(p, &dgu, &saved.n2, ids.gate_up)?;
    if !need_norm2 {
        return Ok(None);
    }
    let dn2 = linear::backward_input(&dgu, p.weight(ids.gate_up.weight))?;
    let dh2 = rms_norm::backward(&dn2, &saved.h2, &saved.inv2, p.value(ids.norm2), Some(dy), p.acc(ids.norm2))?;
    if !need_out {
        return Ok(None);
    }
    linear_grads(p, &dh2, &saved.o, ids.out)?;
    if !need_qkv {
        return Ok(None);
    }
    let d_o = linear::backward_input(&dh2, p.weight(ids.out.weight))?;
    let scale = attention_scale(cx.heads);
    let dqkv = attention::backward(&d_o, &saved.qkv, &saved.o, &saved.lse, cx.heads, plan, scale, p.precision())?;
    rope::apply(&dqkv, cx.heads.q + cx.heads.kv, cx.heads.dim, cx.angles, true)?;
    linear_grads(p, &dqkv, &saved.n1, ids.qkv)?;
    if !need_norm1 {
        return Ok(None);
    }
    let dn1 = linear::backward_input(&dqkv, p.weight(ids.qkv.weight))?;
    let dx = rms_norm::backward(&dn1, &saved.h1, &saved.inv1, p.value(ids.norm1), Some(&dh2), p.acc(ids.norm1))?;
    Ok(Some(dx))
}
