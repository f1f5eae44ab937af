//! From one test to one for each wire.

/// Makes a `#[tokio::test]` for each wire: `name::memory`, `name::stdio`, `name::websocket`.
///
/// The test takes `peer: &mut Peer`, a client that has shaken hands and is finished afterwards, or
/// `server: &TestServer`. What it needs must be imported where it stands.
#[macro_export]
macro_rules! on_every_wire {
    ($($(#[$meta:meta])* async fn $name:ident($arg:ident: & $($kind:ident)+) $body:block)+) => {
        $($crate::on_wires! {
            [memory, stdio, websocket]
            $(#[$meta])* async fn $name($arg: & $($kind)+) $body
        })+
    };
}

/// As [`on_every_wire!`], for those named in brackets in front of the test.
#[macro_export]
macro_rules! on_wires {
    (@tests $kind:tt [$($wire:ident),+]) => { $($crate::on_wires! { @test $wire $kind })+ };
    (@test memory $kind:tt) => { $crate::on_wires! { @run memory Memory $kind } };
    (@test stdio $kind:tt) => { $crate::on_wires! { @run stdio Stdio $kind } };
    (@test websocket $kind:tt) => { $crate::on_wires! { @run websocket Websocket $kind } };
    (@run $wire:ident $variant:ident (mut Peer)) => {
        #[tokio::test]
        async fn $wire() {
            $crate::with_peer($crate::Wire::$variant, test).await;
        }
    };
    (@run $wire:ident $variant:ident (TestServer)) => {
        #[tokio::test]
        async fn $wire() {
            $crate::on($crate::Wire::$variant, test).await;
        }
    };
    (@run $wire:ident $variant:ident (with_tasks mut Peer)) => {
        #[tokio::test]
        async fn $wire() {
            $crate::with_peer_of_tasks($crate::Wire::$variant, test).await;
        }
    };
    (@run $wire:ident $variant:ident (with_tasks TestServer)) => {
        #[tokio::test]
        async fn $wire() {
            $crate::on_with_tasks($crate::Wire::$variant, test).await;
        }
    };
    // One test as a module of its own, behind what is to be said of its server.
    (
        @module ($($said:ident)*)
        $wires:tt $(#[$meta:meta])* async fn $name:ident($arg:ident: & $($kind:ident)+) $body:block
    ) => {
        $(#[$meta])* mod $name {
            #[allow(
                unused_imports,
                clippy::allow_attributes,
                reason = "a test need not use everything that its neighbours use"
            )]
            use super::*;

            async fn test($arg: & $($kind)+) $body

            $crate::on_wires! { @tests ($($said)* $($kind)+) $wires }
        }
    };
    ($($wires:tt $(#[$meta:meta])* async fn $name:ident($arg:ident: & $($kind:ident)+) $body:block)+) => {
        $($crate::on_wires! { @module () $wires $(#[$meta])* async fn $name($arg: & $($kind)+) $body })+
    };
}

/// As [`on_every_wire!`], with a server that keeps background work, in a directory of its own.
#[macro_export]
macro_rules! on_every_wire_with_tasks {
    ($($(#[$meta:meta])* async fn $name:ident($arg:ident: & $($kind:ident)+) $body:block)+) => {
        $($crate::on_wires_with_tasks! {
            [memory, stdio, websocket]
            $(#[$meta])* async fn $name($arg: & $($kind)+) $body
        })+
    };
}

/// As [`on_every_wire_with_tasks!`], for those named in brackets in front of the test.
#[macro_export]
macro_rules! on_wires_with_tasks {
    ($($wires:tt $(#[$meta:meta])* async fn $name:ident($arg:ident: & $($kind:ident)+) $body:block)+) => {
        $($crate::on_wires! {
            @module (with_tasks)
            $wires $(#[$meta])* async fn $name($arg: & $($kind)+) $body
        })+
    };
}
