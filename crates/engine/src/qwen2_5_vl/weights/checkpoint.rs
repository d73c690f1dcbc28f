//! A model folder's weight files: one or several, either naming scheme, checked against the configuration before anything is
//! allocated.

use super::tensor_file::{TensorFile, is_supported};
use crate::params::{PartSpec, Source, StorageSpec};
use crate::{Error, Result};
use coldstart_gemm::Scalar;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

const SINGLE: &str = "model.safetensors";
const INDEX: &str = "model.safetensors.index.json";
const HEAD: &str = "lm_head.weight";
const EMBED: &str = "model.embed_tokens.weight";

/// Missing or superfluous tensors that one message lists.
const LISTED: usize = 3;

/// Where a tensor is stored: the file and its name there.
struct Place {
    file: usize,
    stored: String,
}

/// The opened weight files of a folder.
pub(crate) struct Checkpoint {
    files: Vec<TensorFile>,
    places: BTreeMap<String, Place>,
}

impl Checkpoint {
    /// Opens the weight files of `folder` and reads their headers.
    ///
    /// # Errors
    /// `E_MODEL` when there is none, `E_MODEL_UNSAFE` for an index that leaves the folder, `E_WEIGHTS` for a damaged file.
    pub fn open(folder: &Path) -> Result<Self> {
        let (paths, index) = if folder.join(SINGLE).exists() {
            (vec![inside(folder, SINGLE)?], None)
        } else if folder.join(INDEX).exists() {
            let map = read_index(folder)?;
            let mut names: Vec<&String> = map.values().collect();
            names.sort();
            names.dedup();
            let paths = names.into_iter().map(|name| inside(folder, name)).collect::<Result<_>>()?;
            (paths, Some(map))
        } else {
            return Err(no_weights(folder));
        };
        let files = paths.iter().map(|path| TensorFile::open(path)).collect::<Result<Vec<_>>>()?;
        let places = locate(&files)?;
        if let Some(index) = index {
            check_index(folder, &index, &files, &places)?;
        }
        Ok(Self { files, places })
    }

    /// Compares names, shapes and dtypes with what the configuration needs.
    ///
    /// # Errors
    /// `E_WEIGHTS` naming tensors that are missing, superfluous or of another shape.
    pub fn check(&mut self, specs: &[StorageSpec]) -> Result<()> {
        let parts: Vec<&PartSpec> = specs.iter().flat_map(|spec| &spec.parts).collect();
        let missing: Vec<&str> =
            parts.iter().map(|part| part.name.as_str()).filter(|name| !self.places.contains_key(*name)).collect();
        if !missing.is_empty() {
            return Err(Error::Weights(format!("{}: missing {}", self.place_text(), list(&missing))));
        }
        for part in &parts {
            let place = &self.places[&part.name];
            let file = &self.files[place.file];
            // `places` was filled from the headers of these files.
            let Some(info) = file.info(&place.stored) else { continue };
            if info.shape != part.shape || !is_supported(info.dtype) {
                return Err(Error::Weights(format!(
                    "{} in {}: expected shape {:?} in BF16, F16, F32 or F64, got {:?} in {:?}",
                    place.stored,
                    file.path.display(),
                    part.shape,
                    info.shape,
                    info.dtype
                )));
            }
        }
        let known: std::collections::HashSet<&str> = parts.iter().map(|part| part.name.as_str()).collect();
        let extra: Vec<&str> = self.places.keys().map(String::as_str).filter(|name| !known.contains(name)).collect();
        match extra[..] {
            [] => Ok(()),
            [HEAD] => self.check_redundant_head(),
            _ => Err(Error::Weights(format!("{}: not part of this model: {}", self.place_text(), list(&extra)))),
        }
    }

    /// A tied checkpoint may repeat the embedding as its head, but not carry another head.
    fn check_redundant_head(&mut self) -> Result<()> {
        let embed = self.read_all(EMBED)?;
        let head = self.read_all(HEAD)?;
        if embed == head {
            return Ok(());
        }
        let path = self.files[self.places[HEAD].file].path.display();
        Err(Error::Weights(format!(
            "{HEAD} in {path}: expected the values of {EMBED} because tie_word_embeddings is true, got others"
        )))
    }

    fn read_all(&mut self, name: &str) -> Result<Vec<f32>> {
        let place = &self.places[name];
        let file = &mut self.files[place.file];
        let len = file.info(&place.stored).map_or(0, |info| info.shape.iter().product());
        let mut values = vec![0f32; len];
        file.read(&place.stored, &mut values)?;
        Ok(values)
    }

    fn read<T: Scalar>(&mut self, part: &PartSpec, out: &mut [T]) -> Result<()> {
        let place = self.places.get(&part.name);
        let place = place.ok_or_else(|| Error::Weights(format!("{} is missing", part.name)))?;
        self.files[place.file].read(&place.stored, out)
    }

    fn place_text(&self) -> String {
        match &self.files[..] {
            [one] => one.path.display().to_string(),
            several => {
                let folder = several.first().and_then(|file| file.path.parent()).unwrap_or(Path::new("."));
                format!("{} ({} shards)", folder.display(), several.len())
            }
        }
    }
}

impl Source for Checkpoint {
    fn fill_f32(&mut self, part: &PartSpec, out: &mut [f32]) -> Result<()> {
        self.read(part, out)
    }

    fn fill_f64(&mut self, part: &PartSpec, out: &mut [f64]) -> Result<()> {
        self.read(part, out)
    }
}

/// The hub's name of a tensor that newer transformers versions call otherwise in memory, and some copies on disk.
fn hub_name(stored: &str) -> String {
    if let Some(rest) = stored.strip_prefix("model.visual.") {
        return format!("visual.{rest}");
    }
    match stored.strip_prefix("model.language_model.") {
        Some(rest) => format!("model.{rest}"),
        None => stored.to_string(),
    }
}

fn locate(files: &[TensorFile]) -> Result<BTreeMap<String, Place>> {
    let mut places = BTreeMap::new();
    for (f, file) in files.iter().enumerate() {
        for stored in file.names() {
            let name = hub_name(&stored);
            let path = file.path.display();
            if let Some(Place { file, stored: before }) = places.insert(name, Place { file: f, stored: stored.clone() })
            {
                let other = files[file].path.display();
                return Err(Error::Weights(format!("{stored} in {path}: the same tensor as {before} in {other}")));
            }
        }
    }
    Ok(places)
}

fn read_index(folder: &Path) -> Result<BTreeMap<String, String>> {
    let path = inside(folder, INDEX)?;
    let damaged = |why: String| Error::Weights(format!("{}: {why}", path.display()));
    let text = std::fs::read_to_string(&path).map_err(|e| damaged(e.to_string()))?;
    let index: Value = serde_json::from_str(&text).map_err(|e| damaged(e.to_string()))?;
    let map = index["weight_map"].as_object().ok_or_else(|| damaged("expected an object weight_map".into()))?;
    map.iter()
        .map(|(name, file)| match file.as_str() {
            Some(file) => Ok((name.clone(), file.to_string())),
            None => Err(damaged(format!("weight_map.{name}: expected a file name, got {file}"))),
        })
        .collect()
}

/// The weight files that the index of `folder` names; none where it has no index that can be read.
pub(super) fn indexed_files(folder: &Path) -> BTreeSet<String> {
    let names = read_index(folder).unwrap_or_default().into_values();
    names.filter(|name| is_plain(name) && name.ends_with(".safetensors")).collect()
}

/// The index must say of every tensor where it is, and of nothing else.
fn check_index(
    folder: &Path,
    index: &BTreeMap<String, String>,
    files: &[TensorFile],
    places: &BTreeMap<String, Place>,
) -> Result<()> {
    let damaged = |why: String| Err(Error::Weights(format!("{}: {why}", folder.join(INDEX).display())));
    for (name, file) in index {
        let found = places.get(&hub_name(name)).filter(|place| files[place.file].path.ends_with(file));
        if found.is_none() {
            return damaged(format!("weight_map.{name}: expected in {file}, which does not have it"));
        }
    }
    let listed: std::collections::HashSet<String> = index.keys().map(|name| hub_name(name)).collect();
    match places.iter().find(|(name, _)| !listed.contains(*name)) {
        Some((_, place)) => damaged(format!("{} in {} is not listed", place.stored, files[place.file].path.display())),
        None => Ok(()),
    }
}

fn is_plain(name: &str) -> bool {
    !name.is_empty() && name != "." && name != ".." && !name.contains(['/', '\\', ':', '\0'])
}

/// The path of a file that must lie in `folder` itself.
///
/// A download cache stores snapshots as links into a sibling `blobs` folder; for `…/snapshots/REVISION` the root is therefore the
/// folder above `snapshots`.
fn inside(folder: &Path, name: &str) -> Result<PathBuf> {
    let unsafe_name = |why: &str| Err(Error::ModelUnsafe(format!("{}: file name {name:?} {why}", folder.display())));
    if !is_plain(name) {
        return unsafe_name("is not a plain name inside the model folder");
    }
    let unreadable = |path: &Path, e: std::io::Error| Error::Model(format!("{}: {e}", path.display()));
    let path = folder.join(name);
    let real = path.canonicalize().map_err(|e| unreadable(&path, e))?;
    let real_folder = folder.canonicalize().map_err(|e| unreadable(folder, e))?;
    let root = match real_folder.parent() {
        Some(parent) if parent.ends_with("snapshots") => parent.parent().unwrap_or(&real_folder),
        _ => &real_folder,
    };
    if real.starts_with(root) { Ok(path) } else { unsafe_name("links to a file outside the model folder") }
}

fn no_weights(folder: &Path) -> Error {
    let pickle = std::fs::read_dir(folder).ok().and_then(|entries| {
        let mut names = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
        names.find(|name| name.ends_with(".bin") || name.ends_with(".pt") || name.ends_with(".pth"))
    });
    let place = folder.display();
    match pickle {
        Some(name) => Error::ModelUnsafe(format!(
            "{place}: expected {SINGLE} or {INDEX}, got {name}; pickle files can run code and are not read: convert them to safetensors"
        )),
        None => Error::Model(format!("{place}: expected {SINGLE} or {INDEX}, got neither")),
    }
}

fn list(names: &[&str]) -> String {
    let shown = names[..names.len().min(LISTED)].join(", ");
    if names.len() > LISTED { format!("{shown} and {} more", names.len() - LISTED) } else { shown }
}
