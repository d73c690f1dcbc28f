//! The directory of checkpoints: save, find the newest intact one, delete old ones.

use std::collections::HashSet;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::checkpoint::{Checkpoint, Rejected, Verify};
use crate::error::{At, Cause, Error, Result};
use crate::lock::RunLock;
use crate::retention::expired;
use crate::storage::{RealFs, Storage};
use crate::writer::Writer;

const PREFIX: &str = "step-";
const TEMPORARY: &str = ".tmp-";
const TRASH: &str = ".trash-";
const SUPERSEDED: &str = "superseded-";

/// A directory of checkpoints. Reading needs no lock; one trainer at a time holds the [`RunLock`] and saves.
pub struct Store {
    storage: Box<dyn Storage>,
    root: PathBuf,
    /// Steps whose digests this process has seen match, or has written.
    intact: Mutex<HashSet<u64>>,
    /// The step that this process saved last.
    saved: Mutex<Option<u64>>,
}

impl Store {
    /// Opens `root`, creating it if needed.
    pub fn open(root: impl AsRef<Path>) -> Result<Store> {
        Store::with_storage(root, Box::new(RealFs))
    }

    /// The same over another file system.
    pub fn with_storage(root: impl AsRef<Path>, storage: Box<dyn Storage>) -> Result<Store> {
        let root = root.as_ref().to_path_buf();
        create_dirs(&*storage, &root)?;
        Ok(Store { storage, root, intact: Mutex::default(), saved: Mutex::default() })
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Removes what interrupted saves and deletions left behind. The lock proves that nobody is writing them. Best effort: what cannot
    /// be removed is in nobody's way.
    pub fn clean_up(&self, _lock: &RunLock) {
        for entry in self.storage.list(&self.root).unwrap_or_default() {
            if entry.is_dir && (entry.name.starts_with(TEMPORARY) || entry.name.starts_with(TRASH)) {
                let _ = self.remove_tree(&self.root.join(&entry.name));
            }
        }
    }

    /// Commits a checkpoint: `write` fills it with about `bytes` bytes, `meta` goes into its manifest. Returns its directory.
    ///
    /// Where less is free it fails before the first write. On failure nothing of it remains, and earlier checkpoints are as they were.
    /// Saving a step again replaces it, in one step where the file system can exchange directories.
    pub fn save(
        &self,
        step: u64,
        bytes: u64,
        meta: serde_json::Value,
        write: &mut dyn FnMut(&mut Writer<'_>) -> std::result::Result<(), Cause>,
    ) -> Result<PathBuf> {
        let temporary = self.root.join(self.scratch_name(TEMPORARY, step));
        let saved = self.check_space(bytes).map_err(Cause::from);
        saved.and_then(|()| self.try_save(step, meta, &temporary, write)).map_err(|cause| {
            // Best effort: what cannot be removed now goes at the next start.
            let _ = self.remove_tree(&temporary);
            Error::Save { step, cause }
        })
    }

    fn check_space(&self, needed: u64) -> Result<()> {
        // Where the system does not tell, only writing shows whether it fits.
        let free = self.storage.free_bytes(&self.root).unwrap_or(u64::MAX);
        if free < needed { Err(Error::Space { path: self.root.clone(), needed, free }) } else { Ok(()) }
    }

    fn try_save(
        &self,
        step: u64,
        meta: serde_json::Value,
        temporary: &Path,
        write: &mut dyn FnMut(&mut Writer<'_>) -> std::result::Result<(), Cause>,
    ) -> std::result::Result<PathBuf, Cause> {
        self.storage.create_dir(temporary).at(temporary)?;
        let mut writer = Writer::new(&*self.storage, temporary.to_path_buf());
        write(&mut writer)?;
        writer.finish(step, meta)?;
        let path = self.path_of(step);
        let replaced = self.commit(temporary, &path, step)?;
        self.storage.sync_dir(&self.root).at(&self.root)?;
        Checkpoint::verify(&*self.storage, &path, step, Verify::Sizes)?;
        self.lock_intact().insert(step);
        *self.lock_saved() = Some(step);
        if let Some(replaced) = replaced {
            // The new one is durable; leftovers of the old one go at the next start if not now.
            let _ = self.remove_tree(&replaced);
        }
        Ok(path)
    }

    /// Gives the complete temporary directory its name. Returns where a previous checkpoint of the same step went.
    fn commit(&self, temporary: &Path, path: &Path, step: u64) -> Result<Option<PathBuf>> {
        if !self.steps()?.contains(&step) {
            self.storage.rename(temporary, path).at(path)?;
            return Ok(None);
        }
        self.lock_intact().remove(&step);
        let trash = self.root.join(self.scratch_name(TRASH, step));
        match self.storage.exchange(temporary, path) {
            Err(e) if e.kind() == io::ErrorKind::Unsupported => {
                self.storage.rename(path, &trash).at(path)?;
                self.storage.rename(temporary, path).at(path)?;
            }
            result => {
                result.at(path)?;
                self.storage.rename(temporary, &trash).at(temporary)?;
            }
        }
        Ok(Some(trash))
    }

    /// The newest intact checkpoint, with those passed over; `None` only when there is no checkpoint at all.
    ///
    /// Fails with `E_CKPT_CORRUPT` and every reason when there are some and none is intact: starting again at step 0 would bury them.
    pub fn latest(&self) -> Result<Option<Checkpoint<'_>>> {
        let mut steps = self.steps()?;
        loop {
            let mut rejected = Vec::new();
            for &step in &steps {
                match self.open_step(step, Verify::Digests) {
                    Ok(mut checkpoint) => {
                        checkpoint.rejected = rejected;
                        return Ok(Some(checkpoint));
                    }
                    Err(reason) => rejected.push(Rejected { path: self.path_of(step), reason }),
                }
            }
            // A trainer in another process may have saved newer ones and deleted all of these meanwhile.
            let now = self.steps()?;
            if now == steps {
                return if rejected.is_empty() {
                    Ok(None)
                } else {
                    Err(Error::Corrupt { root: self.root.clone(), rejected })
                };
            }
            steps = now;
        }
    }

    /// Checkpoint `step`, verified, or `E_CKPT_CORRUPT`.
    pub fn at_step(&self, step: u64) -> Result<Checkpoint<'_>> {
        self.open_step(step, Verify::Digests).map_err(|reason| Error::Corrupt {
            root: self.root.clone(),
            rejected: vec![Rejected { path: self.path_of(step), reason }],
        })
    }

    /// Steps that have a directory, intact or not, newest first.
    pub fn steps(&self) -> Result<Vec<u64>> {
        let entries = self.storage.list(&self.root).at(&self.root)?;
        let step_of = |name: &str| name.strip_prefix(PREFIX)?.parse().ok().filter(|&step| name == name_of(step));
        let mut steps: Vec<u64> = entries.iter().filter(|e| e.is_dir).filter_map(|e| step_of(&e.name)).collect();
        steps.sort_unstable_by(|a, b| b.cmp(a));
        Ok(steps)
    }

    /// Deletes the checkpoints but the newest `keep_last` intact ones (at least 2) and returns their steps. Older checkpoints count as
    /// intact after their digests were read once. One that cannot be deleted keeps none of the others; the first such error is returned.
    pub fn retain(&self, keep_last: usize) -> Result<Vec<u64>> {
        let saved = *self.lock_saved();
        let expired = expired(keep_last, &self.steps()?, saved, |step| self.is_intact(step));
        let deleted: Vec<Result<u64>> = expired.iter().map(|&step| self.delete(step)).collect();
        deleted.into_iter().collect()
    }

    fn delete(&self, step: u64) -> Result<u64> {
        // Renamed first: a half-deleted directory must not look like a damaged checkpoint.
        let (path, trash) = (self.path_of(step), self.root.join(self.scratch_name(TRASH, step)));
        self.storage.rename(&path, &trash).at(&path)?;
        self.lock_intact().remove(&step);
        self.remove_tree(&trash)?;
        Ok(step)
    }

    /// Takes the checkpoints after `step` out of the order, for a run that goes on from there once more. They keep their content
    /// under `superseded-NNNNNN`; returns where each went.
    pub fn supersede_after(&self, step: u64, _lock: &RunLock) -> Result<Vec<PathBuf>> {
        let names: HashSet<String> =
            self.storage.list(&self.root).at(&self.root)?.into_iter().map(|entry| entry.name).collect();
        let mut moved = Vec::new();
        for later in self.steps()?.into_iter().filter(|&later| later > step) {
            let plain = format!("{SUPERSEDED}{later:06}");
            let mut name = plain.clone();
            let mut n = 1;
            while names.contains(&name) {
                n += 1;
                name = format!("{plain}-{n}");
            }
            let aside = self.root.join(name);
            self.storage.rename(&self.path_of(later), &aside).at(&aside)?;
            self.lock_intact().remove(&later);
            moved.push(aside);
        }
        self.storage.sync_dir(&self.root).at(&self.root)?;
        Ok(moved)
    }

    fn open_step(&self, step: u64, verify: Verify) -> std::result::Result<Checkpoint<'_>, String> {
        let checkpoint = Checkpoint::verify(&*self.storage, &self.path_of(step), step, verify)?;
        if verify == Verify::Digests {
            self.lock_intact().insert(step);
        }
        Ok(checkpoint)
    }

    fn is_intact(&self, step: u64) -> bool {
        let known = self.lock_intact().contains(&step);
        self.open_step(step, if known { Verify::Sizes } else { Verify::Digests }).is_ok()
    }

    fn lock_intact(&self) -> std::sync::MutexGuard<'_, HashSet<u64>> {
        // A set of numbers is consistent after any panic.
        self.intact.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_saved(&self) -> std::sync::MutexGuard<'_, Option<u64>> {
        self.saved.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn path_of(&self, step: u64) -> PathBuf {
        self.root.join(name_of(step))
    }

    fn scratch_name(&self, prefix: &str, step: u64) -> String {
        // Keys of the standard library's hash maps: random for every call, no further dependency.
        let random = RandomState::new().hash_one(step);
        format!("{prefix}{step}-{}-{random:016x}", std::process::id())
    }

    fn remove_tree(&self, dir: &Path) -> Result<()> {
        for entry in self.storage.list(dir).at(dir)? {
            let path = dir.join(&entry.name);
            if entry.is_dir {
                self.remove_tree(&path)?;
            } else {
                self.storage.remove_file(&path).at(&path)?;
            }
        }
        self.storage.remove_dir(dir).at(dir)
    }
}

fn name_of(step: u64) -> String {
    format!("{PREFIX}{step:06}")
}

/// Creates a directory and its missing parents, each name synced into the directory that holds it.
fn create_dirs(storage: &dyn Storage, path: &Path) -> Result<()> {
    match storage.create_dir(path) {
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => return Ok(()),
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
            create_dirs(storage, parent.ok_or(e).at(path)?)?;
            storage.create_dir(path).at(path)?;
        }
        result => result.at(path)?,
    }
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    storage.sync_dir(parent).at(parent)
}
