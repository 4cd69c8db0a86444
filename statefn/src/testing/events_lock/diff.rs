//! A difference of two texts, line by line.

/// Beyond this the texts are shown one after the other.
const CELLS_MAX: usize = 4_000_000;

/// Both texts as one: `-` before a line of the first only, `+` of the second only.
pub(super) fn lines(before: &str, after: &str) -> String {
    let before: Vec<&str> = before.lines().collect();
    let after: Vec<&str> = after.lines().collect();
    let width = after.len() + 1;
    let mut out = String::new();
    if (before.len() + 1).saturating_mul(width) > CELLS_MAX {
        for line in before {
            push(&mut out, '-', line);
        }
        for line in after {
            push(&mut out, '+', line);
        }
        return out;
    }
    let common = common_lengths(&before, &after);
    let length = |i: usize, j: usize| common.get(i * width + j).copied().unwrap_or_default();
    let (mut i, mut j) = (0, 0);
    loop {
        match (before.get(i), after.get(j)) {
            (Some(left), Some(right)) if left == right => {
                push(&mut out, ' ', left);
                (i, j) = (i + 1, j + 1);
            }
            (Some(left), right) if right.is_none() || length(i + 1, j) >= length(i, j + 1) => {
                push(&mut out, '-', left);
                i += 1;
            }
            (_, Some(right)) => {
                push(&mut out, '+', right);
                j += 1;
            }
            (_, None) => return out,
        }
    }
}

/// For each pair of places, how many lines the rests have in common, in order.
fn common_lengths(before: &[&str], after: &[&str]) -> Vec<u32> {
    let width = after.len() + 1;
    let mut table = vec![0_u32; (before.len() + 1) * width];
    for (i, left) in before.iter().enumerate().rev() {
        for (j, right) in after.iter().enumerate().rev() {
            let at = |i: usize, j: usize| table.get(i * width + j).copied().unwrap_or_default();
            let length = if left == right {
                at(i + 1, j + 1) + 1
            } else {
                at(i + 1, j).max(at(i, j + 1))
            };
            if let Some(cell) = table.get_mut(i * width + j) {
                *cell = length;
            }
        }
    }
    table
}

fn push(out: &mut String, mark: char, line: &str) {
    out.push(mark);
    out.push(' ');
    out.push_str(line);
    out.push('\n');
}
