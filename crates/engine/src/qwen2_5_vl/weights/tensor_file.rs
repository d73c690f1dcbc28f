//! One safetensors file: its header checked on opening, its tensors read one at a time.

use crate::{Error, Result};
use coldstart_gemm::Scalar;
use safetensors::Dtype;
use safetensors::tensor::{Metadata, TensorInfo};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// Bytes of the length that opens the file.
const LEN_BYTES: u64 = 8;
/// Longest header the format's reference implementation reads.
const MAX_HEADER: u64 = 100_000_000;

/// An open safetensors file.
pub(crate) struct TensorFile {
    pub path: PathBuf,
    file: File,
    data_start: u64,
    metadata: Metadata,
}

impl TensorFile {
    /// Opens a file and checks that its header describes exactly the bytes it has.
    pub fn open(path: &Path) -> Result<Self> {
        let damaged = |why: String| Error::Weights(format!("{}: {why}", path.display()));
        let mut file = File::open(path).map_err(|e| Error::Model(format!("{}: {e}", path.display())))?;
        let file_len = file.metadata().map_err(|e| damaged(e.to_string()))?.len();
        let mut len = [0u8; LEN_BYTES as usize];
        file.read_exact(&mut len)
            .map_err(|_| damaged(format!("expected a safetensors header, got {file_len} bytes")))?;
        let header_len = u64::from_le_bytes(len);
        let limit = MAX_HEADER.min(file_len - LEN_BYTES);
        if header_len > limit {
            return Err(damaged(format!("expected a header of at most {limit} bytes, got {header_len}")));
        }
        let mut header = vec![0u8; header_len as usize];
        file.read_exact(&mut header).map_err(|e| damaged(e.to_string()))?;
        // Deserialising checks that the tensors tile the data without gaps or overlaps and that sizes fit shapes.
        let metadata: Metadata =
            serde_json::from_slice(&header).map_err(|e| damaged(format!("the header is not valid: {e}")))?;
        let data_start = LEN_BYTES + header_len;
        let expected = data_start + metadata.data_len() as u64;
        if expected != file_len {
            return Err(damaged(format!("expected {expected} bytes as the header says, got {file_len}")));
        }
        Ok(Self { path: path.to_path_buf(), file, data_start, metadata })
    }

    /// Names of all tensors.
    pub fn names(&self) -> Vec<String> {
        self.metadata.offset_keys()
    }

    pub fn info(&self, name: &str) -> Option<&TensorInfo> {
        self.metadata.info(name)
    }

    /// Reads a tensor into `out`, which has its number of elements, converting to `T`.
    ///
    /// # Errors
    /// `E_WEIGHTS` naming tensor and file for an unsupported dtype and for a value that is not finite.
    pub fn read<T: Scalar>(&mut self, name: &str, out: &mut [T]) -> Result<()> {
        let damaged = |path: &Path, why: String| Error::Weights(format!("{name} in {}: {why}", path.display()));
        let info = self.metadata.info(name).ok_or_else(|| damaged(&self.path, "no such tensor".into()))?;
        let (dtype, (start, end)) = (info.dtype, info.data_offsets);
        let mut bytes = vec![0u8; end - start];
        self.file
            .seek(SeekFrom::Start(self.data_start + start as u64))
            .and_then(|_| self.file.read_exact(&mut bytes))
            .map_err(|e| damaged(&self.path, e.to_string()))?;
        convert(dtype, &bytes, out).ok_or_else(|| {
            damaged(
                &self.path,
                format!(
                    "expected {} values of BF16, F16, F32 or F64, got {} bytes of {dtype:?}",
                    out.len(),
                    bytes.len()
                ),
            )
        })?;
        match out.iter().position(|x| !x.to_f64().is_finite()) {
            Some(at) => {
                Err(damaged(&self.path, format!("element {at}: expected a finite number, got {}", out[at].to_f64())))
            }
            None => Ok(()),
        }
    }
}

/// Whether values of this dtype can be read as weights.
pub(super) fn is_supported(dtype: Dtype) -> bool {
    matches!(dtype, Dtype::BF16 | Dtype::F16 | Dtype::F32 | Dtype::F64)
}

/// Little-endian values of `dtype` as `T`, or `None` when the dtype or the count does not fit.
fn convert<T: Scalar>(dtype: Dtype, bytes: &[u8], out: &mut [T]) -> Option<()> {
    match dtype {
        Dtype::BF16 => decode(bytes, out, |b| T::from_f32(half::bf16::from_le_bytes(b).to_f32())),
        Dtype::F16 => decode(bytes, out, |b| T::from_f32(half::f16::from_le_bytes(b).to_f32())),
        Dtype::F32 => decode(bytes, out, |b| T::from_f32(f32::from_le_bytes(b))),
        Dtype::F64 => decode(bytes, out, |b| T::from_f64(f64::from_le_bytes(b))),
        _ => None,
    }
}

fn decode<T, const N: usize>(bytes: &[u8], out: &mut [T], value: impl Fn([u8; N]) -> T) -> Option<()> {
    let (values, rest) = bytes.as_chunks::<N>();
    if !rest.is_empty() || values.len() != out.len() {
        return None;
    }
    for (x, &b) in out.iter_mut().zip(values) {
        *x = value(b);
    }
    Some(())
}
