//! Bytes to a server and back.

use std::fmt::Debug;
use std::path::Path;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};

use crate::endpoint::{Endpoint, Place, Security};
use crate::error::ConnectError;

/// Whatever carries bytes both ways.
pub(super) trait Wire: AsyncRead + AsyncWrite + Debug + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Debug + Send + Unpin> Wire for T {}

/// Connects to where the server listens.
pub(super) async fn dial(endpoint: &Endpoint) -> Result<Box<dyn Wire>, ConnectError> {
    match endpoint.place() {
        Place::Unix(path) => Ok(Box::new(unix(path).await?)),
        Place::Tcp {
            address,
            security: Security::Plain,
            ..
        } => Ok(Box::new(tcp(address).await?)),
        Place::Tcp {
            address,
            security: Security::Tls,
            ..
        } => encrypted(endpoint, address).await,
    }
}

async fn unix(path: &Path) -> Result<UnixStream, ConnectError> {
    let connected = UnixStream::connect(path).await;
    connected.map_err(|source| ConnectError::Unix {
        path: path.into(),
        source,
    })
}

async fn tcp(address: &str) -> Result<TcpStream, ConnectError> {
    let error = |source| ConnectError::Tcp {
        address: address.into(),
        source,
    };
    let stream = TcpStream::connect(address).await.map_err(error)?;
    // Most messages are small and each is waited for.
    stream.set_nodelay(true).map_err(error)?;
    Ok(stream)
}

#[cfg(feature = "tls")]
async fn encrypted(endpoint: &Endpoint, address: &str) -> Result<Box<dyn Wire>, ConnectError> {
    use super::tls;

    // Before anybody is kept waiting by a connection on which nothing is said.
    let trust = tls::trust(endpoint.ca_file().cloned()).await?;
    let stream = tcp(address).await?;
    Ok(Box::new(tls::begin(stream, address, trust).await?))
}

#[cfg(not(feature = "tls"))]
async fn encrypted(_: &Endpoint, _: &str) -> Result<Box<dyn Wire>, ConnectError> {
    Err(ConnectError::NoTls)
}
