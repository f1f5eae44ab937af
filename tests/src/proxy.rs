//! A network that breaks where a test wants it to.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use crate::websocket;

/// How much is passed on at a time, in bytes: small, so that a cut can be anywhere.
const PIECE_BYTES: usize = 4 << 10;

/// Passes bytes between clients and a server, and breaks connections: by hand, or after so many bytes.
#[derive(Debug)]
pub struct Proxy {
    url: String,
    state: Arc<State>,
    _stop: DropGuard,
}

#[derive(Debug)]
struct State {
    server: SocketAddr,
    /// After how many bytes of the server the next connections break.
    budgets: Mutex<Vec<usize>>,
    /// How often all connections were broken by hand.
    cuts: watch::Sender<u64>,
    /// How many connections there were.
    connections: watch::Sender<usize>,
}

impl Proxy {
    /// Listens in front of the server at `url`. The first connections break after as many bytes from
    /// the server as `budgets` says, those behind them last.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub async fn start(url: &str, mut budgets: Vec<usize>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("there is a port");
        let address = listener.local_addr().expect("it is bound");
        budgets.reverse();
        let state = Arc::new(State {
            server: websocket::address(url),
            budgets: Mutex::new(budgets),
            cuts: watch::Sender::new(0),
            connections: watch::Sender::new(0),
        });
        let stop = CancellationToken::new();
        TaskTracker::new().spawn(stop.clone().run_until_cancelled_owned(accept(
            listener,
            Arc::clone(&state),
            stop.clone(),
        )));
        Self {
            url: format!("ws://{address}"),
            state,
            _stop: stop.drop_guard(),
        }
    }

    /// Where it listens.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Resets every connection there is, in both directions.
    pub fn cut(&self) {
        self.state.cuts.send_modify(|cuts| *cuts += 1);
    }

    /// How many connections were made so far.
    pub fn connections(&self) -> usize {
        *self.state.connections.borrow()
    }
}

async fn accept(listener: TcpListener, state: Arc<State>, stop: CancellationToken) {
    let tasks = TaskTracker::new();
    loop {
        let (client, _) = listener.accept().await.expect("a client can be accepted");
        state.connections.send_modify(|connections| *connections += 1);
        let cuts = state.cuts.subscribe();
        let budget = state.budgets.lock().expect("no holder of this lock panics").pop();
        let connection = pass(client, state.server, cuts, budget.unwrap_or(usize::MAX));
        tasks.spawn(stop.clone().run_until_cancelled_owned(connection));
    }
}

/// Passes on what both say until both have hung up or the connection is to break.
async fn pass(mut client: TcpStream, server: SocketAddr, mut cuts: watch::Receiver<u64>, budget: usize) {
    let Ok(mut server) = TcpStream::connect(server).await else {
        return;
    };
    let seen = *cuts.borrow_and_update();
    let end = {
        let (from_client, to_client) = client.split();
        let (from_server, to_server) = server.split();
        let both = async {
            tokio::try_join!(
                copy(from_client, to_server, usize::MAX),
                copy(from_server, to_client, budget),
            )
        };
        tokio::select! {
            end = both => end,
            _ = cuts.wait_for(|cuts| *cuts != seen) => Err(io::ErrorKind::ConnectionReset.into()),
        }
    };
    if end.is_err() {
        for stream in [&client, &server] {
            // Fails if that side is gone already.
            let _ = stream.set_zero_linger();
        }
    }
}

/// Passes on what one says until it has hung up, but at most `budget` bytes.
///
/// # Errors
///
/// When the connection breaks, or is to.
async fn copy(mut from: ReadHalf<'_>, mut to: WriteHalf<'_>, mut budget: usize) -> io::Result<()> {
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        let room = piece.len().min(budget);
        if room == 0 {
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        let bytes = from.read(&mut piece[..room]).await?;
        if bytes == 0 {
            return to.shutdown().await;
        }
        to.write_all(&piece[..bytes]).await?;
        budget -= bytes;
    }
}
