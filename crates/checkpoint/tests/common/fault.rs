//! Counts the operations that change or read a disk, and misbehaves from one of them on.

use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use coldstart_checkpoint::{Entry, Output, Storage};

/// Passes everything on until operation `at` (counted from 1).
#[derive(Clone)]
pub struct FaultFs<S> {
    inner: S,
    count: Arc<AtomicUsize>,
    at: usize,
    fault: Fault,
}

/// What happens at the chosen operation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fault {
    /// It and all later ones do nothing and fail: the process is dead.
    Death,
    /// It alone fails with this error number.
    Once(i32),
    /// It and all later ones fail with this error number, removals and reads excepted: a full disk.
    From(i32),
    /// Syncs claim success from there on and do nothing. The control of the power-loss tests.
    ForgetSyncs,
    /// This many bytes are free.
    Free(u64),
}

impl<S> FaultFs<S> {
    pub fn new(inner: S, at: usize, fault: Fault) -> Self {
        FaultFs { inner, count: Arc::default(), at, fault }
    }

    /// Operations seen so far.
    pub fn count(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    fn step(&self, kind: Kind) -> io::Result<()> {
        let n = self.count.fetch_add(1, Ordering::Relaxed) + 1;
        match self.fault {
            Fault::Death if n >= self.at => Err(io::Error::other("dead")),
            Fault::Once(code) if n == self.at => Err(io::Error::from_raw_os_error(code)),
            Fault::From(code) if n >= self.at && kind != Kind::Free => Err(io::Error::from_raw_os_error(code)),
            _ => Ok(()),
        }
    }

    fn forgets(&self) -> bool {
        self.fault == Fault::ForgetSyncs && self.count() >= self.at
    }
}

#[derive(PartialEq)]
enum Kind {
    Change,
    /// Possible on a full disk.
    Free,
}

struct FaultFile<S> {
    out: Box<dyn Output>,
    fs: FaultFs<S>,
}

impl<S> Write for FaultFile<S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.fs.step(Kind::Change)?;
        self.out.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

impl<S> Output for FaultFile<S> {
    fn sync(&mut self) -> io::Result<()> {
        self.fs.step(Kind::Change)?;
        if self.fs.forgets() { Ok(()) } else { self.out.sync() }
    }
}

impl<S: Storage + Clone + 'static> Storage for FaultFs<S> {
    fn create_dir(&self, path: &Path) -> io::Result<()> {
        self.step(Kind::Change)?;
        self.inner.create_dir(path)
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn Output>> {
        self.step(Kind::Change)?;
        Ok(Box::new(FaultFile { out: self.inner.create(path)?, fs: self.clone() }))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn Read>> {
        self.step(Kind::Free)?;
        self.inner.open(path)
    }

    fn sync_file(&self, path: &Path) -> io::Result<()> {
        self.step(Kind::Change)?;
        if self.forgets() { Ok(()) } else { self.inner.sync_file(path) }
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.step(Kind::Change)?;
        if self.forgets() { Ok(()) } else { self.inner.sync_dir(path) }
    }

    fn list(&self, path: &Path) -> io::Result<Vec<Entry>> {
        self.step(Kind::Free)?;
        self.inner.list(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.step(Kind::Change)?;
        self.inner.rename(from, to)
    }

    fn exchange(&self, a: &Path, b: &Path) -> io::Result<()> {
        self.step(Kind::Change)?;
        self.inner.exchange(a, b)
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.step(Kind::Free)?;
        self.inner.remove_file(path)
    }

    fn remove_dir(&self, path: &Path) -> io::Result<()> {
        self.step(Kind::Free)?;
        self.inner.remove_dir(path)
    }

    fn free_bytes(&self, path: &Path) -> io::Result<u64> {
        self.step(Kind::Free)?;
        if let Fault::Free(bytes) = self.fault { Ok(bytes) } else { self.inner.free_bytes(path) }
    }
}
