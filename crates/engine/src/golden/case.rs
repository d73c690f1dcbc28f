//! Reading one case file.

use crate::batch::{Image, Item};
use crate::config::VisionConfig;
use crate::{Error, Result};
use safetensors::{Dtype, SafeTensors};
use std::path::Path;
use std::sync::Arc;

/// Label of a token that carries no loss.
const NO_LABEL: i64 = -100;

/// The bytes of a case and its name.
pub(super) struct Case {
    pub name: String,
    bytes: Vec<u8>,
}

impl Case {
    pub fn open(path: &Path) -> Result<Self> {
        let damaged = |why: String| Error::Usage(format!("{}: {why}", path.display()));
        let bytes = std::fs::read(path).map_err(|e| damaged(e.to_string()))?;
        SafeTensors::deserialize(&bytes).map_err(|e| damaged(e.to_string()))?;
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        Ok(Self { name: stem.trim_start_matches("case-").to_string(), bytes })
    }

    fn tensors(&self) -> Result<SafeTensors<'_>> {
        SafeTensors::deserialize(&self.bytes).map_err(|e| self.wrong(&e.to_string()))
    }

    fn wrong(&self, why: &str) -> Error {
        Error::Usage(format!("case {}: {why}", self.name))
    }

    /// Names that start with `prefix`, without it, in order.
    pub fn names(&self, prefix: &str) -> Result<Vec<String>> {
        let mut names: Vec<String> = self
            .tensors()?
            .names()
            .into_iter()
            .filter_map(|name| name.strip_prefix(prefix))
            .map(String::from)
            .collect();
        names.sort();
        Ok(names)
    }

    /// An f32 tensor, flattened; `None` when the case lacks it.
    pub fn floats(&self, name: &str) -> Result<Option<Vec<f64>>> {
        let tensors = self.tensors()?;
        let Ok(tensor) = tensors.tensor(name) else { return Ok(None) };
        if tensor.dtype() != Dtype::F32 {
            return Err(self.wrong(&format!("{name}: expected F32, got {:?}", tensor.dtype())));
        }
        let (values, _) = tensor.data().as_chunks();
        Ok(Some(values.iter().map(|&b| f64::from(f32::from_le_bytes(b))).collect()))
    }

    /// An i64 tensor, flattened; `None` when the case lacks it.
    pub fn ints(&self, name: &str) -> Result<Option<Vec<i64>>> {
        let tensors = self.tensors()?;
        let Ok(tensor) = tensors.tensor(name) else { return Ok(None) };
        if tensor.dtype() != Dtype::I64 {
            return Err(self.wrong(&format!("{name}: expected I64, got {:?}", tensor.dtype())));
        }
        let (values, _) = tensor.data().as_chunks();
        Ok(Some(values.iter().map(|&b| i64::from_le_bytes(b)).collect()))
    }

    fn need<T>(&self, name: &str, value: Option<T>) -> Result<T> {
        value.ok_or_else(|| self.wrong(&format!("{name} is missing")))
    }

    /// Whether this is a case of optimizer steps over several samples.
    pub fn is_training(&self) -> bool {
        self.floats("losses").is_ok_and(|losses| losses.is_some())
    }

    /// Length of the prompt that the greedy continuation starts from.
    pub fn prompt_len(&self) -> Result<Option<usize>> {
        let (_, metadata) = SafeTensors::read_metadata(&self.bytes).map_err(|e| self.wrong(&e.to_string()))?;
        let text = metadata.metadata().as_ref().and_then(|map| map.get("prompt_len"));
        text.map(|text| text.parse().map_err(|_| self.wrong(&format!("prompt_len: expected a number, got {text:?}"))))
            .transpose()
    }

    /// The sample under `prefix` (empty, or `0.`, `1.`), with its labels as targets if it has any, else all tokens after the prompt.
    pub fn item(&self, prefix: &str, vision: &VisionConfig) -> Result<Item> {
        let at = |name: &str| format!("{prefix}{name}");
        let ids = self.need(&at("input_ids"), self.ints(&at("input_ids"))?)?;
        let mut targets: Vec<bool> = match self.ints(&at("labels"))? {
            Some(labels) => labels.iter().map(|&label| label != NO_LABEL).collect(),
            None => {
                let prompt = self.need(&at("prompt_len"), self.ints(&at("prompt_len"))?)?[0] as usize;
                (0..ids.len()).map(|i| i >= prompt).collect()
            }
        };
        // The reference shifts labels against logits, so a label of the first token has no effect.
        targets[0] = false;
        Ok(Item {
            ids: ids.iter().map(|&id| id as u32).collect(),
            images: self.images(prefix, vision)?,
            targets,
            branches: vec![],
        })
    }

    fn images(&self, prefix: &str, vision: &VisionConfig) -> Result<Vec<Arc<Image>>> {
        let (grid_name, pixel_name) = (format!("{prefix}image_grid_thw"), format!("{prefix}pixel_values"));
        let Some(grids) = self.ints(&grid_name)? else { return Ok(Vec::new()) };
        let pixels = self.need(&pixel_name, self.floats(&pixel_name)?)?;
        let mut rest = pixels.as_slice();
        let mut images = Vec::new();
        for grid in grids.chunks_exact(3) {
            let grid = [grid[0] as u32, grid[1] as u32, grid[2] as u32];
            let len = grid.iter().product::<u32>() as usize * vision.patch_len();
            let Some((own, after)) = rest.split_at_checked(len) else {
                return Err(
                    self.wrong(&format!("{pixel_name}: expected {len} values for grid {grid:?}, got {}", rest.len()))
                );
            };
            images.push(Arc::new(Image { pixel_values: own.iter().map(|&x| x as f32).collect(), grid }));
            rest = after;
        }
        Ok(images)
    }
}
