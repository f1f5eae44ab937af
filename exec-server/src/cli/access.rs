//! Who may come in, as the command line says it.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::Failure;
use super::listen::Listen;
use crate::access::{Access, CapabilityToken, Credentials, HostName, Origin, Secret, SignedBearer};
use crate::transport::Tls;

/// Who may come in over the network.
#[derive(Debug, Args)]
#[command(next_help_heading = "Who may come in")]
pub(super) struct AccessArgs {
    /// What a peer on `ws://` or `wss://` must show in the header `Authorization: Bearer TOKEN` [default: nothing, and then
    /// only loopback addresses are served]
    #[arg(long, value_name = "WAY")]
    ws_auth: Option<Way>,
    /// The file with the capability token, which nobody else may read
    #[arg(long, value_name = "FILE", conflicts_with = "ws_token_sha256")]
    ws_token_file: Option<PathBuf>,
    /// The capability token's SHA-256, in hexadecimal
    #[arg(long, value_name = "DIGEST")]
    ws_token_sha256: Option<String>,
    /// The number of an open descriptor from which the capability token is read, up to its end
    #[arg(long, value_name = "FD", value_parser = clap::value_parser!(i32).range(3..),
        conflicts_with_all = ["ws_token_file", "ws_token_sha256"])]
    token_fd: Option<i32>,
    /// The file with the secret by which tokens are signed (HS256), which nobody else may read
    #[arg(long, value_name = "FILE")]
    ws_shared_secret_file: Option<PathBuf>,
    /// Who must have issued a signed token (`iss`)
    #[arg(long, value_name = "NAME", requires = "ws_shared_secret_file")]
    ws_issuer: Option<String>,
    /// What this server is called in signed tokens (`aud`)
    #[arg(long, value_name = "NAME", requires = "ws_shared_secret_file")]
    ws_audience: Option<String>,
    /// How far the clock of whoever signs tokens may be off [default: 30]
    #[arg(long, value_name = "SECONDS", requires = "ws_shared_secret_file")]
    ws_max_clock_skew_seconds: Option<u32>,
    /// A web page's origin that may connect, such as `https://example.org`; may be repeated
    #[arg(long, value_name = "ORIGIN")]
    allow_origin: Vec<Origin>,
    /// A name that this server is reached by, beside `localhost` and any IP address; may be repeated
    #[arg(long, value_name = "HOST")]
    allow_host: Vec<HostName>,
    /// The certificate for `wss://`, in PEM, with what leads from it to a root; read again on SIGHUP
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// The key to it, in PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
}

/// What a peer must show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Way {
    /// One token that all share, from `--ws-token-file`, `--ws-token-sha256` or `--token-fd`
    CapabilityToken,
    /// A JSON Web Token that is signed with the secret in `--ws-shared-secret-file`
    SignedBearerToken,
}

impl AccessArgs {
    /// Whether anything was asked for.
    pub(super) fn is_given(&self) -> bool {
        self.asks() || !self.allow_origin.is_empty() || !self.allow_host.is_empty() || self.tls_cert.is_some()
    }

    /// Whether what was asked for is of any use there.
    ///
    /// # Errors
    ///
    /// If it would be passed over, and whoever asked for it would think that it holds.
    pub(super) fn fits(&self, listen: &[Listen]) -> Result<(), Failure> {
        let has = |wanted: fn(&Listen) -> bool| listen.iter().any(wanted);
        if self.tls_cert.is_some() && !has(|listen| matches!(listen, Listen::Tls(_) | Listen::Passed)) {
            return Err("--tls-cert is for wss:// and fd://, and nothing of these is served".into());
        }
        let on_network =
            |listen: &Listen| matches!(listen, Listen::Websocket(_) | Listen::Tls(_) | Listen::Passed);
        if self.asks() && !has(on_network) {
            return Err(
                "tokens are asked for on ws://, wss:// and fd://, and nothing of these is served".into(),
            );
        }
        Ok(())
    }

    /// Who may come in. Reads the secrets.
    ///
    /// # Errors
    ///
    /// If options do not fit together, or a secret cannot be had or is none.
    pub(super) fn access(&self) -> Result<Access, Failure> {
        Ok(Access {
            credentials: self.credentials()?,
            origins: self.allow_origin.clone(),
            hosts: self.allow_host.clone(),
        })
    }

    /// The certificate, if there is one.
    ///
    /// # Errors
    ///
    /// If it cannot be used.
    pub(super) fn tls(&self) -> Result<Option<Tls>, Failure> {
        let (Some(certificate), Some(key)) = (&self.tls_cert, &self.tls_key) else {
            return Ok(None);
        };
        Ok(Some(Tls::from_files(certificate, key)?))
    }

    /// Whether a peer is to show anything.
    fn asks(&self) -> bool {
        self.ws_auth.is_some()
            || self.ws_token_file.is_some()
            || self.ws_token_sha256.is_some()
            || self.token_fd.is_some()
            || self.ws_shared_secret_file.is_some()
    }

    fn credentials(&self) -> Result<Option<Credentials>, Failure> {
        let token = self.token()?;
        match (self.ws_auth, token, &self.ws_shared_secret_file) {
            (_, Some(_), Some(_)) => Err("a token and a shared secret are two ways; choose one".into()),
            (Some(Way::SignedBearerToken), Some(_), None) => {
                Err("--ws-auth signed-bearer-token wants --ws-shared-secret-file, and no token".into())
            }
            (Some(Way::CapabilityToken), None, _) => Err(
                "--ws-auth capability-token wants --ws-token-file, --ws-token-sha256 or --token-fd".into(),
            ),
            (Some(Way::SignedBearerToken), None, None) => {
                Err("--ws-auth signed-bearer-token wants --ws-shared-secret-file".into())
            }
            // Whoever names a token means that it is asked for.
            (Some(Way::CapabilityToken) | None, Some(token), None) => {
                Ok(Some(Credentials::Capability(token)))
            }
            (Some(Way::SignedBearerToken) | None, None, Some(path)) => {
                Ok(Some(Credentials::SignedBearer(self.signed_bearer(path)?)))
            }
            (None, None, None) => Ok(None),
        }
    }

    fn token(&self) -> Result<Option<CapabilityToken>, Failure> {
        if let Some(digest) = &self.ws_token_sha256 {
            return Ok(Some(CapabilityToken::from_sha256(digest)?));
        }
        let secret = match (&self.ws_token_file, self.token_fd) {
            (Some(path), _) => Secret::from_file(path)?,
            (None, Some(number)) => {
                let descriptor =
                    pty_utils::inherited(number).map_err(|error| format!("--token-fd {number}: {error}"))?;
                Secret::from_descriptor(File::from(descriptor), Path::new("--token-fd"))?
            }
            (None, None) => return Ok(None),
        };
        Ok(Some(CapabilityToken::new(&secret)?))
    }

    fn signed_bearer(&self, path: &Path) -> Result<SignedBearer, Failure> {
        let mut bearer = SignedBearer::new(Secret::from_file(path)?);
        bearer.issuer.clone_from(&self.ws_issuer);
        bearer.audience.clone_from(&self.ws_audience);
        if let Some(seconds) = self.ws_max_clock_skew_seconds {
            bearer.max_clock_skew = Duration::from_secs(seconds.into());
        }
        Ok(bearer)
    }
}
