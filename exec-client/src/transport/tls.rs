//! TLS, for `wss://`.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::net::TcpStream;
use tokio::task::spawn_blocking;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::error::ConnectError;

type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Whom to trust: those in this file, or those whom the system trusts.
///
/// # Cancel safety
///
/// Cancel safe: files may be read on for nobody.
pub(super) async fn trust(ca_file: Option<PathBuf>) -> Result<Arc<ClientConfig>, ConnectError> {
    // The system's are a hundred files or a long one.
    let roots = spawn_blocking(move || match ca_file {
        Some(path) => in_file(&path),
        None => of_the_system(),
    })
    .await
    .expect("it does not panic, and nobody aborts it");
    let config = config(roots.map_err(ConnectError::Certificates)?);
    Ok(Arc::new(config))
}

fn config(roots: RootCertStore) -> ClientConfig {
    // Named, because a program that embeds us may have more than one.
    ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring has all that these versions need")
        .with_root_certificates(roots)
        .with_no_client_auth()
}

fn in_file(path: &Path) -> Result<RootCertStore, Cause> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(path)? {
        roots.add(certificate?)?;
    }
    if roots.is_empty() {
        return Err(format!("there is no certificate in {}", path.display()).into());
    }
    Ok(roots)
}

fn of_the_system() -> Result<RootCertStore, Cause> {
    let mut found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    // Some of a system's are old and of no use; the others are.
    let (_, ignored) = roots.add_parsable_certificates(found.certs);
    if ignored > 0 {
        tracing::debug!(ignored, "certificates of the system are of no use");
    }
    match found.errors.pop() {
        Some(error) if roots.is_empty() => Err(error.into()),
        None if roots.is_empty() => Err("the system has none; name a file that has".into()),
        Some(_) | None => Ok(roots),
    }
}

/// Begins TLS with the server at `address`, a host and a port, which has to show that it is that host.
///
/// # Cancel safety
///
/// Cancel safe: the connection is dropped.
pub(super) async fn begin(
    stream: TcpStream,
    address: &str,
    trust: Arc<ClientConfig>,
) -> Result<TlsStream<TcpStream>, ConnectError> {
    let error = |source| ConnectError::Tls {
        address: address.into(),
        source,
    };
    let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let name = ServerName::try_from(host.to_owned())
        .map_err(|invalid| error(io::Error::new(io::ErrorKind::InvalidInput, invalid)))?;
    TlsConnector::from(trust)
        .connect(name, stream)
        .await
        .map_err(error)
}
