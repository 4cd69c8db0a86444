//! What was found, what was wanted, and whether that holds.

use std::fmt;

/// One thing that was judged.
#[derive(Clone, Debug)]
struct Finding {
    what: String,
    found: String,
    wanted: String,
    holds: bool,
    speed: bool,
}

/// Everything that a run was judged by, as a table.
#[derive(Clone, Debug, Default)]
pub struct Verdict {
    findings: Vec<Finding>,
}

impl Verdict {
    /// A finding that must hold on any machine.
    #[expect(clippy::needless_pass_by_value, reason = "numbers and texts alike")]
    pub(super) fn judge(
        &mut self,
        what: impl Into<String>,
        found: impl ToString,
        wanted: impl Into<String>,
        holds: bool,
    ) {
        self.findings.push(Finding {
            what: what.into(),
            found: found.to_string(),
            wanted: wanted.into(),
            holds,
            speed: false,
        });
    }

    /// A finding that depends on how fast the machine is and on who else uses it.
    pub(super) fn judge_speed(
        &mut self,
        what: impl Into<String>,
        found: impl ToString,
        wanted: impl Into<String>,
        holds: bool,
    ) {
        self.judge(what, found, wanted, holds);
        if let Some(last) = self.findings.last_mut() {
            last.speed = true;
        }
    }

    /// What does not hold, a line each; what depends on speed only if `speed` says so.
    pub fn failed(&self, speed: bool) -> Vec<String> {
        let failed = self
            .findings
            .iter()
            .filter(|f| !f.holds && (speed || !f.speed));
        failed
            .map(|f| format!("{}: {}, wanted {}", f.what, f.found, f.wanted))
            .collect()
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| what | found | wanted | |")?;
        writeln!(f, "|---|---:|---|---|")?;
        for finding in &self.findings {
            let Finding {
                what,
                found,
                wanted,
                holds,
                ..
            } = finding;
            let mark = if *holds { "holds" } else { "FAILS" };
            writeln!(f, "| {what} | {found} | {wanted} | {mark} |")?;
        }
        Ok(())
    }
}
