//! Where websockets come in.

use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fmt, fs};

use rustix::fs::{FlockOperation, flock};
use rustix::process::geteuid;
use tokio::net::{TcpListener, UnixListener, UnixStream};
use tokio::time::sleep;

use super::socket::Socket;
use super::tls::Tls;
use crate::access::Bound;
use crate::access::failures::Source;

/// Who may open the socket: whoever the server runs as.
const SOCKET_MODE: u32 = 0o600;

/// How often a server tries to have the directory of its socket for itself: for a second, where making one takes a moment.
const LOCK_TRIES: u32 = 100;

const BETWEEN_LOCK_TRIES: Duration = Duration::from_millis(10);

/// Where websockets come in: a socket of the network, with TLS or without, or one of this machine.
#[derive(Debug)]
pub struct Listener(Kind);

#[derive(Debug)]
enum Kind {
    Tcp(TcpListener, Option<Tls>),
    Unix {
        listener: UnixListener,
        _file: Option<SocketFile>,
    },
}

/// The file of a Unix socket that was made here, and goes with it.
#[derive(Debug)]
struct SocketFile {
    path: PathBuf,
    /// Device and inode.
    is: (u64, u64),
}

/// Where a server can be reached, as a URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reachable {
    /// At an address, by `ws://`.
    Plain(SocketAddr),
    /// At an address, by `wss://`.
    Tls(SocketAddr),
    /// At a path, by `unix://`. None for a socket without a name.
    Unix(Option<PathBuf>),
}

/// Why a socket is not served.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// Whoever reaches it could run commands here.
    #[error(
        "other machines can reach {address}, and whoever reaches it could run commands here: say with --ws-auth what they must \
         show, or listen on 127.0.0.1 and let ssh forward it"
    )]
    Unprotected {
        /// Its address.
        address: SocketAddr,
    },
    /// The operating system cannot say where it is.
    #[error(transparent)]
    Os(#[from] io::Error),
}

impl Reachable {
    /// Its address, if it has one.
    pub(crate) fn address(&self) -> Option<SocketAddr> {
        match self {
            Self::Plain(address) | Self::Tls(address) => Some(*address),
            Self::Unix(_) => None,
        }
    }
}

impl fmt::Display for Reachable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain(address) => write!(f, "ws://{address}"),
            Self::Tls(address) => write!(f, "wss://{address}"),
            Self::Unix(path) => write!(f, "unix://{}", path.as_deref().unwrap_or(Path::new("")).display()),
        }
    }
}

impl From<TcpListener> for Listener {
    fn from(listener: TcpListener) -> Self {
        Self(Kind::Tcp(listener, None))
    }
}

impl From<UnixListener> for Listener {
    fn from(listener: UnixListener) -> Self {
        Self(Kind::Unix {
            listener,
            _file: None,
        })
    }
}

impl Listener {
    /// Websockets over TLS.
    pub fn tls(listener: TcpListener, tls: Tls) -> Self {
        Self(Kind::Tcp(listener, Some(tls)))
    }

    /// Makes a Unix socket at `path`, for this user alone, and takes it away in the end. One that a dead server has left is replaced.
    ///
    /// # Errors
    ///
    /// `AddrInUse` if somebody listens there, `AlreadyExists` if there is something else; what the operating system says.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: the socket may have been made, and is replaced the next time.
    pub async fn unix(path: impl Into<PathBuf>) -> io::Result<Self> {
        let path = path.into();
        let _lock = lock_beside(&path).await;
        remove_abandoned(&path).await?;
        let listener = UnixListener::bind(&path)?;
        // Until then who else may open it is not let in either: the peer's user is looked at.
        fs::set_permissions(&path, fs::Permissions::from_mode(SOCKET_MODE))?;
        let metadata = fs::symlink_metadata(&path)?;
        let is = (metadata.dev(), metadata.ino());
        Ok(Self(Kind::Unix {
            listener,
            _file: Some(SocketFile { path, is }),
        }))
    }

    /// Where it can be reached.
    ///
    /// # Errors
    ///
    /// What the operating system says.
    pub fn reachable(&self) -> io::Result<Reachable> {
        Ok(match &self.0 {
            Kind::Tcp(listener, None) => Reachable::Plain(listener.local_addr()?),
            Kind::Tcp(listener, Some(_)) => Reachable::Tls(listener.local_addr()?),
            Kind::Unix { listener, .. } => {
                Reachable::Unix(listener.local_addr()?.as_pathname().map(Path::to_owned))
            }
        })
    }

    /// Waits for the next connection.
    ///
    /// # Errors
    ///
    /// What the operating system says, of one connection or of a shortage.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub(super) async fn accept(&self) -> io::Result<Accepted> {
        match &self.0 {
            Kind::Tcp(listener, tls) => {
                let (stream, peer) = listener.accept().await?;
                Ok(Accepted {
                    socket: Socket::Tcp(stream),
                    bound: Bound::Tcp,
                    source: peer.ip().into(),
                    tls: tls.clone(),
                })
            }
            Kind::Unix { listener, .. } => {
                let (stream, _) = listener.accept().await?;
                let uid = stream.peer_cred()?.uid();
                Ok(Accepted {
                    socket: Socket::Unix(stream),
                    bound: Bound::Unix { uid },
                    source: Source::Unix,
                    tls: None,
                })
            }
        }
    }
}

/// A connection that came in.
#[derive(Debug)]
pub(super) struct Accepted {
    pub(super) socket: Socket,
    /// The kind of socket, and who is at its other end as the system says.
    pub(super) bound: Bound,
    pub(super) source: Source,
    pub(super) tls: Option<Tls>,
}

impl Accepted {
    /// Whether the system says that it comes from somebody else than this user.
    pub(super) fn is_of_another_user(&self) -> bool {
        match self.bound {
            Bound::Unix { uid } => uid != geteuid().as_raw(),
            Bound::Tcp => false,
        }
    }
}

/// Keeps other servers from making a socket in the same directory at the same time: each would take the other's for abandoned.
///
/// None if somebody holds on to it, which anybody may: then it is done without.
async fn lock_beside(path: &Path) -> Option<fs::File> {
    let directory = path.parent().filter(|parent| *parent != Path::new(""))?;
    let directory = fs::File::open(directory).ok()?;
    for _ in 0..LOCK_TRIES {
        if flock(&directory, FlockOperation::NonBlockingLockExclusive).is_ok() {
            return Some(directory);
        }
        sleep(BETWEEN_LOCK_TRIES).await;
    }
    None
}

/// Takes away the socket of a server that is dead.
async fn remove_abandoned(path: &Path) -> io::Result<()> {
    let metadata = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        metadata => metadata?,
    };
    if !metadata.file_type().is_socket() {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    match UnixStream::connect(path).await {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => fs::remove_file(path),
        Err(error) => Err(error),
        Ok(_) => Err(io::ErrorKind::AddrInUse.into()),
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        // Another server may have put its own in its place.
        let is_ours = |metadata: fs::Metadata| (metadata.dev(), metadata.ino()) == self.is;
        if fs::symlink_metadata(&self.path).is_ok_and(is_ours)
            && let Err(error) = fs::remove_file(&self.path)
        {
            tracing::warn!(%error, "the socket's file stays behind");
        }
    }
}
