#[statefn::main]
struct Main;

fn main() {}
