//! The certificate of a server, and the key to it.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

/// The certificate of a server, and the key to it, from two files in PEM. Cloning gives another handle on the same.
///
/// TLS 1.2 and 1.3 are spoken, with the cipher suites that rustls takes for safe. Clients show no certificate: who they are is
/// told by [`Access`](crate::access::Access).
#[derive(Debug, Clone)]
pub struct Tls(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    certificate: PathBuf,
    key: PathBuf,
    /// What new connections get. Held only for the length of a memory operation, never across an await.
    config: Mutex<Arc<ServerConfig>>,
}

/// Why there is no certificate to show.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read, or is not in PEM.
    #[error("{} cannot be read as PEM", path.display())]
    Pem {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: pem::Error,
    },
    /// There is no certificate in the file.
    #[error("{} holds no certificate", path.display())]
    NoCertificate {
        /// The file.
        path: PathBuf,
    },
    /// The two do not belong together, or rustls has no use for them.
    #[error("the certificate and its key cannot be used")]
    Unusable(#[source] rustls::Error),
}

impl Tls {
    /// Reads the certificate, with what leads from it to a root, and its key.
    ///
    /// # Errors
    ///
    /// [`TlsError`], if one of them cannot be read, or they do not belong together.
    pub fn from_files(certificate: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Result<Self, TlsError> {
        let (certificate, key) = (certificate.into(), key.into());
        let config = read(&certificate, &key)?;
        Ok(Self(Arc::new(Shared {
            certificate,
            key,
            config: Mutex::new(config),
        })))
    }

    /// Reads both files again. Connections that are open keep what they have.
    ///
    /// # Errors
    ///
    /// As for [`from_files`](Self::from_files); new connections get what they got before, then.
    pub fn reload(&self) -> Result<(), TlsError> {
        let config = read(&self.0.certificate, &self.0.key)?;
        *self.lock() = config;
        Ok(())
    }

    /// What speaks TLS with the next peer.
    pub(super) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(Arc::clone(&self.lock()))
    }

    fn lock(&self) -> MutexGuard<'_, Arc<ServerConfig>> {
        self.0.config.lock().expect("no holder of this lock can panic")
    }
}

fn read(certificate: &Path, key: &Path) -> Result<Arc<ServerConfig>, TlsError> {
    let broken = |path: &Path| {
        let path = path.to_owned();
        |source| TlsError::Pem { path, source }
    };
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(broken(certificate))?;
    if chain.is_empty() {
        let path = certificate.to_owned();
        return Err(TlsError::NoCertificate { path });
    }
    let key = PrivateKeyDer::from_pem_file(key).map_err(broken(key))?;
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
        .map_err(TlsError::Unusable)?;
    Ok(Arc::new(config))
}
