//! The plot: for every row how far the ratio is from its first target, to the right if better.
//!
//! Written as text: a bar a row needs no plotting library, and a style sheet in the file makes it
//! readable on light and dark pages.

use std::fmt::Write as _;

use super::Line;
use crate::harness::Target;
use crate::harness::summary::digits;

const WIDTH: f64 = 920.0;
const LEFT: f64 = 392.0;
const RIGHT: f64 = 812.0;
const TOP: f64 = 92.0;
const STEP: f64 = 30.0;

/// The axis: so many times worse and better than the first target.
const WORST: f64 = 0.125;
const BEST: f64 = 64.0;

const STYLE: &str = "
    text { font: 13px system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif; fill: #1f2933; }
    .title { font-size: 17px; font-weight: 600; }
    .quiet { fill: #667788; font-size: 12px; }
    .id { font-weight: 600; }
    .grid { stroke: #c8d0d8; stroke-width: 1; }
    .first { stroke: #66758a; stroke-width: 1.5; }
    .goal { fill: none; stroke: #1f2933; stroke-width: 2; }
    .reached { fill: #14886f; } .met { fill: #4a90c2; } .missed { fill: #d9662f; }
    @media (prefers-color-scheme: dark) {
      text { fill: #e4e9ef; } .quiet { fill: #9aa8b7; }
      .grid { stroke: #3a4552; } .first { stroke: #8a99ab; } .goal { stroke: #e4e9ef; }
      .reached { fill: #2bb394; } .met { fill: #5ea6db; } .missed { fill: #ef8354; }
    }
";

/// The picture of all rows that have a target.
pub(super) fn svg(lines: &[Line<'_>]) -> String {
    let shown: Vec<&Line<'_>> = lines
        .iter()
        .filter(|line| !matches!(line.row.target, Target::None))
        .collect();
    let bottom = TOP + STEP * shown.len() as f64;
    let height = bottom + 58.0;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" \
         width=\"{WIDTH}\" height=\"{height}\" role=\"img\" \
         aria-label=\"statefn's ratio to each peer or limit, against its targets\">\n\
         <style>{STYLE}</style>\n"
    );
    text(
        &mut svg,
        (24.0, 34.0),
        "title",
        "start",
        "statefn against its peers and the machine's limits",
    );
    let below = "times better than the first target, log scale; to the right is better";
    text(&mut svg, (24.0, 56.0), "quiet", "start", below);
    axis(&mut svg, bottom);
    for (index, line) in shown.iter().enumerate() {
        bar(&mut svg, TOP + STEP * index as f64, line);
    }
    legend(&mut svg, bottom + 38.0);
    svg.push_str("</svg>\n");
    svg
}

fn x(score: f64) -> f64 {
    let part = (score.clamp(WORST, BEST) / WORST).ln() / (BEST / WORST).ln();
    LEFT + part * (RIGHT - LEFT)
}

fn axis(svg: &mut String, bottom: f64) {
    let mut score = WORST;
    while score <= BEST {
        let class = if (score - 1.0).abs() < f64::EPSILON {
            "first"
        } else {
            "grid"
        };
        let x = x(score);
        put(
            svg,
            format_args!(
                "<line class=\"{class}\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{:.1}\" y2=\"{bottom:.1}\"/>",
                TOP - 6.0
            ),
        );
        let label = match score {
            s if s < 1.0 => format!("1/{:.0}", 1.0 / s),
            s => format!("{s:.0}"),
        };
        text(svg, (x, TOP - 12.0), "quiet", "middle", &label);
        score *= 2.0;
    }
}

fn bar(svg: &mut String, top: f64, line: &Line<'_>) {
    let baseline = top + STEP / 2.0 + 4.0;
    text(svg, (24.0, baseline), "id", "start", line.row.id);
    text(svg, (68.0, baseline), "", "start", &subject(line));
    let Some(ratio) = line.ratio else {
        text(
            svg,
            (x(1.0) + 8.0, baseline),
            "quiet",
            "start",
            "not measured",
        );
        return;
    };
    let (score, goal) = scores(line.row.target, ratio);
    let class = match line.row.target.met(ratio) {
        Some((_, true)) => "reached",
        Some((true, _)) => "met",
        _ => "missed",
    };
    let (from, to) = (x(score.min(1.0)), x(score.max(1.0)));
    put(
        svg,
        format_args!(
            "<rect class=\"{class}\" x=\"{from:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\" rx=\"2\"/>",
            top + 6.0,
            (to - from).max(2.0),
            STEP - 12.0
        ),
    );
    let goal = x(goal);
    put(
        svg,
        format_args!(
            "<path class=\"goal\" d=\"M{goal:.1} {:.1}V{:.1}\"/>",
            top + 3.0,
            top + STEP - 3.0
        ),
    );
    let unit = if line.row.peer.is_some() { "×" } else { " s" };
    text(
        svg,
        (WIDTH - 24.0, baseline),
        class_of_ratio(class),
        "end",
        &format!("{}{unit}", digits(ratio)),
    );
}

fn class_of_ratio(class: &str) -> &str {
    if class == "missed" { "missed" } else { "id" }
}

/// How many times better than the first target the ratio and the goal are.
fn scores(target: Target, ratio: f64) -> (f64, f64) {
    match target {
        Target::AtMost { first, goal } => (first / ratio, first / goal),
        Target::AtLeast { first, goal } => (ratio / first, goal / first),
        Target::None => (1.0, 1.0),
    }
}

/// What is compared, in one short line.
fn subject(line: &Line<'_>) -> String {
    let what = match line.row.id {
        "T1" => "query, one caller",
        "T2" => "query, from a thread outside",
        "T3" => "command, nothing on disk",
        "T4" => "queries, 64 callers",
        "T5" => "memory of an idle entity",
        "T6" => "commands, nothing on disk",
        "T7" | "T7b" => "durable, 256 callers",
        "T8" => "durable, one hot entity",
        "T9" => "durable, one caller",
        "T10" => "durable, 64 callers",
        "T11" => "recovery, one long history",
        "T12" => "recovery, 100,000 entities",
        "T13" => "start, 1,000,000 entities",
        "T13b" => "start after a kill",
        "T14" => "durable, 10,000,000 events",
        "T15" => "durable, a key each",
        other => other,
    };
    let against = match line.row.id {
        "T7" => "SQLite, indexed",
        "T7b" | "T9" => "SQLite, bare",
        "T8" => "SQLite by hand",
        "T10" => "cqrs-es",
        "T11" | "T12" | "T13" => "by hand",
        "T13b" => "seconds",
        "T14" => "empty store",
        "T15" => "no keys",
        _ => line
            .row
            .peer
            .map_or("", |peer| line.family.entries[peer].name),
    };
    format!("{what} · {against}")
}

fn legend(svg: &mut String, y: f64) {
    let entries = [
        ("reached", "goal reached"),
        ("met", "first target met"),
        ("missed", "below it"),
    ];
    let mut x = 68.0;
    for (class, label) in entries {
        put(
            svg,
            format_args!(
                "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{:.1}\" width=\"14\" height=\"12\" rx=\"2\"/>",
                y - 11.0
            ),
        );
        text(svg, (x + 20.0, y), "quiet", "start", label);
        x += 150.0;
    }
    put(
        svg,
        format_args!(
            "<path class=\"goal\" d=\"M{x:.1} {:.1}V{:.1}\"/>",
            y - 13.0,
            y + 3.0
        ),
    );
    text(svg, (x + 10.0, y), "quiet", "start", "the goal");
}

fn text(svg: &mut String, (x, y): (f64, f64), class: &str, anchor: &str, words: &str) {
    put(
        svg,
        format_args!(
            "<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{words}</text>"
        ),
    );
}

fn put(svg: &mut String, element: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _ = writeln!(svg, "{element}");
}
