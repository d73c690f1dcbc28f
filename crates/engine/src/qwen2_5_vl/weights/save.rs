//! Writing a model folder under hub names, as one file or in shards. Files are written beside their names and renamed when complete.

use super::checkpoint::indexed_files;
use crate::config::ModelConfig;
use crate::params::{Params, Part};
use crate::{Error, Result};
use coldstart_gemm::Precision;
use coldstart_kernels::access;
use serde_json::{Map, Value, json};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::ops::Range;
use std::path::Path;

/// Largest shard that [`Model::save`](crate::Model::save) writes, as on the hub.
pub const MAX_SHARD_BYTES: u64 = 5_000_000_000;

const SINGLE: &str = "model.safetensors";
const INDEX: &str = "model.safetensors.index.json";
/// The format asks for data at a multiple of 8 bytes.
const HEADER_ALIGN: usize = 8;

/// Type of saved weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SaveDtype {
    /// Exact for models in f32 and bf16 precision, whose masters are f32.
    Float32,
    /// Exact for models in f64 precision.
    Float64,
    /// Each master rounded to nearest, ties to even.
    Bfloat16,
}

impl SaveDtype {
    /// Name in `config.json`.
    pub fn name(self) -> &'static str {
        match self {
            SaveDtype::Float32 => "float32",
            SaveDtype::Float64 => "float64",
            SaveDtype::Bfloat16 => "bfloat16",
        }
    }

    fn header_name(self) -> &'static str {
        match self {
            SaveDtype::Float32 => "F32",
            SaveDtype::Float64 => "F64",
            SaveDtype::Bfloat16 => "BF16",
        }
    }

    fn bytes(self) -> u64 {
        match self {
            SaveDtype::Float32 => 4,
            SaveDtype::Float64 => 8,
            SaveDtype::Bfloat16 => 2,
        }
    }

    /// The least magnitude that is written as infinity.
    fn overflow(self) -> f32 {
        match self {
            SaveDtype::Float32 | SaveDtype::Float64 => f32::INFINITY,
            // Half way from the largest value to the next power of two, where the tie goes up.
            SaveDtype::Bfloat16 => f32::from_bits(0x7f7f_8000),
        }
    }
}

/// Writes weights, index and `config.json` into `folder`, which is made if absent, and removes the weights that lay there before.
pub(crate) fn save(
    params: &Params,
    config: &ModelConfig,
    folder: &Path,
    dtype: SaveDtype,
    max_shard: u64,
) -> Result<()> {
    check_finite(params, dtype)?;
    std::fs::create_dir_all(folder).map_err(|e| failed(folder, &e))?;
    let mut stale = indexed_files(folder);
    let shards = cut(params, dtype, max_shard);
    if let [all] = &shards[..] {
        write_shard(params, all, &folder.join(SINGLE), dtype)?;
        remove_stale(&folder.join(INDEX))?;
    } else {
        let mut map = Map::new();
        for (i, shard) in shards.iter().enumerate() {
            let name = format!("model-{:05}-of-{:05}.safetensors", i + 1, shards.len());
            write_shard(params, shard, &folder.join(&name), dtype)?;
            stale.remove(&name);
            map.extend(shard.iter().map(|part| (part.name.to_string(), json!(name))));
        }
        let total = saved_bytes(params, dtype);
        write_json(&folder.join(INDEX), &json!({"metadata": {"total_size": total}, "weight_map": map}))?;
        // A single file would be preferred over the index when the folder is read.
        remove_stale(&folder.join(SINGLE))?;
    }
    stale.remove(SINGLE);
    write_json(&folder.join("config.json"), &with_dtype(config.to_json(), dtype))?;
    stale.iter().try_for_each(|name| remove_stale(&folder.join(name)))
}

/// A value that is written as infinity makes a folder that nobody can load, so it is refused before the first byte.
fn check_finite(params: &Params, dtype: SaveDtype) -> Result<()> {
    for part in params.parts() {
        let (span, name) = (span(params, &part), ("value", params.value(part.id)));
        let fits = |x: f32| x.abs() < dtype.overflow();
        let found = if params.precision() == Precision::F64 {
            access::read("save", name, |v: &[f64]| v[span].iter().copied().enumerate().find(|&(_, x)| !fits(x as f32)))
        } else {
            access::read("save", name, |v: &[f32]| {
                v[span].iter().map(|&x| f64::from(x)).enumerate().find(|&(_, x)| !fits(x as f32))
            })
        };
        if let Some((at, x)) = found? {
            let (name, dtype) = (part.name, dtype.name());
            return Err(Error::Weights(format!(
                "{name}: element {at}: expected a finite number in {dtype}, got {x:e}"
            )));
        }
    }
    Ok(())
}

fn size(part: &Part, dtype: SaveDtype) -> u64 {
    part.shape.iter().product::<usize>() as u64 * dtype.bytes()
}

/// Bytes of all tensors, headers aside.
pub(crate) fn saved_bytes(params: &Params, dtype: SaveDtype) -> u64 {
    params.parts().map(|part| size(&part, dtype)).sum()
}

/// Consecutive tensors per shard; a tensor larger than the limit gets a shard of its own.
fn cut(params: &Params, dtype: SaveDtype, max_shard: u64) -> Vec<Vec<Part<'_>>> {
    let mut shards: Vec<Vec<Part>> = vec![Vec::new()];
    let mut filled = 0;
    for part in params.parts() {
        let bytes = size(&part, dtype);
        if filled > 0 && filled + bytes > max_shard {
            shards.push(Vec::new());
            filled = 0;
        }
        filled += bytes;
        // There is always a last shard.
        if let Some(shard) = shards.last_mut() {
            shard.push(part);
        }
    }
    shards
}

fn write_shard(params: &Params, parts: &[Part], path: &Path, dtype: SaveDtype) -> Result<()> {
    let mut header = Map::new();
    header.insert("__metadata__".into(), json!({"format": "pt"}));
    let mut offset = 0;
    for part in parts {
        let end = offset + size(part, dtype);
        header.insert(
            part.name.into(),
            json!({"dtype": dtype.header_name(), "shape": part.shape, "data_offsets": [offset, end]}),
        );
        offset = end;
    }
    let mut header = Value::Object(header).to_string().into_bytes();
    header.resize(header.len().next_multiple_of(HEADER_ALIGN), b' ');
    replace(path, |out| {
        out.write_all(&(header.len() as u64).to_le_bytes())?;
        out.write_all(&header)?;
        parts.iter().try_for_each(|part| write_part(params, part, dtype, out))
    })
}

/// The values of one tensor in the file's type, from whichever type the store has.
fn write_part(params: &Params, part: &Part, dtype: SaveDtype, out: &mut dyn Write) -> std::io::Result<()> {
    let (span, name) = (span(params, part), ("value", params.value(part.id)));
    let written = if params.precision() == Precision::F64 {
        access::read("save", name, |v: &[f64]| write_values(v[span].iter().copied(), dtype, out))
    } else {
        access::read("save", name, |v: &[f32]| write_values(v[span].iter().map(|&x| f64::from(x)), dtype, out))
    };
    written.map_err(std::io::Error::other)?
}

/// Where a tensor lies among the elements of its storage.
fn span(params: &Params, part: &Part) -> Range<usize> {
    let cols: usize = params.value(part.id).dims()[1..].iter().product();
    part.rows.start * cols..part.rows.end * cols
}

fn write_values(values: impl Iterator<Item = f64>, dtype: SaveDtype, out: &mut dyn Write) -> std::io::Result<()> {
    // Values go out through a block, because a dynamic call for each would dominate.
    const BLOCK: usize = 1 << 16;
    let mut block = Vec::with_capacity(BLOCK + 8);
    for x in values {
        match dtype {
            SaveDtype::Float64 => block.extend_from_slice(&x.to_le_bytes()),
            SaveDtype::Float32 => block.extend_from_slice(&(x as f32).to_le_bytes()),
            // By way of f32, as transformers rounds its f32 masters.
            SaveDtype::Bfloat16 => block.extend_from_slice(&half::bf16::from_f32(x as f32).to_le_bytes()),
        }
        if block.len() >= BLOCK {
            out.write_all(&block)?;
            block.clear();
        }
    }
    out.write_all(&block)
}

/// `config.json` as it was read, with the type of the weights beside it.
fn with_dtype(mut config: Value, dtype: SaveDtype) -> Value {
    fn set(object: &mut Value, dtype: SaveDtype) -> bool {
        let mut found = false;
        for key in ["torch_dtype", "dtype"] {
            if let Some(value) = object.get_mut(key) {
                *value = json!(dtype.name());
                found = true;
            }
        }
        found
    }
    let in_root = set(&mut config, dtype);
    for part in ["text_config", "vision_config"] {
        if let Some(object) = config.get_mut(part) {
            set(object, dtype);
        }
    }
    if !in_root {
        config["torch_dtype"] = json!(dtype.name());
    }
    config
}

fn write_json(path: &Path, value: &Value) -> Result<()> {
    replace(path, |out| {
        serde_json::to_writer_pretty(&mut *out, value)?;
        out.write_all(b"\n")
    })
}

/// Writes a file beside its name, forces it to disk and renames it: a reader sees the old file or the whole new one.
fn replace(path: &Path, write: impl FnOnce(&mut dyn Write) -> std::io::Result<()>) -> Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(".partial");
    let partial = path.with_file_name(name);
    let result = File::create(&partial).and_then(|file| {
        let mut out = BufWriter::with_capacity(1 << 20, file);
        write(&mut out)?;
        out.into_inner().map_err(|e| e.into_error())?.sync_all()?;
        std::fs::rename(&partial, path)
    });
    result.map_err(|e| {
        // The error that matters is the first one; a leftover is harmless.
        let _ = std::fs::remove_file(&partial);
        failed(path, &e)
    })
}

fn remove_stale(path: &Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(failed(path, &e)),
        _ => Ok(()),
    }
}

fn failed(path: &Path, e: &std::io::Error) -> Error {
    Error::Save(format!("{}: {e}", path.display()))
}
