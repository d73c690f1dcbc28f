//! A sample's numbers do not depend on what is computed beside it, nor on who runs the attention.

mod common;

use candle_core::Tensor;
use coldstart_engine::qwen2_5_vl::block::{Attend, Attended, attention_scale};
use coldstart_engine::qwen2_5_vl::buffers::Buffers;
use coldstart_engine::{Item, Packed, Precision, Result, Save};
use coldstart_kernels::attention::{self, Heads};
use common::*;

const PRECISIONS: [Precision; 3] = [Precision::F64, Precision::F32, Precision::Bf16];

#[test]
fn a_sample_has_the_same_bits_alone_and_in_a_batch() {
    for precision in PRECISIONS {
        let model = model(true, 51, precision);
        let config = model.config();
        let (a, b) = (image(config, 1, [1, 4, 6]), image(config, 2, [1, 6, 10]));
        let items = [prompt(1, std::slice::from_ref(&a), 3), prompt(2, &[b, a.clone()], 7), prompt(3, &[], 5)];
        let hidden = |items: &[Item]| model.forward(&Packed::new(items, config).unwrap(), Save::None).unwrap().hidden;
        let together = hidden(&items);
        let mut row = 0;
        for item in &items {
            let own = together.narrow(0, row, item.ids.len()).unwrap();
            assert!(flat(&own) == flat(&hidden(std::slice::from_ref(item))), "{precision:?}");
            row += item.ids.len();
        }
    }
}

/// Attention that counts its calls, as a generator's would keep keys and values.
struct Counting<'a> {
    packed: &'a Packed,
    precision: Precision,
    layers: Vec<usize>,
}

impl Attend for Counting<'_> {
    fn attend(&mut self, layer: usize, qkv: &Tensor, heads: &Heads, _: &mut Buffers) -> Result<Attended> {
        self.layers.push(layer);
        let (o, _) = attention::forward(qkv, heads, &self.packed.plan, attention_scale(heads), self.precision)?;
        Ok(Attended { o, lse: None })
    }
}

#[test]
fn running_with_an_attention_of_the_callers_gives_the_bits_of_the_forward() {
    for precision in PRECISIONS {
        let model = model(false, 52, precision);
        let item = prompt(4, &[image(model.config(), 3, [1, 4, 4])], 3);
        let packed = Packed::new(&[item], model.config()).unwrap();
        let mut attend = Counting { packed: &packed, precision, layers: vec![] };
        let angles = model.angles(&packed.positions, None).unwrap();
        let hidden = model.run(model.embed(&packed).unwrap(), &angles, &mut attend, &mut Buffers::default()).unwrap();
        assert_eq!(attend.layers, [0, 1]);
        assert!(flat(&hidden) == flat(&model.forward(&packed, Save::All).unwrap().hidden), "{precision:?}");
    }
}

#[test]
fn keeping_activations_does_not_change_the_forward() {
    let model = model(true, 53, Precision::F32);
    let packed = Packed::new(&[prompt(5, &[image(model.config(), 4, [2, 4, 4])], 2)], model.config()).unwrap();
    let hidden = |save| flat(&model.forward(&packed, save).unwrap().hidden);
    assert!(hidden(Save::None) == hidden(Save::All));
    assert!(hidden(Save::None) == hidden(Save::Inputs));
    assert!(model.forward(&packed, Save::None).unwrap().saved.is_none());
}

#[test]
fn bf16_products_stay_near_f64() {
    let exact = model(true, 54, Precision::F64);
    let rounded = model(true, 54, Precision::Bf16);
    let packed = Packed::new(&[prompt(6, &[image(exact.config(), 5, [1, 4, 6])], 6)], exact.config()).unwrap();
    let hidden = |model: &coldstart_engine::Model| flat(&model.forward(&packed, Save::None).unwrap().hidden);
    let deviation = relative(&hidden(&rounded), &hidden(&exact));
    // bf16 has 8 bits: 2e-3 a rounding, grown by a few layers; exactly zero would mean that nothing was rounded.
    assert!((1e-4..5e-2).contains(&deviation), "{deviation:e}");
}
