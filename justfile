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

# Measure a release build of the server: `just bench --only push`. Takes minutes; `--quick` only shows that it works.
bench *ARGS:
    cargo build --release -p exec-server
    cargo run --release -p exec-bench -- --cmd 'target/release/exec-server --listen {listen}' "$@"

# Measure the ring, the encoder and the dispatcher by themselves: `just bench-parts ring/push`.
bench-parts *ARGS:
    cargo bench -p exec-server --bench '*' -- "$@"

# Format all code.
fmt:
    cargo fmt --all

# Build the documentation of our own crates and open it.
doc:
    cargo doc --workspace --no-deps --open
