//! The gradient of the mean loss by every parameter of one case.

use super::case::Case;
use super::report::{Check, Limits, flat, relative_norm};
use crate::batch::{Item, Packed};
use crate::qwen2_5_vl::{Model, Save};
use crate::{Error, Result};
use candle_core::Tensor;
use coldstart_kernels::head;

pub(super) fn check(model: &mut Model, case: &Case) -> Result<Vec<Check>> {
    let names = case.names("grad.")?;
    if names.is_empty() {
        return Ok(vec![Check::absent(&case.name, "grad.*")]);
    }
    let item = case.item("", &model.config().vision)?;
    let targets = item.targets.iter().filter(|t| **t).count();
    model.params_mut().zero_grad();
    accumulate(model, &item, targets)?;
    let mut deviations = Vec::new();
    for part in model.params().parts() {
        let expected = case.floats(&format!("grad.{}", part.name))?;
        let found = model.params().hub_grad(part.name).map(|grad| flat(&grad)).transpose()?;
        let deviation = match (&found, &expected) {
            (Some(found), Some(expected)) => relative_norm(found, expected),
            // Nothing reaches the tower without an image: one program then has no gradient, another one of zeros.
            (one, other) if one.iter().chain(other).flatten().all(|x| *x == 0.0) => continue,
            _ => f64::INFINITY,
        };
        deviations.push((deviation, part.name.to_string()));
    }
    let unknown = names.iter().filter(|name| model.params().find(name).is_none()).count();
    deviations.sort_by(|a, b| a.0.total_cmp(&b.0));
    let limits = Limits::of(model.precision());
    let (worst, name) =
        deviations.last().ok_or_else(|| Error::Usage(format!("case {}: no gradient but zero", case.name)))?;
    let median = deviations[deviations.len() / 2].0;
    let what = format!("grad.* ({} tensors)", deviations.len());
    Ok(vec![
        Check::new(&case.name, &what, format!("worst of the norm: {name}"), *worst, limits.gradient),
        Check::new(&case.name, &what, "median of the norm", median, limits.median_gradient),
        Check::new(&case.name, &what, "tensors the model lacks", unknown as f64, 0.0),
    ])
}

/// Adds the gradient of `Σ −logp / targets` over the item's targets; returns `Σ −logp`.
pub(super) fn accumulate(model: &Model, item: &Item, targets: usize) -> Result<f64> {
    let packed = Packed::new(std::slice::from_ref(item), model.config())?;
    let activations = model.forward(&packed, Save::All)?;
    let hidden = &activations.hidden;
    let stats = head::forward(hidden, model.head(), &packed.head, 1.0, &[])?;
    let c = vec![-1.0 / targets as f64; stats.logp.len()];
    let b = vec![0.0; c.len()];
    let dh = Tensor::zeros(hidden.shape(), hidden.dtype(), hidden.device())?;
    head::backward(hidden, model.head(), &packed.head, &stats, 1.0, &[], &c, &b, &dh, model.head_acc())?;
    let saved = activations.saved.ok_or_else(|| Error::Usage("the forward kept nothing".into()))?;
    model.backward(&packed, &dh, saved)?;
    Ok(-stats.logp.iter().sum::<f64>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Precision;
    use crate::golden::Outcome;
    use safetensors::Dtype;
    use safetensors::tensor::TensorView;
    use std::collections::BTreeMap;
    use std::path::Path;

    /// A text-only sample with the gradients that the engine finds for it, by name.
    fn sample(model: &mut Model) -> BTreeMap<String, Vec<f64>> {
        let ids = vec![1, 2, 3, 4];
        let item = Item { targets: vec![false, true, true, true], ids, ..Item::default() };
        model.params_mut().zero_grad();
        accumulate(model, &item, 3).unwrap();
        let grad = |name: &str| Some((name.to_string(), flat(&model.params().hub_grad(name)?).unwrap()));
        model.params().parts().filter_map(|part| grad(part.name)).collect()
    }

    /// Outcomes of the checks of a case with these gradients.
    fn outcomes(model: &mut Model, grads: &BTreeMap<String, Vec<f64>>) -> Vec<Outcome> {
        let bytes = |values: &[f64]| values.iter().flat_map(|&x| (x as f32).to_le_bytes()).collect::<Vec<u8>>();
        let ints = |values: [i64; 4]| values.map(i64::to_le_bytes).concat();
        let mut tensors = vec![
            ("input_ids".to_string(), Dtype::I64, vec![4], ints([1, 2, 3, 4])),
            ("labels".to_string(), Dtype::I64, vec![4], ints([-100, 2, 3, 4])),
        ];
        tensors.extend(grads.iter().map(|(name, v)| (format!("grad.{name}"), Dtype::F32, vec![v.len()], bytes(v))));
        let views = tensors
            .iter()
            .map(|(name, dtype, shape, bytes)| (name, TensorView::new(*dtype, shape.clone(), bytes).unwrap()));
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("case-text.safetensors");
        std::fs::write(&path, safetensors::serialize(views, None).unwrap()).unwrap();
        check(model, &Case::open(&path).unwrap()).unwrap().iter().map(|check| check.outcome).collect()
    }

    #[test]
    fn a_gradient_absent_on_both_sides_is_equal_and_zero_counts_as_absent() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../test/fixtures/goldens/tiny-untied");
        let mut model = Model::load(&folder, Precision::F64).unwrap();
        let grads = sample(&mut model);
        let tower = "visual.blocks.0.norm1.weight";
        let len = model.params().find(tower).unwrap().shape[0];
        assert!(!grads.contains_key(tower));
        let (pass, fail) = (vec![Outcome::Pass; 3], vec![Outcome::Fail, Outcome::Pass, Outcome::Pass]);
        assert_eq!(outcomes(&mut model, &grads), pass);

        let mut with_zeros = grads.clone();
        with_zeros.insert(tower.into(), vec![0.0; len]);
        assert_eq!(outcomes(&mut model, &with_zeros), pass);

        let mut with_tower = grads.clone();
        with_tower.insert(tower.into(), vec![1.0; len]);
        assert_eq!(outcomes(&mut model, &with_tower), fail);

        let mut without_norm = grads.clone();
        without_norm.remove("model.norm.weight").unwrap();
        assert_eq!(outcomes(&mut model, &without_norm), fail);
    }
}
