//! One trainer for each output directory.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::error::{At, Error, Result};

const NAME: &str = "run.lock";

/// Held from [`RunLock::acquire`] until dropped.
///
/// The operating system's lock on `run.lock` decides, because it ends with the process however that ends. The file also says who holds
/// it: for the error message, and for file systems without locks, where a recorded process that is gone gives the lock up.
/// The file is never deleted: a lock on a deleted file excludes nobody.
#[derive(Debug)]
pub struct RunLock {
    file: File,
}

/// Identity of a process that survives the reuse of its number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Holder {
    pid: u32,
    /// Of the running kernel, so that a process number from before a reboot means nothing.
    boot_id: String,
    /// In clock ticks after boot.
    start_time: String,
}

impl RunLock {
    /// Takes the lock of `dir`, which exists, or fails at once with `E_BUSY` naming the holder.
    pub fn acquire(dir: impl AsRef<Path>) -> Result<RunLock> {
        let path = dir.as_ref().join(NAME);
        let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path).at(&path)?;
        let holder = Holder::read(&mut file);
        let busy = || Error::Busy {
            path: path.clone(),
            holder: holder.as_ref().map_or("unknown".into(), |h| h.pid.to_string()),
        };
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(busy()),
            Err(TryLockError::Error(e)) if e.kind() == io::ErrorKind::Unsupported => {
                if holder.as_ref().is_some_and(Holder::is_alive) {
                    return Err(busy());
                }
            }
            Err(TryLockError::Error(e)) => return Err(e).at(&path),
        }
        Holder::of(std::process::id()).write(&mut file).at(&path)?;
        Ok(RunLock { file })
    }
}

impl Drop for RunLock {
    fn drop(&mut self) {
        // Nothing depends on it: closing the file is what releases the lock.
        let _ = self.file.set_len(0);
    }
}

impl Holder {
    fn of(pid: u32) -> Holder {
        let boot_id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default().trim().to_string();
        Holder { pid, boot_id, start_time: start_time(pid).unwrap_or_default() }
    }

    fn read(file: &mut File) -> Option<Holder> {
        let mut json = String::new();
        file.read_to_string(&mut json).ok()?;
        serde_json::from_str(&json).ok()
    }

    fn write(&self, file: &mut File) -> io::Result<()> {
        file.set_len(0)?;
        file.rewind()?;
        file.write_all(&serde_json::to_vec(self)?)?;
        file.sync_all()
    }

    /// Whether this very process still runs. Where the system does not say (no /proc), it is taken to.
    fn is_alive(&self) -> bool {
        if !Path::new("/proc/self/stat").exists() {
            return true;
        }
        Holder::of(0).boot_id == self.boot_id && start_time(self.pid).is_some_and(|start| start == self.start_time)
    }
}

/// Field 22 of `/proc/<pid>/stat`; none for a process that is gone or a zombie.
fn start_time(pid: u32) -> Option<String> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The command in parentheses may itself hold spaces and parentheses.
    let (_, fields) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = fields.split_whitespace().collect();
    if fields.first() == Some(&"Z") { None } else { fields.get(19).map(|s| s.to_string()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_alive_and_its_predecessors_are_not() {
        let this = Holder::of(std::process::id());
        assert!(this.is_alive());
        assert!(
            !Holder { start_time: "1".into(), ..this.clone() }.is_alive(),
            "the same number, started at another time"
        );
        assert!(!Holder { boot_id: "before".into(), ..this }.is_alive(), "the same number, before a reboot");
    }

    #[test]
    fn a_zombie_does_not_hold_a_lock() {
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let holder = Holder::of(child.id());
        // Not waited for yet, so it stays a zombie once it has run.
        for _ in 0..6000 {
            if !holder.is_alive() {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        assert!(!holder.is_alive());
        child.wait().unwrap();
    }
}
