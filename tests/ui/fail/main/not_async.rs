#[statefn::main]
fn main() {}

#[statefn::test]
fn works() {}
