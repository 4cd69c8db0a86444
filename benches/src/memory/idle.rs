//! T5: resident memory of a process with many idle entities, less that of one with none.

use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use kameo::actor::Spawn;
use statefn::Runtime;
use statefn_bench_kit::{Sample, data, load};

use crate::cart::{kameo as kameo_cart, ours};
use crate::harness::{Contender, Plan};

const ENTITIES: usize = 1_000_000;

/// Actors: each takes as much whatever their number, and a million of them 7 GB.
const ACTORS: usize = 200_000;

struct Idle {
    contender: &'static str,
    count: usize,
    state: usize,
}

pub(super) fn ours(_: &Plan) -> Result<Box<dyn Contender>> {
    let state = size_of::<ours::Cart>();
    Ok(Box::new(Idle {
        contender: "statefn",
        count: ENTITIES,
        state,
    }))
}

pub(super) fn kameo(_: &Plan) -> Result<Box<dyn Contender>> {
    let state = size_of::<kameo_cart::Cart>();
    Ok(Box::new(Idle {
        contender: "kameo",
        count: ACTORS,
        state,
    }))
}

impl Contender for Idle {
    fn round(&mut self, plan: &Plan) -> Result<Sample> {
        let entities = plan.scaled(self.count);
        let child = Command::new(std::env::current_exe()?)
            .args(["child", "idle", self.contender, &entities.to_string()])
            .stderr(Stdio::inherit())
            .output()?;
        if !child.status.success() {
            bail!("the process with idle entities ended with {}", child.status);
        }
        let bytes: f64 = String::from_utf8(child.stdout)?.trim().parse()?;
        Ok(Sample::of(bytes / entities as f64 - self.state as f64))
    }

    fn facts(&self) -> Vec<String> {
        vec![
            "T5: growth of a process's resident memory, divided by the entities, less the size of \
             the cart's struct; 1,000,000 entities of \
             statefn, each kept by its name; 200,000 actors of kameo, their references in a vector"
                .to_owned(),
        ]
    }
}

/// In a process of its own: bytes of resident memory that `count` idle entities add.
pub(crate) fn measure(contender: &str, count: usize) -> Result<u64> {
    let tokio = load::runtime()?;
    let (before, after) = match contender {
        "statefn" => tokio.block_on(async {
            let runtime = Runtime::builder().build().await?;
            runtime.entity::<ours::Cart>("first").products().await?;
            let before = resident()?;
            for number in 0..count {
                runtime
                    .entity::<ours::Cart>(data::entity(number))
                    .products()
                    .await?;
            }
            anyhow::Ok((before, resident()?))
        })?,
        "kameo" => tokio.block_on(async {
            let first = kameo_cart::Cart::spawn(kameo_cart::Cart::default());
            first.ask(kameo_cart::Products).await?;
            let mut carts = Vec::with_capacity(count);
            let before = resident()?;
            for _ in 0..count {
                let cart = kameo_cart::Cart::spawn(kameo_cart::Cart::default());
                cart.ask(kameo_cart::Products).await?;
                carts.push(cart);
            }
            anyhow::Ok((before, resident()?))
        })?,
        other => bail!("nobody is called {other}"),
    };
    let bytes = after.saturating_sub(before);
    println!("{bytes}");
    // Ending a million tasks takes longer than making them.
    std::process::exit(0)
}

fn resident() -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status").context("only Linux has it")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes = line
        .and_then(|line| line.trim().strip_suffix("kB"))
        .context("VmRSS")?;
    Ok(kibibytes.trim().parse::<u64>()? * 1024)
}
