//! The memory's plan, for the linker.

#[path = "../../plan.rs"]
mod plan;

fn main() {
    let out = plan::plan("../memory/boot.x", &["link.x"]);
    // The table of interrupts is in src/main.rs: no handler has a name that the linker would look for.
    std::fs::write(out.join("device.x"), b"").expect("a file for the linker");
}
