//! Writing the files of a checkpoint into its temporary directory, each digested on the way and synced before the next.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::error::{At, Error, Result};
use crate::manifest::{self, FORMAT, FileRecord, Hasher, MANIFEST, Manifest, is_plain};
use crate::storage::{Output, Storage};

/// Handed to the caller of [`Store::save`](crate::Store::save).
pub struct Writer<'a> {
    storage: &'a dyn Storage,
    dir: PathBuf,
    files: BTreeMap<String, FileRecord>,
}

impl<'a> Writer<'a> {
    pub(crate) fn new(storage: &'a dyn Storage, dir: PathBuf) -> Self {
        Writer { storage, dir, files: BTreeMap::new() }
    }

    /// The directory being written, for code that writes files by itself. They are synced and digested when the caller is done.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Writes a whole file. `name` is relative and may hold directories, which are created.
    pub fn file(&mut self, name: &str, bytes: &[u8]) -> Result<()> {
        self.stream(name, |out| out.write_all(bytes))
    }

    /// Writes a file piece by piece.
    pub fn stream(&mut self, name: &str, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<()> {
        if !is_plain(name) || name == MANIFEST {
            return Err(Error::Name { name: name.to_string() });
        }
        self.create_parents(name)?;
        let record = self.put(name, write)?;
        self.files.insert(name.to_string(), record);
        Ok(())
    }

    fn create_parents(&self, name: &str) -> Result<()> {
        let mut dir = self.dir.clone();
        let mut parts: Vec<&str> = name.split('/').collect();
        parts.pop();
        for part in parts {
            dir.push(part);
            match self.storage.create_dir(&dir) {
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
                result => result.at(&dir)?,
            }
        }
        Ok(())
    }

    fn put(&self, name: &str, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<FileRecord> {
        let path = self.dir.join(name);
        let mut out = Hashing { out: self.storage.create(&path).at(&path)?, hasher: Hasher::default() };
        write(&mut out).and_then(|()| out.flush()).at(&path)?;
        out.out.sync().at(&path)?;
        Ok(out.hasher.finish())
    }

    /// Completes the checkpoint: foreign files, then the manifest, then the directories.
    pub(crate) fn finish(mut self, step: u64, meta: serde_json::Value) -> Result<()> {
        let mut dirs = Vec::new();
        self.adopt(&self.dir.clone(), "", &mut dirs)?;
        let manifest = Manifest { format: FORMAT, step, meta, files: std::mem::take(&mut self.files) };
        let mut json = serde_json::to_vec_pretty(&manifest).map_err(io::Error::from).at(&self.dir)?;
        json.push(b'\n');
        self.put(MANIFEST, |out| out.write_all(&json))?;
        // Innermost first, so that a directory is complete when its name becomes durable.
        dirs.iter().rev().try_for_each(|dir: &PathBuf| self.storage.sync_dir(dir).at(dir))
    }

    /// Syncs and digests files that the caller wrote past this writer.
    fn adopt(&mut self, dir: &Path, prefix: &str, dirs: &mut Vec<PathBuf>) -> Result<()> {
        dirs.push(dir.to_path_buf());
        for entry in self.storage.list(dir).at(dir)? {
            let (name, path) = (format!("{prefix}{}", entry.name), dir.join(&entry.name));
            if entry.is_dir {
                self.adopt(&path, &format!("{name}/"), dirs)?;
            } else if !self.files.contains_key(&name) {
                self.storage.sync_file(&path).at(&path)?;
                let record = self.storage.open(&path).and_then(|file| manifest::digest(file, |_| {})).at(&path)?;
                self.files.insert(name, record);
            }
        }
        Ok(())
    }
}

struct Hashing {
    out: Box<dyn Output>,
    hasher: Hasher,
}

impl Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
