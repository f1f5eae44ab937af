//! The size of a terminal, from the start on.

use exec_protocol::process::Size;
use exec_tests::{Peer, on_every_wire};
use serde_json::{Value, json};

use crate::commands::{on_pipes, on_terminal, script, with};
use crate::records::record;

fn size(rows: u16, cols: u16) -> Size {
    Size::new(rows, cols).expect("it is in range")
}

async fn resize(peer: &mut Peer, rows: u16, cols: u16) -> Value {
    let size = json!({"rows": rows, "cols": cols});
    peer.call("process/resize", json!({"processId": "p", "size": size}))
        .await
}

on_every_wire! {
    async fn the_first_size_is_there_before_the_program_is(peer: &mut Peer) {
        let asked = with(on_terminal("asked", ["size"]), json!({"size": {"rows": 7, "cols": 211}}));
        assert_eq!(peer.run(asked).await.text(), "size 7 211\r\n");
        assert_eq!(record(peer, "asked").await.size, Some(size(7, 211)));
        assert_eq!(peer.run(on_terminal("usual", ["size"])).await.text(), "size 24 80\r\n");
        assert_eq!(record(peer, "usual").await.size, Some(size(24, 80)));
        peer.run(on_pipes("none", ["exit", "0"])).await;
        assert_eq!(record(peer, "none").await.size, None);
    }

    async fn a_new_size_is_in_the_record(peer: &mut Peer) {
        peer.start(on_terminal("p", ["size", "watch"])).await;
        peer.output_until("p", "size 24 80\r\n").await;
        for (rows, cols) in [(50, 132), (1, 1), (10_000, 10_000)] {
            assert_eq!(resize(peer, rows, cols).await, json!({}));
            assert_eq!(record(peer, "p").await.size, Some(size(rows, cols)));
            peer.output_until("p", &format!("size {rows} {cols}\r\n")).await;
        }
        peer.terminate("p").await;
        assert_eq!(resize(peer, 3, 4).await, json!({}), "there is no terminal any more");
        assert_eq!(record(peer, "p").await.size, Some(size(10_000, 10_000)));
    }

    async fn a_size_that_the_program_has_set_is_in_the_record(peer: &mut Peer) {
        peer.start(with(script("p", "stty rows 5 cols 6; echo set; exec sleep 1000"), json!({"tty": true}))).await;
        peer.output_until("p", "set").await;
        assert_eq!(record(peer, "p").await.size, Some(size(5, 6)));
        peer.terminate("p").await;
        assert_eq!(record(peer, "p").await.size, Some(size(5, 6)));
    }

    async fn sizes_of_no_terminal_are_refused_by_the_name_of_the_member(peer: &mut Peer) {
        peer.start(on_terminal("p", ["size", "watch"])).await;
        for (rows, cols) in [(0, 0), (65_535, 65_535), (0, 80), (24, 0)] {
            let size = json!({"rows": rows, "cols": cols});
            for (method, params) in [
                ("process/resize", json!({"processId": "p", "size": size})),
                ("process/start", with(on_terminal("q", ["size"]), json!({"size": size}))),
            ] {
                let error = peer.refused(method, params).await;
                assert_eq!((error.code, &error.data.kind[..]), (-32602, "invalidParams"), "{method} {size}");
                assert_eq!(error.data.field.as_deref(), Some("size"), "{method} {size}");
            }
        }
        assert_eq!(record(peer, "p").await.size, Some(size(24, 80)));
        peer.terminate("p").await;
    }

    async fn a_window_change_can_be_told_without_one(peer: &mut Peer) {
        peer.start(on_terminal("p", ["size", "watch"])).await;
        peer.output_until("p", "size 24 80\r\n").await;
        let signal = json!({"processId": "p", "signal": "windowChange"});
        assert_eq!(peer.call("process/signal", signal).await, json!({"delivered": true}));
        peer.output_until("p", "size 24 80\r\nsize 24 80\r\n").await;
        peer.terminate("p").await;
    }
}
