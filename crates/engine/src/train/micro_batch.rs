//! Cutting a step into micro-batches by tokens, and computing the head's view of one.

use super::policy::PromptGroup;
use crate::batch::{Item, Packed};
use crate::{Activations, Error, Model, Result, Save};
use candle_core::Tensor;
use coldstart_kernels::head::{self, HeadStats};

/// Which response a branch of a micro-batch is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RowId {
    pub group: usize,
    pub response: usize,
}

/// Some responses with their prompts: one item for each prompt, its branches the responses.
#[derive(Clone, Debug, Default)]
pub(super) struct PolicyBatch {
    pub items: Vec<Item>,
    /// In the order of the head's entries.
    pub rows: Vec<RowId>,
}

/// Consecutive ranges of at most `max_tokens`. An item longer than that gets a range of its own.
pub(super) fn split_items(lengths: &[usize], max_tokens: usize) -> Vec<std::ops::Range<usize>> {
    let mut ranges: Vec<std::ops::Range<usize>> = Vec::new();
    let mut filled = 0;
    for (i, &len) in lengths.iter().enumerate() {
        match ranges.last_mut() {
            Some(range) if filled + len <= max_tokens => {
                range.end = i + 1;
                filled += len;
            }
            _ => {
                ranges.push(i..i + 1);
                filled = len;
            }
        }
    }
    ranges
}

/// Packs the responses that `counts` selects, in order, into micro-batches of at most `max_tokens`.
///
/// A group stays whole where it fits into a micro-batch; else it is cut between responses and its prompt repeated. A response with its
/// prompt longer than the limit gets a micro-batch of its own: a response is never cut, because sequence ratios need all of it.
pub(super) fn split_groups(
    groups: &[PromptGroup],
    max_tokens: usize,
    counts: impl Fn(RowId) -> bool,
) -> Vec<PolicyBatch> {
    let mut batches: Vec<PolicyBatch> = Vec::new();
    let mut filled = 0;
    for (g, group) in groups.iter().enumerate() {
        let rows: Vec<RowId> =
            (0..group.responses.len()).map(|response| RowId { group: g, response }).filter(|&id| counts(id)).collect();
        let len = |id: &RowId| group.responses[id.response].ids.len();
        let whole = group.prompt.len() + rows.iter().map(len).sum::<usize>();
        let mut open = false;
        for id in &rows {
            let fits = batches.last().is_some()
                && if open { filled + len(id) <= max_tokens } else { filled + whole <= max_tokens };
            if !fits {
                batches.push(PolicyBatch::default());
                (filled, open) = (0, false);
            }
            // A batch was pushed above unless there was one.
            let Some(batch) = batches.last_mut() else { continue };
            if !open {
                batch.items.push(Item { ids: group.prompt.clone(), images: group.images.clone(), ..Item::default() });
                filled += group.prompt.len();
                open = true;
            }
            if let Some(item) = batch.items.last_mut() {
                item.branches.push(group.responses[id.response].ids.clone());
            }
            batch.rows.push(*id);
            filled += len(id);
        }
    }
    batches
}

/// A forward, up to the log-probabilities of its targets.
pub(super) struct Scored {
    pub packed: Packed,
    pub activations: Activations,
    pub stats: HeadStats,
}

pub(super) fn score(model: &Model, items: &[Item], temperature: f64, banned: &[u32], save: Save) -> Result<Scored> {
    let packed = Packed::new(items, model.config())?;
    let activations = model.forward(&packed, save)?;
    let stats = head::forward(&activations.hidden, model.head(), &packed.head, temperature, banned)?;
    Ok(Scored { packed, activations, stats })
}

/// Accumulates the gradients of a loss with derivatives `c` by the log-probabilities and `−b` by the entropies.
pub(super) fn backward(
    model: &Model,
    scored: Scored,
    temperature: f64,
    banned: &[u32],
    c: &[f64],
    b: &[f64],
) -> Result<()> {
    let Scored { packed, activations: Activations { hidden, saved, .. }, stats } = scored;
    let dh = Tensor::zeros(hidden.shape(), hidden.dtype(), hidden.device())?;
    head::backward(&hidden, model.head(), &packed.head, &stats, temperature, banned, c, b, &dh, model.head_acc())?;
    drop((hidden, stats));
    let saved = saved.ok_or_else(|| {
        Error::Usage("save: expected inputs or all, got none: there would be nothing to differentiate".into())
    })?;
    model.backward(&packed, &dh, saved)
}

#[cfg(test)]
mod tests {
    use super::super::policy::Response;
    use super::*;

    #[test]
    fn items_fill_micro_batches_in_order() {
        assert_eq!(split_items(&[3, 4, 3, 9, 1, 1], 7), [0..2, 2..3, 3..4, 4..6]);
        assert!(split_items(&[], 7).is_empty());
    }

    fn groups(prompt: usize, responses: &[&[usize]]) -> Vec<PromptGroup> {
        let response = |&len: &usize| Response { ids: vec![1; len], ..Response::default() };
        let group = |lens: &&[usize]| PromptGroup {
            prompt: vec![0; prompt],
            responses: lens.iter().map(response).collect(),
            images: vec![],
        };
        responses.iter().map(group).collect()
    }

    /// Responses of each item of each batch.
    fn shape(batches: &[PolicyBatch]) -> Vec<Vec<usize>> {
        batches.iter().map(|batch| batch.items.iter().map(|item| item.branches.len()).collect()).collect()
    }

    #[test]
    fn groups_that_fit_stay_whole() {
        let groups = groups(2, &[&[3, 3], &[3, 3], &[1]]);
        assert_eq!(shape(&split_groups(&groups, 11, |_| true)), [vec![2], vec![2, 1]]);
    }

    #[test]
    fn a_group_too_large_is_cut_between_responses() {
        let batches = split_groups(&groups(2, &[&[3, 3, 3, 9]]), 8, |_| true);
        assert_eq!(shape(&batches), [vec![2], vec![1], vec![1]]);
        assert!(batches.iter().all(|batch| batch.items[0].ids.len() == 2), "each part has its prompt");
    }

    #[test]
    fn rows_that_do_not_count_are_not_computed() {
        let batches = split_groups(&groups(2, &[&[3, 3], &[3]]), 100, |id| id.group == 0 && id.response == 1);
        assert_eq!(shape(&batches), [vec![1]]);
        assert_eq!(batches[0].rows, [RowId { group: 0, response: 1 }]);
    }
}
