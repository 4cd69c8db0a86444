#[statefn::test]
async fn works(seed: u64) {}

fn main() {}
