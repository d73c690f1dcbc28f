//! The list of what a checkpoint contains, written last.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Read};
use std::path::{Component, Path};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// File name of the manifest.
pub(crate) const MANIFEST: &str = "manifest.json";

/// Raised when old readers would misunderstand new checkpoints.
pub(crate) const FORMAT: u32 = 1;

/// Size and digest of a file, as `sha256sum` prints it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FileRecord {
    pub bytes: u64,
    pub sha256: String,
}

/// Content of `manifest.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Manifest {
    pub format: u32,
    pub step: u64,
    /// Whatever the caller wants to find again: configuration hash, data cursor, seed, versions.
    pub meta: serde_json::Value,
    /// By path relative to the checkpoint, with `/` between names.
    pub files: BTreeMap<String, FileRecord>,
}

impl Manifest {
    /// Reads a manifest and refuses what this version does not understand. The error is a reason for a person.
    pub(crate) fn parse(bytes: &[u8], step: u64) -> Result<Manifest, String> {
        let manifest: Manifest =
            serde_json::from_slice(bytes).map_err(|e| format!("{MANIFEST} does not parse: {e}"))?;
        if manifest.format != FORMAT {
            return Err(format!("{MANIFEST} has format {}, this version reads {FORMAT}", manifest.format));
        }
        if manifest.step != step {
            return Err(format!("{MANIFEST} is of step {}, the directory is named for step {step}", manifest.step));
        }
        match manifest.files.keys().find(|name| !is_plain(name)) {
            Some(name) => Err(format!("{MANIFEST} names {name:?}, which leads outside")),
            None => Ok(manifest),
        }
    }
}

/// A relative path made of ordinary names only.
pub(crate) fn is_plain(name: &str) -> bool {
    let path = Path::new(name);
    !name.is_empty() && !name.contains('\\') && path.components().all(|part| matches!(part, Component::Normal(_)))
}

/// Counts and digests what passes through.
#[derive(Clone, Default)]
pub(crate) struct Hasher {
    sha: Sha256,
    bytes: u64,
}

impl Hasher {
    pub fn update(&mut self, bytes: &[u8]) {
        self.sha.update(bytes);
        self.bytes += bytes.len() as u64;
    }

    pub fn finish(self) -> FileRecord {
        let mut sha256 = String::with_capacity(64);
        for byte in self.sha.finalize() {
            // Writing to a String cannot fail.
            let _ = write!(sha256, "{byte:02x}");
        }
        FileRecord { bytes: self.bytes, sha256 }
    }
}

/// Digests a whole stream, passing each piece on.
pub(crate) fn digest(mut source: impl Read, mut piece: impl FnMut(&[u8])) -> io::Result<FileRecord> {
    let mut hasher = Hasher::default();
    let mut buffer = vec![0; 1 << 18];
    loop {
        match source.read(&mut buffer) {
            Ok(0) => return Ok(hasher.finish()),
            Ok(n) => {
                hasher.update(&buffer[..n]);
                piece(&buffer[..n]);
            }
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_is_what_sha256sum_prints() {
        let record = digest(&b"abc"[..], |_| {}).unwrap();
        assert_eq!(record.sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(record.bytes, 3);
    }

    #[test]
    fn names_that_lead_outside_are_not_plain() {
        assert!(is_plain("a") && is_plain("model/config.json"));
        assert!(!["", "..", "a/../../b", "/etc/passwd", "a\\b", "./a"].iter().any(|name| is_plain(name)));
    }

    #[test]
    fn a_manifest_of_another_step_is_refused() {
        let json = br#"{ "format": 1, "step": 7, "meta": null, "files": {} }"#;
        assert!(Manifest::parse(json, 7).is_ok());
        assert_eq!(
            Manifest::parse(json, 8).unwrap_err(),
            "manifest.json is of step 7, the directory is named for step 8"
        );
    }

    #[test]
    fn a_manifest_of_a_later_format_is_refused() {
        let json = br#"{ "format": 2, "step": 7, "meta": null, "files": {} }"#;
        assert_eq!(Manifest::parse(json, 7).unwrap_err(), "manifest.json has format 2, this version reads 1");
    }
}
