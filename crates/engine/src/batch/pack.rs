//! Building and validating a packed batch.

use super::{Entry, Image, ImageBatch, Item, Packed, Span};
use crate::config::ModelConfig;
use crate::qwen2_5_vl::geometry::VisionPlan;
use crate::qwen2_5_vl::rope::PositionCounter;
use crate::{Error, Result};
use coldstart_kernels::attention::{Plan, Segment};
use coldstart_kernels::head::Rows;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

impl Packed {
    /// Lays out `items` one after another and checks them against the model.
    ///
    /// # Errors
    /// Each names the item. `E_TOKEN_COUNT`: ids outside the vocabulary, image tokens that do not match the pictures, pixel values
    /// that do not match a grid, image or video tokens in a branch, an empty prompt. `E_TOO_LONG`: prompt and branch together exceed
    /// the model's positions. `E_USAGE`: a wrong number of target flags, or a target that nothing precedes.
    pub fn new(items: &[Item], config: &ModelConfig) -> Result<Self> {
        let mut packer = Packer::new(config);
        for (index, item) in items.iter().enumerate() {
            packer.add(index, item).map_err(|error| in_item(index, error))?;
        }
        Ok(packer.finish())
    }

    /// What [`Packed::new`] would refuse `item` for, without the name of an item.
    pub(crate) fn check(item: &Item, config: &ModelConfig) -> Result<()> {
        Packer::new(config).add(0, item)
    }
}

fn in_item(index: usize, error: Error) -> Error {
    let named = |message: String| format!("item {index}: {message}");
    match error {
        Error::TokenCount(message) => Error::TokenCount(named(message)),
        Error::TooLong(message) => Error::TooLong(named(message)),
        Error::Usage(message) => Error::Usage(named(message)),
        other => other,
    }
}

struct Packer<'a> {
    config: &'a ModelConfig,
    packed: Packed,
    images: Vec<Arc<Image>>,
    /// First merged patch of each distinct picture, by address: the `Arc`s above keep the addresses from being reused.
    first_feature: HashMap<*const Image, u32>,
    num_features: u32,
    image_rows: Vec<u32>,
    features: Vec<u32>,
}

impl<'a> Packer<'a> {
    fn new(config: &'a ModelConfig) -> Self {
        let packed = Packed {
            ids: Vec::new(),
            positions: Vec::new(),
            plan: Plan { segments: Vec::new(), causal: true },
            head: Rows { row: Vec::new(), target: Vec::new() },
            entries: Vec::new(),
            spans: Vec::new(),
            images: None,
            is_image: Vec::new(),
        };
        Self {
            config,
            packed,
            images: Vec::new(),
            first_feature: HashMap::new(),
            num_features: 0,
            image_rows: Vec::new(),
            features: Vec::new(),
        }
    }

    fn add(&mut self, index: usize, item: &Item) -> Result<()> {
        check_item(item, self.config)?;
        let first_entry = self.packed.entries.len();
        let start = self.packed.ids.len();
        let next_position = self.add_prompt(item)?;
        let prompt = start..self.packed.ids.len();
        self.packed.plan.segments.push(own_segment(&prompt));
        self.add_targets(index, item, &prompt);
        let mut branches = Vec::with_capacity(item.branches.len());
        for (b, branch) in item.branches.iter().enumerate() {
            branches.push(self.add_branch((index, b), branch, &prompt, next_position));
        }
        let entries = first_entry..self.packed.entries.len();
        self.packed.spans.push(Span { prompt, branches, next_position, entries });
        Ok(())
    }

    /// Appends ids, positions and image rows of the item's own sequence; returns the position after it.
    fn add_prompt(&mut self, item: &Item) -> Result<u32> {
        let merge = self.config.vision.spatial_merge_size as u32;
        let is_image = |id: &u32| *id == self.config.image_token_id;
        let mut counter = PositionCounter::default();
        let mut pictures = item.images.iter().enumerate();
        let mut at = 0;
        while at < item.ids.len() {
            if !is_image(&item.ids[at]) {
                self.packed.positions.push(counter.text());
                self.packed.is_image.push(false);
                at += 1;
                continue;
            }
            let run = item.ids[at..].iter().take_while(|id| is_image(id)).count();
            let Some((k, picture)) = pictures.next() else {
                return Err(Error::TokenCount(format!(
                    "expected image tokens for {} images, got more at token {at}",
                    item.images.len()
                )));
            };
            let tokens = merged_patches(picture.grid, merge);
            if run < tokens {
                return Err(Error::TokenCount(format!(
                    "image {k} of grid {:?} expects {tokens} image tokens in a row, got {run} at token {at}",
                    picture.grid
                )));
            }
            self.add_image(picture, at, tokens);
            counter.image(picture.grid, merge, &mut self.packed.positions);
            self.packed.is_image.extend(std::iter::repeat_n(true, tokens));
            at += tokens;
        }
        if let Some((k, picture)) = pictures.next() {
            return Err(Error::TokenCount(format!(
                "image {k} of grid {:?} expects {} image tokens, got none",
                picture.grid,
                merged_patches(picture.grid, merge)
            )));
        }
        self.packed.ids.extend_from_slice(&item.ids);
        Ok(counter.next())
    }

    /// Maps the image tokens from token `at` of the current item to the features of `picture`.
    fn add_image(&mut self, picture: &Arc<Image>, at: usize, tokens: usize) {
        let first = *self.first_feature.entry(Arc::as_ptr(picture)).or_insert_with(|| {
            self.images.push(Arc::clone(picture));
            let first = self.num_features;
            self.num_features += tokens as u32;
            first
        });
        // The item's ids are appended after its images are known, so the item still starts at the current length.
        let row = (self.packed.ids.len() + at) as u32;
        self.image_rows.extend(row..row + tokens as u32);
        self.features.extend(first..first + tokens as u32);
    }

    fn add_targets(&mut self, index: usize, item: &Item, prompt: &Range<usize>) {
        for (i, _) in item.targets.iter().enumerate().filter(|(_, target)| **target) {
            self.entry(prompt.start + i - 1, item.ids[i], (index, None, i));
        }
    }

    /// Appends a response: its first token is predicted by the last prompt row, the others by the row before them.
    fn add_branch(
        &mut self,
        (item, b): (usize, usize),
        branch: &[u32],
        prompt: &Range<usize>,
        position: u32,
    ) -> Range<usize> {
        let rows = self.packed.ids.len()..self.packed.ids.len() + branch.len();
        for (i, &id) in branch.iter().enumerate() {
            let row = if i == 0 { prompt.end - 1 } else { rows.start + i - 1 };
            self.entry(row, id, (item, Some(b as u32), i));
        }
        self.packed.ids.extend_from_slice(branch);
        let mut counter = PositionCounter::at(position);
        self.packed.positions.extend(branch.iter().map(|_| counter.text()));
        self.packed.is_image.extend(branch.iter().map(|_| false));
        if !branch.is_empty() {
            let (prefix_k0, prefix_len) = (prompt.start, prompt.len());
            self.packed.plan.segments.push(Segment { prefix_k0, prefix_len, ..own_segment(&rows) });
        }
        rows
    }

    fn entry(&mut self, row: usize, target: u32, (item, branch, token): (usize, Option<u32>, usize)) {
        self.packed.head.row.push(row as u32);
        self.packed.head.target.push(target);
        self.packed.entries.push(Entry { item: item as u32, branch, token: token as u32 });
    }

    fn finish(mut self) -> Packed {
        if !self.images.is_empty() {
            let grids: Vec<[u32; 3]> = self.images.iter().map(|image| image.grid).collect();
            self.packed.images = Some(ImageBatch {
                plan: VisionPlan::new(&grids, &self.config.vision),
                images: self.images,
                rows: self.image_rows,
                features: self.features,
            });
        }
        self.packed
    }
}

fn own_segment(rows: &Range<usize>) -> Segment {
    Segment::new(rows.start, rows.len())
}

fn merged_patches([t, h, w]: [u32; 3], merge: u32) -> usize {
    t as usize * (h / merge) as usize * (w / merge) as usize
}

/// Everything about an item that does not depend on its place in the batch.
fn check_item(item: &Item, config: &ModelConfig) -> Result<()> {
    if item.ids.is_empty() {
        return Err(Error::TokenCount("expected at least one token, got none".into()));
    }
    if !item.targets.is_empty() && item.targets.len() != item.ids.len() {
        return Err(Error::Usage(format!(
            "expected {} target flags, one per token, got {}",
            item.ids.len(),
            item.targets.len()
        )));
    }
    if item.targets.first() == Some(&true) {
        return Err(Error::Usage("token 0 is a target, but no token precedes it to predict it from".into()));
    }
    let longest = item.ids.len() + item.branches.iter().map(Vec::len).max().unwrap_or(0);
    if longest > config.text.max_position_embeddings {
        return Err(Error::TooLong(format!(
            "expected at most {} tokens, got {longest}",
            config.text.max_position_embeddings
        )));
    }
    check_ids("", &item.ids, config)?;
    for (b, branch) in item.branches.iter().enumerate() {
        let place = format!("branch {b}: ");
        check_ids(&place, branch, config)?;
        if let Some(i) = branch.iter().position(|&id| id == config.image_token_id) {
            return Err(Error::TokenCount(format!(
                "{place}token {i} is an image placeholder, which only a prompt may hold"
            )));
        }
    }
    item.images.iter().enumerate().try_for_each(|(k, image)| check_image(k, image, config))
}

fn check_ids(place: &str, ids: &[u32], config: &ModelConfig) -> Result<()> {
    let vocab = config.text.vocab_size;
    if let Some(i) = ids.iter().position(|&id| id as usize >= vocab) {
        return Err(Error::TokenCount(format!("{place}token {i}: expected an id below {vocab}, got {}", ids[i])));
    }
    match ids.iter().position(|&id| Some(id) == config.video_token_id) {
        Some(i) => Err(Error::TokenCount(format!("{place}token {i} is a video placeholder; video is not supported"))),
        None => Ok(()),
    }
}

fn check_image(k: usize, image: &Image, config: &ModelConfig) -> Result<()> {
    let merge = config.vision.spatial_merge_size as u32;
    let [t, h, w] = image.grid;
    if t == 0 || h == 0 || w == 0 || h % merge != 0 || w % merge != 0 {
        return Err(Error::TokenCount(format!(
            "image {k}: expected a grid of at least one frame with rows and columns in multiples of {merge}, got {:?}",
            image.grid
        )));
    }
    // In u128, where three 32-bit sides cannot overflow.
    let values = image.grid.iter().map(|&n| u128::from(n)).product::<u128>() * config.vision.patch_len() as u128;
    if image.pixel_values.len() as u128 == values {
        return Ok(());
    }
    Err(Error::TokenCount(format!(
        "image {k}: expected {values} pixel values for grid {:?}, got {}",
        image.grid,
        image.pixel_values.len()
    )))
}
