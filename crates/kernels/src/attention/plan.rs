//! Who attends to whom: segments of query rows, each with an optional prefix of keys shared with other segments.

use crate::{Error, Result};

const OP: &str = "attention";

/// A run of query rows. Its keys are the `prefix_len` rows from `prefix_k0` on, all visible, then its own rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Segment {
    pub q0: usize,
    pub q_len: usize,
    pub prefix_k0: usize,
    /// 0 for a segment without prefix.
    pub prefix_len: usize,
}

impl Segment {
    /// Own rows only.
    pub fn new(q0: usize, q_len: usize) -> Self {
        Self { q0, q_len, prefix_k0: 0, prefix_len: 0 }
    }

    /// The segments of a prompt at row `q0` followed by its responses, which all see the prompt and not each other.
    pub fn with_responses(q0: usize, prompt_len: usize, responses: impl IntoIterator<Item = usize>) -> Vec<Self> {
        let mut segments = vec![Self::new(q0, prompt_len)];
        let mut next = q0 + prompt_len;
        for q_len in responses {
            segments.push(Self { q0: next, q_len, prefix_k0: q0, prefix_len: prompt_len });
            next += q_len;
        }
        segments
    }
}

/// All segments of one call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Their own rows must not overlap. Rows in no segment give output 0 and gradient 0.
    pub segments: Vec<Segment>,
    /// Whether a row sees its own segment only up to itself (language) or all of it (vision).
    pub causal: bool,
}

/// Counts of heads in a fused row `[q heads | k heads | v heads]`, all of width `dim`. `q` is a multiple of `kv`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heads {
    pub q: usize,
    pub kv: usize,
    pub dim: usize,
}

impl Heads {
    /// Width of a fused row.
    pub fn width(&self) -> usize {
        (self.q + 2 * self.kv) * self.dim
    }

    /// Query heads per kv head.
    pub fn repeats(&self) -> usize {
        self.q / self.kv
    }

    /// First column of a key head.
    pub(crate) fn k_column(&self, kv_head: usize) -> usize {
        (self.q + kv_head) * self.dim
    }

    /// First column of a value head.
    pub(crate) fn v_column(&self, kv_head: usize) -> usize {
        (self.q + self.kv + kv_head) * self.dim
    }

    pub(crate) fn check(&self) -> Result<()> {
        if self.kv > 0 && self.dim > 0 && self.q > 0 && self.q.is_multiple_of(self.kv) {
            return Ok(());
        }
        Err(Error::Value {
            op: OP,
            name: "heads",
            got: format!("{self:?}"),
            expected: "positive numbers with q a multiple of kv".into(),
        })
    }
}

impl Plan {
    /// Segments within `rows` rows, and no row in two of them.
    pub(crate) fn check(&self, rows: usize) -> Result<()> {
        let refuse = |segment: &Segment, expected: String| {
            Err(Error::Value { op: OP, name: "segment", got: format!("{segment:?}"), expected })
        };
        let mut by_start: Vec<&Segment> = self.segments.iter().filter(|s| s.q_len > 0).collect();
        by_start.sort_unstable_by_key(|s| s.q0);
        let mut end = 0;
        for segment in by_start {
            if segment.q0 + segment.q_len > rows || segment.prefix_k0 + segment.prefix_len > rows {
                return refuse(segment, format!("rows below {rows}"));
            }
            if segment.q0 < end {
                return refuse(segment, format!("rows from {end} on: earlier ones belong to another segment"));
            }
            end = segment.q0 + segment.q_len;
        }
        Ok(())
    }

    /// Indices of segments by group, both in order: segments of different groups touch no common row. Empty segments are left
    /// out.
    pub(crate) fn groups(&self) -> Vec<Vec<usize>> {
        let mut ranges = vec![];
        for (index, s) in self.segments.iter().enumerate().filter(|(_, s)| s.q_len > 0) {
            ranges.push((s.q0, s.q0 + s.q_len, index));
            if s.prefix_len > 0 {
                ranges.push((s.prefix_k0, s.prefix_k0 + s.prefix_len, index));
            }
        }
        ranges.sort_unstable();
        // Union–find over segments: ranges that overlap join their segments.
        let mut parent: Vec<usize> = (0..self.segments.len()).collect();
        fn root(parent: &mut [usize], mut i: usize) -> usize {
            while parent[i] != i {
                parent[i] = parent[parent[i]];
                i = parent[i];
            }
            i
        }
        let mut reach: Option<(usize, usize)> = None;
        for (start, end, index) in ranges {
            reach = match reach {
                Some((reach_end, other)) if start < reach_end => {
                    let (a, b) = (root(&mut parent, other), root(&mut parent, index));
                    parent[a.max(b)] = a.min(b);
                    Some((reach_end.max(end), index))
                }
                _ => Some((end, index)),
            };
        }
        let mut groups: Vec<Vec<usize>> = vec![];
        let mut group_of_root = vec![usize::MAX; self.segments.len()];
        for index in (0..self.segments.len()).filter(|&i| self.segments[i].q_len > 0) {
            let root = root(&mut parent, index);
            if group_of_root[root] == usize::MAX {
                group_of_root[root] = groups.len();
                groups.push(vec![]);
            }
            groups[group_of_root[root]].push(index);
        }
        groups
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prompt_and_its_responses_are_one_group_and_strangers_are_others() {
        let mut segments = Segment::with_responses(0, 5, [2, 0, 3]);
        segments.push(Segment::new(10, 4));
        segments.extend(Segment::with_responses(14, 2, [1]));
        let plan = Plan { segments, causal: true };
        assert_eq!(plan.groups(), vec![vec![0, 1, 3], vec![4], vec![5, 6]]);
    }

    #[test]
    fn segments_that_read_one_prefix_outside_all_segments_share_a_group() {
        let reader = |q0| Segment { q0, q_len: 2, prefix_k0: 0, prefix_len: 3 };
        let plan = Plan { segments: vec![reader(3), reader(5)], causal: true };
        assert_eq!(plan.groups(), vec![vec![0, 1]]);
    }

    #[test]
    fn overlapping_or_outlying_segments_are_refused_by_name() {
        let check = |segments: Vec<Segment>| Plan { segments, causal: true }.check(8).map_err(|e| e.to_string());
        assert!(check(vec![Segment::new(0, 4), Segment::new(4, 4)]).is_ok());
        assert!(check(vec![Segment::new(0, 5), Segment::new(4, 4)]).unwrap_err().contains("q0: 4"));
        assert!(check(vec![Segment::new(4, 5)]).unwrap_err().contains("below 8"));
        let prefix = Segment { q0: 0, q_len: 1, prefix_k0: 6, prefix_len: 3 };
        assert!(check(vec![prefix]).unwrap_err().contains("below 8"));
    }
}
