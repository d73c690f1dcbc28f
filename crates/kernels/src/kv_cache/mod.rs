//! Keys and values of earlier tokens, in blocks, for decoding one token per sequence at a time.
//!
//! A sequence is a prompt, shared by all samples drawn from it, and its own tokens, which start in a fresh block. Blocks hold every
//! layer of `BLOCK_LEN` tokens; they are allocated on first use, recycled through a free list and never moved. Keys are stored
//! after rotation, values as projected, both rounded to bf16 first where products are bf16.

mod decode;

use candle_core::{DType, Tensor};

use crate::access::{self, Element};
use crate::attention::Heads;
use crate::{Error, Precision, Result, check, for_dtype};

const OP: &str = "kv_cache";

/// Tokens per block. Half a block per sequence is wasted on average: 64 tokens, little beside the weights even of tiny models.
pub const BLOCK_LEN: usize = 128;

/// A prompt whose keys and values are in the cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PromptId(usize);

/// A sequence that continues a prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SequenceId(usize);

/// Tokens in blocks: token t is in slot t mod `BLOCK_LEN` of block `blocks[t / BLOCK_LEN]`.
#[derive(Default)]
struct Run {
    blocks: Vec<usize>,
    len: usize,
}

struct Prompt {
    run: Run,
    /// Sequences that continue it, plus one until the prompt is released.
    holders: usize,
}

struct Sequence {
    prompt: usize,
    own: Run,
}

/// The cache of one model.
pub struct KvCache {
    layers: usize,
    heads: Heads,
    precision: Precision,
    max_blocks: usize,
    store: Store,
    free: Vec<usize>,
    prompts: Vec<Option<Prompt>>,
    sequences: Vec<Option<Sequence>>,
    /// Working memory of `decode`, kept between calls.
    parts: Vec<decode::Part>,
    slots: Vec<Slot>,
}

/// Where a token is: its block and its place in it.
type Slot = (usize, usize);

/// One allocation per block, `[layer][kv head]` of keys `[BLOCK_LEN][dim]` and values `[BLOCK_LEN][dim]`.
enum Store {
    F32(Vec<Box<[f32]>>),
    F64(Vec<Box<[f64]>>),
}

trait Stored: Element {
    fn blocks(store: &Store) -> &[Box<[Self]>];
    fn blocks_mut(store: &mut Store) -> &mut Vec<Box<[Self]>>;
}

macro_rules! stored {
    ($t:ident, $variant:ident) => {
        impl Stored for $t {
            fn blocks(store: &Store) -> &[Box<[Self]>] {
                match store {
                    Store::$variant(blocks) => blocks,
                    // Callers compare the dtype first.
                    _ => &[],
                }
            }
            fn blocks_mut(store: &mut Store) -> &mut Vec<Box<[Self]>> {
                if !matches!(store, Store::$variant(_)) {
                    *store = Store::$variant(vec![]);
                }
                match store {
                    Store::$variant(blocks) => blocks,
                    _ => unreachable!("set one line above"),
                }
            }
        }
    };
}
stored!(f32, F32);
stored!(f64, F64);

impl KvCache {
    /// An empty cache for `layers` attention layers of `heads`, of at most `max_blocks` blocks. `dtype` is that of the activations.
    pub fn new(dtype: DType, precision: Precision, layers: usize, heads: Heads, max_blocks: usize) -> Result<Self> {
        heads.check()?;
        let store = match dtype {
            DType::F32 => Store::F32(vec![]),
            DType::F64 => Store::F64(vec![]),
            got => return Err(Error::UnsupportedDType { op: OP, got }),
        };
        Ok(Self {
            layers,
            heads,
            precision,
            max_blocks,
            store,
            free: vec![],
            prompts: vec![],
            sequences: vec![],
            parts: vec![],
            slots: vec![],
        })
    }

    /// Blocks that `tokens` tokens of one run occupy.
    pub fn blocks_for(tokens: usize) -> usize {
        tokens.div_ceil(BLOCK_LEN)
    }

    /// Memory of one block, in bytes.
    pub fn block_bytes(&self) -> usize {
        let size = if matches!(self.store, Store::F32(_)) { 4 } else { 8 };
        self.block_elements() * size
    }

    /// Blocks that can still be taken.
    pub fn free_blocks(&self) -> usize {
        self.free.len() + self.max_blocks - self.allocated()
    }

    /// Makes room for a prompt of `len` tokens, whose keys and values `write_prompt` then stores layer by layer.
    ///
    /// Errors: the cache is full.
    pub fn add_prompt(&mut self, len: usize) -> Result<PromptId> {
        let mut run = Run { blocks: vec![], len };
        self.extend(&mut run, len)?;
        Ok(PromptId(insert(&mut self.prompts, Prompt { run, holders: 1 })))
    }

    /// Stores keys and values of a prompt: rows `row0 ..` of a fused, rotated `qkv` `[n, width]` of layer `layer`.
    pub fn write_prompt(&mut self, prompt: PromptId, layer: usize, qkv: &Tensor, row0: usize) -> Result<()> {
        let run = &get(&self.prompts, prompt.0, "prompt")?.run;
        let (rows, _) = self.check(layer, qkv)?;
        if row0 + run.len > rows {
            let expected =
                format!("at least {} because the prompt has {} tokens from row {row0} on", row0 + run.len, run.len);
            return Err(Error::Shape { op: OP, name: "qkv", got: qkv.dims().to_vec(), expected });
        }
        let slots: Vec<Slot> = (0..run.len).map(|t| (run.blocks[t / BLOCK_LEN], t % BLOCK_LEN)).collect();
        self.store_rows(layer, qkv, row0, &slots)
    }

    /// Starts a sequence after `prompt`.
    pub fn add_sequence(&mut self, prompt: PromptId) -> Result<SequenceId> {
        get_mut(&mut self.prompts, prompt.0, "prompt")?.holders += 1;
        Ok(SequenceId(insert(&mut self.sequences, Sequence { prompt: prompt.0, own: Run::default() })))
    }

    /// No further sequence will start here; the prompt's blocks return once the sequences that read it are gone.
    pub fn release_prompt(&mut self, prompt: PromptId) -> Result<()> {
        let held = get_mut(&mut self.prompts, prompt.0, "prompt")?;
        held.holders -= 1;
        if held.holders == 0 {
            let run = self.prompts[prompt.0].take().map(|p| p.run);
            self.free.extend(run.into_iter().flat_map(|run| run.blocks));
        }
        Ok(())
    }

    /// Returns a sequence's blocks.
    pub fn remove_sequence(&mut self, sequence: SequenceId) -> Result<()> {
        let prompt = PromptId(get(&self.sequences, sequence.0, "sequence")?.prompt);
        let own = self.sequences[sequence.0].take().map(|s| s.own);
        self.free.extend(own.into_iter().flat_map(|run| run.blocks));
        self.release_prompt(prompt)
    }

    /// Tokens of a sequence, prompt included.
    pub fn len(&self, sequence: SequenceId) -> Result<usize> {
        let s = get(&self.sequences, sequence.0, "sequence")?;
        Ok(get(&self.prompts, s.prompt, "prompt")?.run.len + s.own.len)
    }

    /// Makes room for one more token in each sequence. Call once per token, before the layers' `decode`.
    ///
    /// Errors: the cache is full.
    pub fn advance(&mut self, sequences: &[SequenceId]) -> Result<()> {
        for &sequence in sequences {
            let mut own = std::mem::take(&mut get_mut(&mut self.sequences, sequence.0, "sequence")?.own);
            let tokens = own.len + 1;
            let extended = self.extend(&mut own, tokens);
            own.len += usize::from(extended.is_ok());
            get_mut(&mut self.sequences, sequence.0, "sequence")?.own = own;
            extended?;
        }
        Ok(())
    }

    /// Attention of one new token per sequence in layer `layer`: stores row i's keys and values as the last token of
    /// `sequences[i]` and attends to the sequence, itself included. `qkv`: `[sequences, width]`, rotated. Returns
    /// `[sequences, Hq·dim]`.
    ///
    /// Sequences of one prompt should be neighbours: its keys are then read once for several of them. A row's result does not
    /// depend on the other rows, nor on the number of threads. `old` becomes the output if its shape fits; the caller must hold no
    /// other handle to it.
    pub fn decode(
        &mut self,
        layer: usize,
        qkv: &Tensor,
        sequences: &[SequenceId],
        scale: f64,
        old: Option<Tensor>,
    ) -> Result<Tensor> {
        self.check(layer, qkv)?;
        check::length(OP, "sequences", sequences.len(), qkv.dims()[0], ("qkv", qkv))?;
        // Taken out so that the rest of the cache can be lent; an error only costs their memory.
        let (mut slots, mut parts) = (std::mem::take(&mut self.slots), std::mem::take(&mut self.parts));
        slots.clear();
        for sequence in sequences {
            let own = &get(&self.sequences, sequence.0, "sequence")?.own;
            let Some(t) = own.len.checked_sub(1) else {
                let got = format!("{sequence:?} with no own token");
                return Err(Error::Value {
                    op: OP,
                    name: "sequence",
                    got,
                    expected: "a call of advance before".into(),
                });
            };
            slots.push((own.blocks[t / BLOCK_LEN], t % BLOCK_LEN));
        }
        self.store_rows(layer, qkv, 0, &slots)?;
        decode::split(self, sequences, &mut parts)?;
        let out = decode::run(self, layer, qkv, sequences, &parts, scale, old)?;
        (self.slots, self.parts) = (slots, parts);
        Ok(out)
    }

    fn check(&self, layer: usize, qkv: &Tensor) -> Result<(usize, usize)> {
        if layer >= self.layers {
            return Err(Error::Index { op: OP, name: "layer", position: 0, index: layer, len: self.layers });
        }
        let (rows, _) = check::matrix(OP, ("qkv", qkv))?;
        check::shape(OP, ("qkv", qkv), &[rows, self.heads.width()], ("heads", qkv))?;
        let expected = if matches!(self.store, Store::F32(_)) { DType::F32 } else { DType::F64 };
        if qkv.dtype() != expected {
            return Err(Error::DType { op: OP, name: "qkv", got: qkv.dtype(), expected });
        }
        Ok((rows, self.heads.width()))
    }

    fn head_elements(&self) -> usize {
        2 * self.heads.dim * BLOCK_LEN
    }

    fn block_elements(&self) -> usize {
        self.layers * self.heads.kv * self.head_elements()
    }

    /// Where keys of a head start within a block; its values follow.
    fn head_at(&self, layer: usize, kv_head: usize) -> usize {
        (layer * self.heads.kv + kv_head) * self.head_elements()
    }

    fn allocated(&self) -> usize {
        match &self.store {
            Store::F32(blocks) => blocks.len(),
            Store::F64(blocks) => blocks.len(),
        }
    }

    /// Gives `run` the blocks for `tokens` tokens, or takes none.
    fn extend(&mut self, run: &mut Run, tokens: usize) -> Result<()> {
        let missing = Self::blocks_for(tokens).saturating_sub(run.blocks.len());
        if missing > self.free_blocks() {
            let got = format!("{missing} more");
            return Err(Error::Value {
                op: OP,
                name: "blocks",
                got,
                expected: format!("at most {}", self.free_blocks()),
            });
        }
        for _ in 0..missing {
            let block = self.free.pop().unwrap_or_else(|| self.allocate());
            run.blocks.push(block);
        }
        Ok(())
    }

    fn allocate(&mut self) -> usize {
        let len = self.block_elements();
        match &mut self.store {
            Store::F32(blocks) => blocks.push(vec![0.0; len].into()),
            Store::F64(blocks) => blocks.push(vec![0.0; len].into()),
        }
        self.allocated() - 1
    }

    /// Writes keys and values of rows `row0 ..` into `slots`.
    fn store_rows(&mut self, layer: usize, qkv: &Tensor, row0: usize, slots: &[Slot]) -> Result<()> {
        let (heads, first, each) = (self.heads, self.head_at(layer, 0), self.head_elements());
        let precision = self.precision;
        let store = &mut self.store;
        for_dtype!(OP, qkv, T => access::read::<T, _>(OP, ("qkv", qkv), |qkv| {
            let blocks = T::blocks_mut(store);
            for (row, &(block, slot)) in slots.iter().enumerate() {
                let row = &qkv[(row0 + row) * heads.width()..][..heads.width()];
                for kv_head in 0..heads.kv {
                    let start = first + kv_head * each;
                    let (keys, values) = blocks[block][start..][..each].split_at_mut(heads.dim * BLOCK_LEN);
                    let k = &row[heads.k_column(kv_head)..][..heads.dim];
                    let v = &row[heads.v_column(kv_head)..][..heads.dim];
                    for (to, from) in [(keys, k), (values, v)] {
                        for (to, &x) in to[slot * heads.dim..][..heads.dim].iter_mut().zip(from) {
                            *to = decode::rounded(x, precision);
                        }
                    }
                }
            }
        }))
    }
}

fn insert<T>(slots: &mut Vec<Option<T>>, value: T) -> usize {
    let at = slots.iter().position(Option::is_none).unwrap_or(slots.len());
    if at == slots.len() {
        slots.push(None);
    }
    slots[at] = Some(value);
    at
}

fn get<'a, T>(slots: &'a [Option<T>], at: usize, name: &'static str) -> Result<&'a T> {
    slots.get(at).and_then(Option::as_ref).ok_or_else(|| gone(at, name, slots.len()))
}

fn get_mut<'a, T>(slots: &'a mut [Option<T>], at: usize, name: &'static str) -> Result<&'a mut T> {
    let len = slots.len();
    slots.get_mut(at).and_then(Option::as_mut).ok_or_else(|| gone(at, name, len))
}

fn gone(index: usize, name: &'static str, len: usize) -> Error {
    Error::Value {
        op: OP,
        name,
        got: format!("{index}, which is not in the cache"),
        expected: format!("one of the {len} given out"),
    }
}
