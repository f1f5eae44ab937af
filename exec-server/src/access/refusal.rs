//! Why a request is not let in.

use tokio_tungstenite::tungstenite::http::StatusCode;

/// Why a request is not let in. What it says may be told to the peer and logged: nothing of it comes from the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    /// The request does not say whom it is for.
    #[error("the request has no Host header")]
    NoHost,
    /// It says so more than once.
    #[error("the request has more than one Host header")]
    SeveralHosts,
    /// It says so in a way that nobody understands.
    #[error("the Host header is not of the form HOST or HOST:PORT")]
    InvalidHost,
    /// It is for somebody else.
    #[error("the Host header names a host that this server is not known by; --allow-host adds one")]
    ForeignHost,
    /// It is from more than one web page.
    #[error("the request has more than one Origin header")]
    SeveralOrigins,
    /// It is from a web page that nobody has listed.
    #[error("web pages of this origin may not connect; --allow-origin adds one")]
    ForeignOrigin,
    /// It shows nothing.
    #[error("a token is wanted, in the header `Authorization: Bearer TOKEN`")]
    NoCredential,
    /// It shows a token where others see it.
    #[error(
        "a token in a URL is not accepted, because URLs are logged; it belongs in the header `Authorization: Bearer TOKEN`"
    )]
    TokenInUrl,
    /// It shows more than one thing.
    #[error("the request has more than one Authorization header")]
    SeveralCredentials,
    /// It shows something else.
    #[error("the Authorization header is not of the form `Bearer TOKEN`")]
    OtherScheme,
    /// It shows a token that is not the server's.
    #[error("this token is not the server's")]
    WrongToken,
    /// What it shows is no signed token, or is signed by somebody else.
    #[error("the token is not one that is signed with the server's secret")]
    NotSigned,
    /// The token is signed and does not say what it must.
    #[error("the token has no valid claims: `exp` is required, and times are numbers of seconds")]
    InvalidClaims,
    /// The token was good.
    #[error("the token has expired")]
    Expired,
    /// The token will be good.
    #[error("the token is not valid yet")]
    NotYetValid,
    /// The token is from another issuer.
    #[error("the token is not from the issuer that this server trusts")]
    ForeignIssuer,
    /// The token is for others.
    #[error("the token is not for this server: its audience is another one")]
    ForeignAudience,
}

impl Refusal {
    /// The status that tells of it.
    pub(crate) fn status(self) -> StatusCode {
        match self {
            Self::NoHost
            | Self::SeveralHosts
            | Self::InvalidHost
            | Self::SeveralOrigins
            | Self::SeveralCredentials => StatusCode::BAD_REQUEST,
            Self::ForeignHost => StatusCode::MISDIRECTED_REQUEST,
            Self::ForeignOrigin => StatusCode::FORBIDDEN,
            Self::NoCredential
            | Self::TokenInUrl
            | Self::OtherScheme
            | Self::WrongToken
            | Self::NotSigned
            | Self::InvalidClaims
            | Self::Expired
            | Self::NotYetValid
            | Self::ForeignIssuer
            | Self::ForeignAudience => StatusCode::UNAUTHORIZED,
        }
    }

    /// What the header `WWW-Authenticate` says of it, as RFC 6750 wants it. None if no token would help.
    pub(crate) fn challenge(self) -> Option<&'static str> {
        match self {
            Self::NoCredential | Self::TokenInUrl | Self::OtherScheme => Some("Bearer"),
            Self::WrongToken
            | Self::NotSigned
            | Self::InvalidClaims
            | Self::Expired
            | Self::NotYetValid
            | Self::ForeignIssuer
            | Self::ForeignAudience => Some(r#"Bearer error="invalid_token""#),
            Self::NoHost
            | Self::SeveralHosts
            | Self::InvalidHost
            | Self::ForeignHost
            | Self::SeveralOrigins
            | Self::ForeignOrigin
            | Self::SeveralCredentials => None,
        }
    }
}
