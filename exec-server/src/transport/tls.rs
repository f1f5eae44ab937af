//! The certificate of a server, and the key to it.

use std::fs::File;
use std::os::unix::fs::MetadataExt as _;
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

/// The bits of a key's mode that let others use it, or its group change it.
const OPEN_TO_OTHERS: u32 = 0o027;

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
    /// Others could read the key, or change it.
    #[error("others may use {} (mode {mode:04o}), so it is no secret; `chmod 600` keeps them out", path.display())]
    OpenToOthers {
        /// The file.
        path: PathBuf,
        /// Who may do what, as `chmod` has it.
        mode: u32,
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

/// The key, if nobody may use it but its owner and, to read it, its group.
fn read_key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    let broken = |source| TlsError::Pem {
        path: path.to_owned(),
        source,
    };
    let io = |error| broken(pem::Error::Io(error));
    let file = File::open(path).map_err(io)?;
    let mode = file.metadata().map_err(io)?.mode() & 0o7777;
    if mode & OPEN_TO_OTHERS != 0 {
        let path = path.to_owned();
        return Err(TlsError::OpenToOthers { path, mode });
    }
    PrivateKeyDer::from_pem_reader(file).map_err(broken)
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
    let key = read_key(key)?;
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
        .map_err(TlsError::Unusable)?;
    Ok(Arc::new(config))
}
