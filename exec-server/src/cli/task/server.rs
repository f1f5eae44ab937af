//! Which server is asked, and what it is shown.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;
use exec_client::Endpoint;

use crate::cli::{Failure, LAST};

/// Where the address of the server is looked for, if it is not among the arguments.
const URL_VARIABLE: &str = "EXEC_SERVER_URL";

/// Where the file with the token is looked for, if it is not among the arguments. A token itself is never in the environment,
/// which others can read and children inherit.
pub(super) const TOKEN_FILE_VARIABLE: &str = "EXEC_SERVER_TOKEN_FILE";

/// Which server is asked, and what it is shown.
#[derive(Debug, Default, Args)]
pub(super) struct ServerArgs {
    /// The server: `ws://HOST:PORT`, `wss://HOST:PORT` or `unix:///PATH` [default: the variable `EXEC_SERVER_URL`]
    #[arg(long, global = true, value_name = "URL", display_order = LAST)]
    connect: Option<String>,
    /// The file with the token that the server wants [default: the variable `EXEC_SERVER_TOKEN_FILE`]
    #[arg(long, global = true, value_name = "PATH", display_order = LAST)]
    token_file: Option<PathBuf>,
    /// The file with the certificates to trust over `wss://` [default: those of the system]
    #[arg(long, global = true, value_name = "PATH", display_order = LAST)]
    ca_file: Option<PathBuf>,
}

impl ServerArgs {
    /// Where the server is, by the arguments, else by the environment.
    pub(super) fn endpoint(&self) -> Result<Endpoint, Failure> {
        self.endpoint_in(|name| std::env::var_os(name))
    }

    fn endpoint_in(&self, variable: impl Fn(&str) -> Option<OsString>) -> Result<Endpoint, Failure> {
        let variable = |name| variable(name).filter(|value| !value.is_empty());
        let from_environment = || variable(URL_VARIABLE).and_then(|url| url.into_string().ok());
        let url = self.connect.clone().or_else(from_environment).ok_or_else(|| {
            format!("which server? Pass --connect ws://HOST:PORT, or set the variable {URL_VARIABLE}")
        })?;
        let mut endpoint: Endpoint = url.parse()?;
        let token_file = self.token_file.clone();
        if let Some(path) = token_file.or_else(|| variable(TOKEN_FILE_VARIABLE).map(PathBuf::from)) {
            endpoint = endpoint.with_token_file(path);
        }
        if let Some(path) = &self.ca_file {
            endpoint = endpoint.with_ca_file(path);
        }
        Ok(endpoint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The endpoint, as Debug shows it, with these variables set.
    fn endpoint(args: &ServerArgs, variables: &[(&str, &str)]) -> Result<String, String> {
        let variable = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| OsString::from(value))
        };
        args.endpoint_in(variable)
            .map(|endpoint| format!("{endpoint:?}"))
            .map_err(|error| error.to_string())
    }

    #[test]
    fn arguments_come_before_the_environment() {
        let variables = [
            (URL_VARIABLE, "ws://environment:1"),
            (TOKEN_FILE_VARIABLE, "/environment/token"),
        ];
        let by_environment = endpoint(&ServerArgs::default(), &variables).unwrap();
        assert!(by_environment.contains("ws://environment:1"), "{by_environment}");
        assert!(by_environment.contains("/environment/token"), "{by_environment}");
        let args = ServerArgs {
            connect: Some("unix:///run/exec.sock".into()),
            token_file: Some("/arguments/token".into()),
            ca_file: Some("/arguments/ca".into()),
        };
        let by_arguments = endpoint(&args, &variables).unwrap();
        for path in ["/run/exec.sock", "/arguments/token", "/arguments/ca"] {
            assert!(by_arguments.contains(path), "{by_arguments}");
        }
        assert!(!by_arguments.contains("environment"), "{by_arguments}");
    }

    #[test]
    fn an_empty_variable_is_none() {
        let empty = [(URL_VARIABLE, ""), (TOKEN_FILE_VARIABLE, "")];
        let error = endpoint(&ServerArgs::default(), &empty).unwrap_err();
        assert!(error.contains("--connect"), "{error}");
        let args = ServerArgs {
            connect: Some("ws://host:1".into()),
            ..ServerArgs::default()
        };
        assert!(endpoint(&args, &empty).unwrap().contains("token: None"));
    }

    #[test]
    fn what_is_no_address_is_refused() {
        let args = ServerArgs {
            connect: Some("http://host:1".into()),
            ..ServerArgs::default()
        };
        assert!(endpoint(&args, &[]).unwrap_err().contains("wss://HOST:PORT"));
    }
}
