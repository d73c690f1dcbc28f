//! A complete checkpoint directory, and how it is told from a damaged one.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::error::{At, Error, Result};
use crate::manifest::{self, FileRecord, MANIFEST, Manifest};
use crate::storage::Storage;

/// How much of a checkpoint is read before it is believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verify {
    /// The manifest, and the size of every file.
    Sizes,
    /// Also the digest of every file.
    Digests,
}

/// A checkpoint that was passed over, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    pub path: PathBuf,
    pub reason: String,
}

/// A checkpoint whose verification passed.
pub struct Checkpoint<'a> {
    storage: &'a dyn Storage,
    path: PathBuf,
    manifest: Manifest,
    /// Newer ones that were damaged.
    pub rejected: Vec<Rejected>,
}

impl std::fmt::Debug for Checkpoint<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Checkpoint").field("path", &self.path).field("rejected", &self.rejected).finish_non_exhaustive()
    }
}

impl<'a> Checkpoint<'a> {
    /// The error is a reason for a person; the directory exists and is named for `step`.
    pub(crate) fn verify(
        storage: &'a dyn Storage,
        path: &Path,
        step: u64,
        verify: Verify,
    ) -> std::result::Result<Self, String> {
        let bytes = read(storage, &path.join(MANIFEST)).map_err(|e| format!("{MANIFEST} cannot be read: {e}"))?;
        let manifest = Manifest::parse(&bytes, step)?;
        let mut dirs = HashMap::new();
        for (name, record) in &manifest.files {
            check_size(storage, path, name, record, &mut dirs)?;
        }
        if verify == Verify::Digests {
            manifest.files.iter().try_for_each(|(name, record)| check_digest(storage, path, name, record))?;
        }
        Ok(Checkpoint { storage, path: path.to_path_buf(), manifest, rejected: Vec::new() })
    }

    pub fn step(&self) -> u64 {
        self.manifest.step
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A file in owned memory, digested while it is read: what is used is what was verified, whatever happens to the file meanwhile.
    pub fn read(&self, name: &str) -> Result<Vec<u8>> {
        let path = self.path.join(name);
        let Some(expected) = self.manifest.files.get(name) else {
            return Err(Error::Name { name: name.to_string() });
        };
        let mut bytes = Vec::with_capacity(expected.bytes as usize);
        let record = self
            .storage
            .open(&path)
            .and_then(|file| manifest::digest(file, |piece| bytes.extend_from_slice(piece)))
            .at(&path)?;
        if record == *expected {
            return Ok(bytes);
        }
        let reason = difference(name, expected, &record);
        Err(Error::Corrupt { root: self.path.clone(), rejected: vec![Rejected { path, reason }] })
    }
}

fn read(storage: &dyn Storage, path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    manifest::digest(storage.open(path)?, |piece| bytes.extend_from_slice(piece))?;
    Ok(bytes)
}

/// Sizes come from one listing for each directory: cheaper than a question for each file, and the storage needs no other operation.
fn check_size(
    storage: &dyn Storage,
    root: &Path,
    name: &str,
    record: &FileRecord,
    dirs: &mut HashMap<PathBuf, HashMap<String, u64>>,
) -> std::result::Result<(), String> {
    let path = root.join(name);
    let (Some(dir), Some(file)) = (path.parent(), path.file_name().and_then(|f| f.to_str())) else {
        return Err(format!("{name} is not a file name"));
    };
    if !dirs.contains_key(dir) {
        let entries = storage.list(dir).map_err(|e| format!("the directory of {name} cannot be listed: {e}"))?;
        let files = entries.into_iter().filter(|entry| !entry.is_dir).map(|entry| (entry.name, entry.bytes)).collect();
        dirs.insert(dir.to_path_buf(), files);
    }
    match dirs[dir].get(file) {
        None => Err(format!("{name} is missing")),
        Some(&bytes) if bytes != record.bytes => Err(format!("{name} has {bytes} bytes, expected {}", record.bytes)),
        Some(_) => Ok(()),
    }
}

fn check_digest(
    storage: &dyn Storage,
    root: &Path,
    name: &str,
    expected: &FileRecord,
) -> std::result::Result<(), String> {
    let found = storage.open(&root.join(name)).and_then(|file| manifest::digest(file, |_| {}));
    match found {
        Err(e) => Err(format!("{name} cannot be read: {e}")),
        Ok(found) if found != *expected => Err(difference(name, expected, &found)),
        Ok(_) => Ok(()),
    }
}

fn difference(name: &str, expected: &FileRecord, found: &FileRecord) -> String {
    format!("{name} has sha256 {}…, expected {}…", &found.sha256[..12], expected.sha256.get(..12).unwrap_or_default())
}
