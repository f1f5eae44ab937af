# Short names for what CONTRIBUTING.md explains. `just` lists them.

set positional-arguments

_default:
    @just --list

# Run a command through the server: `just run --tty -- htop`.
run *ARGS:
    cargo run --release -- run "$@"

# The tests, as README.md tells them.
test:
    cargo test --workspace

# Everything that must hold before a change is merged.
check:
    .ci/run

# Format all code.
fmt:
    cargo fmt --all

# Build the documentation of our own crates and open it.
doc:
    cargo doc --workspace --no-deps --open
