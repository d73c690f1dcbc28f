//! A trainer on disk: master weights and moments bit for bit, and the counters.

use super::{Counters, Trainer};
use crate::params::Part;
use crate::qwen2_5_vl::weights::TensorFile;
use crate::{Error, Model, Result};
use candle_core::{DType, Tensor};
use coldstart_kernels::{access, for_dtype};
use safetensors::Dtype;
use serde_json::{Map, json};
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

/// Weights under `w.`, moments under `m.` and `v.`, each followed by the hub name.
const TENSORS: &str = "trainer.safetensors";
const COUNTERS: &str = "trainer.json";

/// Content of the JSON beside the tensors.
#[derive(serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Record {
    counters: Counters,
    /// Hub names. A part that is frozen at one end only would silently start with moments of zero late in the run.
    frozen: Vec<String>,
}

impl Trainer {
    /// Writes the state into `folder`, which exists: every weight, frozen or not, in the master's type, so that a resumed run needs
    /// nothing else. Making it durable and atomic is up to the caller.
    ///
    /// # Errors
    /// `E_CKPT_SAVE` naming the file.
    pub fn save_state(&self, model: &Model, folder: &Path) -> Result<()> {
        let failed = |path: &Path, e: &dyn std::fmt::Display| Error::Save(format!("{}: {e}", path.display()));
        let path = folder.join(COUNTERS);
        let record = serde_json::to_vec(&Record { counters: self.counters, frozen: frozen(model) })
            .map_err(|e| failed(&path, &e))?;
        std::fs::write(&path, record).map_err(|e| failed(&path, &e))?;
        let path = folder.join(TENSORS);
        let file = File::create(&path).map_err(|e| failed(&path, &e))?;
        let mut out = BufWriter::with_capacity(1 << 20, file);
        self.write_tensors(model, &mut out).and_then(|()| out.flush()).map_err(|e| failed(&path, &e))
    }

    /// Bytes of the tensors that [`Trainer::save_state`] writes.
    pub fn state_bytes(&self, model: &Model) -> u64 {
        let dtype = model.params().dtype();
        self.tensors(model).iter().map(|(_, _, part)| size(part, dtype) as u64).sum()
    }

    /// Takes weights, moments and counters from `folder`. `model` must have the same configuration, precision and frozen parts.
    ///
    /// # Errors
    /// `E_CKPT_MISMATCH` naming the tensor that is missing, unexpected or of another shape or type; `E_WEIGHTS` or `E_MODEL` for a file
    /// that is damaged or cannot be read. Tensors are compared before anything is changed; after an error while reading them the model
    /// must not be used.
    pub fn load_state(&mut self, model: &mut Model, folder: &Path) -> Result<()> {
        let path = folder.join(COUNTERS);
        let json = std::fs::read(&path).map_err(|e| Error::Model(format!("{}: {e}", path.display())))?;
        let record: Record =
            serde_json::from_slice(&json).map_err(|e| Error::Mismatch(format!("{}: {e}", path.display())))?;
        let (then, now) = (BTreeSet::from_iter(record.frozen), BTreeSet::from_iter(frozen(model)));
        if let Some(name) = then.symmetric_difference(&now).next() {
            let state = |frozen: bool| if frozen { "frozen" } else { "trained" };
            let (expected, got) = (state(then.contains(name)), state(now.contains(name)));
            return Err(Error::Mismatch(format!(
                "{name}: expected it {expected}, as when {} was saved, got {got}",
                path.display()
            )));
        }
        let mut file = TensorFile::open(&folder.join(TENSORS))?;
        check(model, &file)?;
        self.optimizer.forget();
        let params = model.params();
        for part in params.parts() {
            read(&mut file, &format!("w.{}", part.name), params.value(part.id), &part)?;
            params.changed(part.id);
            if file.info(&format!("m.{}", part.name)).is_some() {
                let moments = self.optimizer.moments_of(part.id, params.value(part.id))?.clone();
                read(&mut file, &format!("m.{}", part.name), &moments.m, &part)?;
                read(&mut file, &format!("v.{}", part.name), &moments.v, &part)?;
            }
        }
        self.counters = record.counters;
        Ok(())
    }

    fn write_tensors(&self, model: &Model, out: &mut dyn Write) -> io::Result<()> {
        let tensors = self.tensors(model);
        let dtype = model.params().dtype();
        let mut header = Map::new();
        let mut offset = 0;
        for (name, _, part) in &tensors {
            let end = offset + size(part, dtype);
            let kind = if dtype == DType::F64 { "F64" } else { "F32" };
            header.insert(name.clone(), json!({ "dtype": kind, "shape": part.shape, "data_offsets": [offset, end] }));
            offset = end;
        }
        let mut header = serde_json::to_vec(&header)?;
        // The format asks for data at a multiple of 8 bytes.
        header.resize(header.len().next_multiple_of(8), b' ');
        out.write_all(&(header.len() as u64).to_le_bytes())?;
        out.write_all(&header)?;
        tensors.iter().try_for_each(|(_, tensor, part)| write(tensor, part, out))
    }

    /// Name, storage and part of everything saved: a part's moments once they exist.
    fn tensors<'a>(&'a self, model: &'a Model) -> Vec<(String, &'a Tensor, Part<'a>)> {
        let params = model.params();
        let mut tensors = Vec::new();
        for part in params.parts() {
            tensors.push((format!("w.{}", part.name), params.value(part.id), part));
            if let (true, Some(moments)) = (part.trainable, self.optimizer.moments(part.id)) {
                tensors.push((format!("m.{}", part.name), &moments.m, part));
                tensors.push((format!("v.{}", part.name), &moments.v, part));
            }
        }
        tensors
    }
}

fn frozen(model: &Model) -> Vec<String> {
    model.params().parts().filter(|part| !part.trainable).map(|part| part.name.to_string()).collect()
}

/// Compares names, shapes and types of a file with those of the model.
fn check(model: &Model, file: &TensorFile) -> Result<()> {
    let mismatch = |name: &str, expected: String, got: String| {
        Err(Error::Mismatch(format!("{name} in {}: expected {expected}, got {got}", file.path.display())))
    };
    let params = model.params();
    let dtype = if params.dtype() == DType::F64 { Dtype::F64 } else { Dtype::F32 };
    let mut unknown: BTreeSet<String> = file.names().into_iter().collect();
    for part in params.parts() {
        let moments = ["m.", "v."].map(|prefix| unknown.contains(&format!("{prefix}{}", part.name)));
        if moments[0] != moments[1] {
            return mismatch(part.name, "both moments".into(), "one".into());
        }
        let prefixes: &[&str] = if moments[0] { &["w.", "m.", "v."] } else { &["w."] };
        for prefix in prefixes {
            let name = format!("{prefix}{}", part.name);
            let Some(info) = file.info(&name) else { return mismatch(&name, "a tensor".into(), "none".into()) };
            if info.shape != part.shape || info.dtype != dtype {
                let of = |dtype: Dtype, shape: &[usize]| format!("{dtype:?} {shape:?}");
                return mismatch(&name, of(dtype, part.shape), of(info.dtype, &info.shape));
            }
            unknown.remove(&name);
        }
    }
    match unknown.first() {
        Some(name) => mismatch(name, "a tensor of the model".into(), "another".into()),
        None => Ok(()),
    }
}

fn size(part: &Part, dtype: DType) -> usize {
    part.shape.iter().product::<usize>() * dtype.size_in_bytes()
}

fn span(storage: &Tensor, part: &Part) -> std::ops::Range<usize> {
    let cols: usize = storage.dims()[1..].iter().product();
    part.rows.start * cols..part.rows.end * cols
}

fn write(storage: &Tensor, part: &Part, out: &mut dyn Write) -> io::Result<()> {
    // Through a block: a dynamic call for each value would dominate.
    const BLOCK: usize = 1 << 16;
    let written: coldstart_kernels::Result<io::Result<()>> = for_dtype!("state.save", storage, T => {
        access::read("state.save", ("tensor", storage), |values: &[T]| {
            let mut bytes = Vec::with_capacity(BLOCK * size_of::<T>());
            values[span(storage, part)].chunks(BLOCK).try_for_each(|block| {
                bytes.resize(size_of_val(block), 0);
                for (bytes, value) in bytes.chunks_exact_mut(size_of::<T>()).zip(block) {
                    bytes.copy_from_slice(&value.to_le_bytes());
                }
                out.write_all(&bytes)
            })
        })
    });
    written.map_err(io::Error::other)?
}

fn read(file: &mut TensorFile, name: &str, storage: &Tensor, part: &Part) -> Result<()> {
    let read: coldstart_kernels::Result<Result<()>> = for_dtype!("state.load", storage, T => {
        access::write("state.load", ("tensor", storage), |values: &mut [T]| file.read(name, &mut values[span(storage, part)]))
    });
    read?
}
