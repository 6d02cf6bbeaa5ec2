//! The memory's plan, for the linker.

#[path = "../plan.rs"]
mod plan;

fn main() {
    plan::plan("memory/bridge.x", &["link.x"]);
}
