//! What the numbers stand on: the machine, the programs, the settings.

use std::process::Command;

use crate::harness::Plan;

/// Packages whose versions a reader wants to know.
const PEERS: &[&str] = &["kameo", "ractor", "eventually", "rusqlite", "tokio"];

/// A name and what it is, in the order of the report.
pub(super) fn setting(plan: &Plan) -> Vec<(String, String)> {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let mut peers = versions(include_str!("../../Cargo.lock"), PEERS);
    let cqrs = include_str!("../../peers/cqrs/Cargo.lock");
    peers.extend(versions(cqrs, &["cqrs-es", "sqlite-es", "sqlx"]));
    let quick = if plan.quick {
        ", quick: not for a report"
    } else {
        ""
    };
    let setting = [
        ("date", said("date", &["-u", "+%Y-%m-%d %H:%M UTC"])),
        ("CPU", cpu()),
        ("cores", cores.to_string()),
        ("kernel", said("uname", &["-sr"])),
        ("file system", file_system(plan)),
        ("compiler", said("rustc", &["--version"])),
        (
            "profile",
            "release, thin LTO, 4 codegen units, the system's allocator".to_owned(),
        ),
        (
            "async runtime",
            "tokio, multi-threaded, a worker for each core".to_owned(),
        ),
        ("versions", peers.join(", ")),
        ("SQLite", rusqlite::version().to_owned()),
        (
            "durability",
            "WAL, synchronous=FULL, 4 KiB pages, checkpoint at 64 MiB".to_owned(),
        ),
        (
            "statefn",
            "defaults: limits, checksums, deadlines, tracing, gate, snapshots".to_owned(),
        ),
        ("batch", "at most 1,024 commands, raw ones too".to_owned()),
        ("payload", "64 bytes an event".to_owned()),
        (
            "rounds",
            format!(
                "{}, interleaved, of {} s at most{quick}",
                plan.rounds, plan.seconds
            ),
        ),
    ];
    setting
        .map(|(name, value)| (name.to_owned(), value))
        .to_vec()
}

fn said(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    text.unwrap_or_else(|_| "unknown".to_owned())
}

fn cpu() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let line = info.lines().find(|line| line.starts_with("model name"));
    let name = line
        .and_then(|line| line.split_once(": "))
        .map(|(_, name)| name.to_owned());
    name.unwrap_or_else(|| "unknown".to_owned())
}

fn file_system(plan: &Plan) -> String {
    let folder = plan.folder.display().to_string();
    said("stat", &["-f", "-c", "%T", &folder])
}

fn versions(lock: &str, names: &[&str]) -> Vec<String> {
    let packages = lock.split("[[package]]");
    let field = |package: &str, name: &str| {
        let line = package
            .lines()
            .find_map(|line| line.strip_prefix(&format!("{name} = ")));
        line.map(|value| value.trim_matches('"').to_owned())
    };
    packages
        .filter_map(|package| Some((field(package, "name")?, field(package, "version")?)))
        // Of two versions in a lock file, the older one is some dependency's own.
        .filter(|(name, version)| {
            names.contains(&name.as_str()) && !(name == "tokio" && version.starts_with("0."))
        })
        .map(|(name, version)| format!("{name} {version}"))
        .collect()
}
