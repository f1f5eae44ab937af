//! The figures, one module for each thing that is measured.

mod bare;
mod echo;
mod fan;
mod files;
mod idle;
mod pull;
mod push;
mod slow_reader;
mod spawn;
mod startup;
mod tasks;
mod upload;
mod wake;

use crate::figure::Figure;

/// All of them, in the order in which they are measured.
pub(crate) const FIGURES: &[Figure] = &[
    startup::STARTUP,
    spawn::PIPES,
    spawn::TERMINAL,
    spawn::BURST,
    push::ZEROS,
    push::LINES,
    pull::PULL,
    echo::TERMINAL,
    echo::PIPES,
    echo::FLOOD,
    wake::WAKE,
    upload::UPLOAD,
    files::METADATA,
    files::READ,
    files::WRITE,
    tasks::SUBMIT,
    tasks::OUTPUT,
    fan::FAN,
    slow_reader::SLOW_READER,
    idle::IDLE,
];
